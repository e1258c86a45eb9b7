import type { Json, JsonObject } from "../../core/json.ts";
import { spend } from "./budget.ts";
import { makeDependentSchemas } from "./keywords-any.ts";
import { makeMembers } from "./members.ts";
import { assertion, forKeyword, type Make, type Rule } from "./rule.ts";
import { keysOf, type Place, type Run, report } from "./run.ts";

/** Keywords of objects, in the order in which faults are told; all but `unevaluatedProperties`. */
export const OBJECT_KEYWORDS: readonly Make[] = [
  forKeyword<readonly string[]>("required", (names) => [makeRequired(names)]),
  forKeyword<number>("minProperties", (min) => [assertion("minProperties", min, (value) => count(value) >= min)]),
  forKeyword<number>("maxProperties", (max) => [assertion("maxProperties", max, (value) => count(value) <= max)]),
  forKeyword("propertyNames", (schema, { ruleOf }) => [makeNames(ruleOf(schema))]),
  forKeyword<{ readonly [key: string]: readonly string[] }>("dependentRequired", (lists) =>
    Object.entries(lists).map(([key, names]) => makeRequired(names, key)),
  ),
  forKeyword("dependentSchemas", makeDependentSchemas),
  makeMembers,
];

function count(value: Json): number {
  return Object.keys(value as JsonObject).length;
}

/** Of objects that have the key, if one is given. */
function makeRequired(names: readonly string[], key?: string): Rule {
  const concerns = (value: Json): value is JsonObject => key === undefined || Object.hasOwn(value as JsonObject, key);
  const check = (value: Json, run: Run) => {
    spend(run, names.length);
    return !concerns(value) || names.every((name) => Object.hasOwn(value, name));
  };
  return {
    check,
    collect: check,
    explain(value, place, run) {
      spend(run, names.length);
      if (!concerns(value)) return;
      for (const name of names) {
        if (!Object.hasOwn(value, name)) reportMissing(name, place, run);
      }
    },
  };
}

function reportMissing(name: string, parent: Place | null, run: Run): void {
  report(run, { parent, key: name }, "is required");
}

function makeNames(rule: Rule): Rule {
  return assertion("propertyNames", undefined, (value, run) => keysOf(value, run).every((key) => rule.check(key, run)));
}
