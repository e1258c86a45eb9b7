import * as z from "zod";

/** To be imported where schemas are made: what is set here holds for all of them. */
z.config({
  /** `workerd` has no `eval`: without this zod probes for it on every schema it compiles. */
  jitless: true,
  customError: describeIssue,
});

type RawIssue = Parameters<NonNullable<z.core.$ZodConfig["customError"]>>[0];

/** What the input does wrong, for whoever sent it; undefined leaves it to zod. Never quotes the input. */
function describeIssue(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? REQUIRED : describeType(issue.expected, issue.input);
    case "invalid_value": {
      const allowed = `${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`;
      return issue.input === undefined ? `${REQUIRED}: ${allowed}` : `must be ${allowed}`;
    }
    case "invalid_union":
      return issue.input === undefined ? REQUIRED : undefined;
    case "too_small":
      return describeBound("at least", issue.origin, issue.minimum, issue);
    case "too_big":
      return describeBound("at most", issue.origin, issue.maximum, issue);
    default:
      return undefined;
  }
}

const REQUIRED = "required";

const GIVEN: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  boolean: "a boolean",
  array: "an array",
  object: "an object",
  null: "null",
};

const WANTED: Readonly<Record<string, string>> = {
  ...GIVEN,
  boolean: "true or false",
  int: "a whole number",
  tuple: "an array",
  record: "an object",
};

function describeType(expected: string, input: unknown): string | undefined {
  const wanted = WANTED[expected];
  if (wanted === undefined) return undefined;
  const given = kindOf(input);
  // Of a number that is none of those wanted, that it is one says nothing.
  const isNear = given === expected || (given === "number" && expected === "int");
  return `must be ${wanted}${isNear ? "" : `, not ${GIVEN[given] ?? given}`}`;
}

function kindOf(input: unknown): string {
  if (input === null) return "null";
  return Array.isArray(input) ? "array" : typeof input;
}

const UNITS: Readonly<Record<string, string>> = { string: " characters", array: " items" };
const NUMBERS: readonly string[] = ["number", "int"];

function describeBound(
  word: string,
  origin: string,
  bound: number | bigint,
  { exact, inclusive }: { readonly exact?: boolean | undefined; readonly inclusive?: boolean | undefined },
): string | undefined {
  if (exact || !inclusive) return undefined;
  const unit = UNITS[origin];
  if (unit === undefined) return NUMBERS.includes(origin) ? `must be ${word} ${bound}` : undefined;
  return `must hold ${word} ${bound}${bound === 1 ? unit.slice(0, -1) : unit}`;
}
