import type { Json, JsonObject } from "../../core/json.ts";
import { spend } from "./budget.ts";
import { ANY_KEYWORDS } from "./keywords-any.ts";
import { ARRAY_KEYWORDS } from "./keywords-array.ts";
import { OBJECT_KEYWORDS } from "./keywords-object.ts";
import { NUMBER_KEYWORDS, STRING_KEYWORDS } from "./keywords-plain.ts";
import { MEMO_WORK } from "./limits.ts";
import { addMarks, createMarks, isMarked, type Marks } from "./marks.ts";
import { placeIn } from "./members.ts";
import type { Make, Making, Rule } from "./rule.ts";
import { type Container, enter, isContainer, keysOf, type Place, pathOf, type Run } from "./run.ts";

/** The rules of a schema for values of each type, and what it says of the parts that none of them looked at. */
interface Rules {
  readonly ofObject: readonly Rule[];
  readonly ofArray: readonly Rule[];
  readonly ofNumber: readonly Rule[];
  readonly ofString: readonly Rule[];
  readonly ofOther: readonly Rule[];
  readonly unevaluatedProperties: Rule | null;
  readonly unevaluatedItems: Rule | null;
}

/** A schema whose rules are made after it, so that they can refer to each other in circles. */
export interface SchemaRule extends Rule {
  fill(making: Making): void;
}

const NO_RULES: Rules = {
  ...{ ofObject: [], ofArray: [], ofNumber: [], ofString: [], ofOther: [] },
  ...{ unevaluatedProperties: null, unevaluatedItems: null },
};

/**
 * `isShared` where more than one schema applies this one: what it says of a list or an object is remembered then, or
 * schemas that meet again and again on the way down would multiply.
 */
export function createSchemaRule(number: number, isShared: boolean): SchemaRule {
  let rules = NO_RULES;
  const check = (value: Json, run: Run): boolean => {
    const own = rulesFor(rules, value);
    enter(run, 1 + own.length);
    const isValid = isShared && isContainer(value) ? recall(value, run) : evaluate(rules, own, value, run);
    run.nesting -= 1;
    return isValid;
  };
  const recall = (value: Container, run: Run): boolean => {
    spend(run, MEMO_WORK);
    run.verdicts[number] ??= new Map();
    const verdicts = run.verdicts[number];
    const known = verdicts.get(value);
    if (known !== undefined) return known;
    const isValid = evaluate(rules, rulesFor(rules, value), value, run);
    verdicts.set(value, isValid);
    return isValid;
  };
  const collectShared = (value: Container, run: Run, marks: Marks): boolean => {
    spend(run, MEMO_WORK);
    run.annotated[number] ??= new Map();
    const annotated = run.annotated[number];
    const known = annotated.get(value) ?? collectFresh(rules, value, run);
    annotated.set(value, known);
    addMarks(marks, known.marks, run);
    return known.isValid;
  };
  return {
    fill(making) {
      rules = makeRules(making);
    },
    check,
    collect(value, run, marks) {
      enter(run, 1 + rulesFor(rules, value).length);
      const isValid =
        isShared && isContainer(value) ? collectShared(value, run, marks) : collectAll(rules, value, run, marks);
      run.nesting -= 1;
      return isValid;
    },
    explain(value, place, run) {
      if (isShared && (check(value, run) || isExplained(number, place, run))) return;
      const own = rulesFor(rules, value);
      enter(run, 1 + own.length);
      for (const rule of own) rule.explain(value, place, run);
      explainUnevaluated(rules, value, place, run);
      run.nesting -= 1;
    },
  };
}

function makeRules(making: Making): Rules {
  const make = (keywords: readonly Make[]) => keywords.flatMap((keyword) => keyword(making));
  const ofOther = make(ANY_KEYWORDS);
  const { unevaluatedProperties, unevaluatedItems } = making.node;
  return {
    ofOther,
    ofObject: [...ofOther, ...make(OBJECT_KEYWORDS)],
    ofArray: [...ofOther, ...make(ARRAY_KEYWORDS)],
    ofNumber: [...ofOther, ...make(NUMBER_KEYWORDS)],
    ofString: [...ofOther, ...make(STRING_KEYWORDS)],
    unevaluatedProperties: unevaluatedProperties === undefined ? null : making.ruleOf(unevaluatedProperties),
    unevaluatedItems: unevaluatedItems === undefined ? null : making.ruleOf(unevaluatedItems),
  };
}

function rulesFor(rules: Rules, value: Json): readonly Rule[] {
  if (typeof value === "string") return rules.ofString;
  if (typeof value === "number") return rules.ofNumber;
  if (typeof value !== "object" || value === null) return rules.ofOther;
  return Array.isArray(value) ? rules.ofArray : rules.ofObject;
}

function evaluate(rules: Rules, own: readonly Rule[], value: Json, run: Run): boolean {
  if (unevaluatedFor(rules, value) !== null) return collectAll(rules, value, run, createMarks(run));
  for (const rule of own) if (!rule.check(value, run)) return false;
  return true;
}

function unevaluatedFor({ unevaluatedProperties, unevaluatedItems }: Rules, value: Json): Rule | null {
  if (unevaluatedProperties === null && unevaluatedItems === null) return null;
  if (!isContainer(value)) return null;
  return Array.isArray(value) ? unevaluatedItems : unevaluatedProperties;
}

function collectFresh(rules: Rules, value: Json, run: Run) {
  const marks = createMarks(run);
  return { isValid: collectAll(rules, value, run, marks), marks };
}

function collectAll(rules: Rules, value: Json, run: Run, marks: Marks): boolean {
  // What schemas beside this one looked at is not known to it.
  const own = createMarks(run);
  let isValid = collectOwn(rules, value, run, own);
  const unevaluated = unevaluatedFor(rules, value);
  if (unevaluated !== null) {
    isValid = isValid && partsOf(value, own, run).every(([, part]) => unevaluated.check(part, run));
    own.hasAll = true;
  }
  addMarks(marks, own, run);
  return isValid;
}

function collectOwn(rules: Rules, value: Json, run: Run, marks: Marks): boolean {
  let isValid = true;
  for (const rule of rulesFor(rules, value)) isValid = rule.collect(value, run, marks) && isValid;
  return isValid;
}

/** Properties or items that have no mark. */
function partsOf(value: Json, marks: Marks, run: Run): readonly (readonly [key: string | number, part: Json])[] {
  if (marks.hasAll) return [];
  if (Array.isArray(value)) {
    spend(run, value.length);
    return [...(value as readonly Json[]).entries()].filter(([i]) => !isMarked(marks, i));
  }
  return keysOf(value, run).flatMap((key) => {
    const part = (value as JsonObject)[key];
    return part === undefined || isMarked(marks, key) ? [] : [[key, part] as const];
  });
}

function explainUnevaluated(rules: Rules, value: Json, place: Place | null, run: Run): void {
  const unevaluated = unevaluatedFor(rules, value);
  if (unevaluated === null) return;
  const marks = createMarks(run);
  collectOwn(rules, value, run, marks);
  for (const [key, part] of partsOf(value, marks, run)) unevaluated.explain(part, placeIn(place, key), run);
}

function isExplained(number: number, place: Place | null, run: Run): boolean {
  const path = pathOf(place);
  spend(run, MEMO_WORK);
  const key = `${number} ${path}`;
  const isKnown = run.explained.has(key);
  run.explained.add(key);
  return isKnown;
}
