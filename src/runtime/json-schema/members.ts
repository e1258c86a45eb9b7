import type { Json, JsonObject } from "../../core/json.ts";
import { spend } from "./budget.ts";
import type { Marks } from "./marks.ts";
import type { Pattern } from "./patterns/pattern.ts";
import type { Making, Rule } from "./rule.ts";
import { keysOf, type Place, type Run } from "./run.ts";

/** `properties`, `patternProperties` and `additionalProperties`, which depend on each other. */
interface Members {
  readonly named: readonly (readonly [key: string, rule: Rule])[];
  readonly patterns: readonly (readonly [pattern: Pattern, rule: Rule])[];
  readonly additional: Rule | null;
  readonly names: ReadonlySet<string>;
}

type Visit = (rule: Rule, value: Json, key: string) => boolean;

export function makeMembers({ node, ruleOf, patternOf }: Making): readonly Rule[] {
  const { properties, patternProperties, additionalProperties } = node;
  const named = Object.entries((properties ?? {}) as JsonObject).map(([key, schema]) => [key, ruleOf(schema)] as const);
  const members: Members = {
    named,
    patterns: Object.entries((patternProperties ?? {}) as JsonObject).map(
      ([pattern, schema]) => [patternOf(pattern), ruleOf(schema)] as const,
    ),
    additional: additionalProperties === undefined ? null : ruleOf(additionalProperties),
    names: new Set(named.map(([key]) => key)),
  };
  if (named.length === 0 && members.patterns.length === 0 && members.additional === null) return [];
  return [createRule(members)];
}

function createRule(members: Members): Rule {
  return {
    check: (value, run) => visit(members, value as JsonObject, run, (rule, inner) => rule.check(inner, run)),
    collect(value, run, marks) {
      let isValid = true;
      visit(members, value as JsonObject, run, (rule, inner, key) => {
        mark(marks, key, run);
        isValid = rule.check(inner, run) && isValid;
        return true;
      });
      return isValid;
    },
    explain(value, place, run) {
      visit(members, value as JsonObject, run, (rule, inner, key) => {
        rule.explain(inner, placeIn(place, key), run);
        return true;
      });
    },
  };
}

function mark(marks: Marks, key: string, run: Run): void {
  spend(run, 1);
  marks.keys.add(key);
}

export function placeIn(parent: Place | null, key: string | number): Place {
  return { parent, key };
}

/** Goes over everything that the keywords apply a schema to, until the visitor says false. */
function visit(members: Members, object: JsonObject, run: Run, visitor: Visit): boolean {
  const { named, patterns, additional } = members;
  spend(run, named.length);
  for (const [key, rule] of named) {
    if (!Object.hasOwn(object, key)) continue;
    const inner = object[key];
    if (inner !== undefined && !visitor(rule, inner, key)) return false;
  }
  if (patterns.length === 0 && additional === null) return true;
  return visitOthers(members, object, run, visitor);
}

function visitOthers(members: Members, object: JsonObject, run: Run, visitor: Visit): boolean {
  const { names, patterns, additional } = members;
  const keys = keysOf(object, run);
  const matched = patterns.length === 0 ? null : new Set<string>();
  if (matched !== null && !visitMatches(members, { object, keys, matched }, run, visitor)) return false;
  if (additional === null) return true;
  for (const key of keys) {
    if (names.has(key) || matched?.has(key) === true) continue;
    const inner = object[key];
    if (inner !== undefined && !visitor(additional, inner, key)) return false;
  }
  return true;
}

function visitMatches(
  { patterns }: Members,
  given: { readonly object: JsonObject; readonly keys: readonly string[]; readonly matched: Set<string> },
  run: Run,
  visitor: Visit,
): boolean {
  const { object, keys, matched } = given;
  for (const [pattern, rule] of patterns) {
    spend(run, keys.length);
    for (const key of keys) {
      if (!pattern(key, run)) continue;
      matched.add(key);
      const inner = object[key];
      if (inner !== undefined && !visitor(rule, inner, key)) return false;
    }
  }
  return true;
}
