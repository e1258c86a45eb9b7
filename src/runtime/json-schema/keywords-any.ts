import type { Json, JsonObject } from "../../core/json.ts";
import { createMembership } from "./equality.ts";
import { addMarks, createMarks, type Marks } from "./marks.ts";
import { describe } from "./messages.ts";
import { ANYTHING, assertion, forKeyword, type Make, type Making, type Rule } from "./rule.ts";
import { type Run, report } from "./run.ts";

/** Keywords that say something about values of every type, in the order in which faults are told. */
export const ANY_KEYWORDS: readonly Make[] = [
  forKeyword<string>("$ref", (ref, { ruleAt }) => [ruleAt(ref)]),
  forKeyword<string | readonly string[]>("type", (types) => [makeType(types)]),
  forKeyword("const", (value) => [assertion("const", value, createMembership([value]))]),
  forKeyword<readonly Json[]>("enum", (values) => [assertion("enum", values, createMembership(values))]),
  forKeyword("not", (schema, { ruleOf }) => [makeNot(ruleOf(schema))]),
  forKeyword<readonly Json[]>("anyOf", (schemas, { ruleOf }) => [makeAlternatives("anyOf", schemas.map(ruleOf))]),
  forKeyword<readonly Json[]>("allOf", (schemas, { ruleOf }) => schemas.map(ruleOf)),
  forKeyword<readonly Json[]>("oneOf", (schemas, { ruleOf }) => [makeAlternatives("oneOf", schemas.map(ruleOf))]),
  forKeyword("if", (schema, making) => [makeCondition(making.ruleOf(schema), making)]),
];

const TYPE_CHECKS: Readonly<Record<string, (value: Json) => boolean>> = {
  array: Array.isArray,
  boolean: (value) => typeof value === "boolean",
  integer: (value) => typeof value === "number" && value % 1 === 0,
  null: (value) => value === null,
  number: (value) => typeof value === "number",
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  string: (value) => typeof value === "string",
};

function makeType(types: string | readonly string[]): Rule {
  const checks = [...new Set([types].flat())].flatMap((type) => TYPE_CHECKS[type] ?? []);
  const [only] = checks;
  if (checks.length === 1 && only !== undefined) return assertion("type", types, only);
  return assertion("type", types, (value) => checks.some((check) => check(value)));
}

function makeNot(rule: Rule): Rule {
  return assertion("not", undefined, (value, run) => !rule.check(value, run));
}

/** `anyOf`, or `oneOf`, of which one is to be valid and no second one. */
function makeAlternatives(keyword: "anyOf" | "oneOf", rules: readonly Rule[]): Rule {
  const enough = keyword === "anyOf" ? 1 : 2;
  const check = (value: Json, run: Run) => {
    let valid = 0;
    for (const rule of rules) {
      if (rule.check(value, run)) valid += 1;
      if (valid === enough) break;
    }
    return valid === 1;
  };
  return {
    check,
    collect(value, run, marks) {
      const valid = rules.filter((rule) => collectApart(rule, value, run, marks)).length;
      return keyword === "anyOf" ? valid > 0 : valid === 1;
    },
    explain(value, place, run) {
      if (!check(value, run)) report(run, place, describe(keyword, undefined));
    },
  };
}

/** Marks count only where the whole of the rule is valid. */
function collectApart(rule: Rule, value: Json, run: Run, marks: Marks): boolean {
  const own = createMarks(run);
  const isValid = rule.collect(value, run, own);
  if (isValid) addMarks(marks, own, run);
  return isValid;
}

function makeCondition(condition: Rule, { node, ruleOf }: Making): Rule {
  const { then: whenValid, else: otherwise } = node;
  const following = whenValid === undefined ? ANYTHING : ruleOf(whenValid);
  const instead = otherwise === undefined ? ANYTHING : ruleOf(otherwise);
  const isMoot = following === ANYTHING && instead === ANYTHING;
  return {
    check: (value, run) => isMoot || (condition.check(value, run) ? following : instead).check(value, run),
    collect(value, run, marks) {
      const isValid = collectApart(condition, value, run, marks);
      return (isValid ? following : instead).collect(value, run, marks);
    },
    explain(value, place, run) {
      if (!isMoot) (condition.check(value, run) ? following : instead).explain(value, place, run);
    },
  };
}

/** The keyword `dependentSchemas`: of objects, but applied to the same value. */
export function makeDependentSchemas(schemas: JsonObject, { ruleOf }: Making): readonly Rule[] {
  return Object.entries(schemas).map(([key, schema]) => {
    const rule = ruleOf(schema);
    const ruleFor = (value: Json) => (Object.hasOwn(value as JsonObject, key) ? rule : ANYTHING);
    return {
      check: (value, run) => ruleFor(value).check(value, run),
      collect: (value, run, marks) => ruleFor(value).collect(value, run, marks),
      explain: (value, place, run) => ruleFor(value).explain(value, place, run),
    };
  });
}
