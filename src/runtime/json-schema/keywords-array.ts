import type { Json } from "../../core/json.ts";
import { spend } from "./budget.ts";
import { hasTwice } from "./equality.ts";
import { placeIn } from "./members.ts";
import { describe } from "./messages.ts";
import { assertion, forKeyword, type Make, type Making, type Rule } from "./rule.ts";
import { type Run, report } from "./run.ts";

type Items = readonly Json[];

/** Keywords of lists, in the order in which faults are told; all but `unevaluatedItems`. */
export const ARRAY_KEYWORDS: readonly Make[] = [
  forKeyword<number>("maxItems", (max) => [assertion("maxItems", max, (value) => (value as Items).length <= max)]),
  forKeyword<number>("minItems", (min) => [assertion("minItems", min, (value) => (value as Items).length >= min)]),
  makeItems,
  forKeyword("contains", (schema, making) => [makeContains(making.ruleOf(schema), making)]),
  forKeyword<boolean>("uniqueItems", (isOn) =>
    isOn ? [assertion("uniqueItems", true, (value, run) => !hasTwice(value as Items, run))] : [],
  ),
];

/** `prefixItems`, and `items` for the rest. */
function makeItems({ node, ruleOf }: Making): readonly Rule[] {
  const prefix = ((node.prefixItems ?? []) as Items).map(ruleOf);
  const rest = node.items === undefined ? null : ruleOf(node.items);
  if (prefix.length === 0 && rest === null) return [];
  const countIn = (items: Items) => (rest === null ? Math.min(prefix.length, items.length) : items.length);
  const check = (value: Json, run: Run) => {
    const items = value as Items;
    const end = countIn(items);
    spend(run, end);
    for (let i = 0; i < end; i++) {
      const rule = prefix[i] ?? rest;
      const item = items[i];
      if (item !== undefined && rule !== null && !rule.check(item, run)) return false;
    }
    return true;
  };
  return [
    {
      check,
      collect(value, run, marks) {
        marks.items = Math.max(marks.items, countIn(value as Items));
        return check(value, run);
      },
      explain(value, place, run) {
        const items = value as Items;
        const end = countIn(items);
        spend(run, 2 * end);
        for (let i = 0; i < end; i++) {
          const item = items[i];
          if (item !== undefined) (prefix[i] ?? rest)?.explain(item, placeIn(place, i), run);
        }
      },
    },
  ];
}

/** With `minContains` and `maxContains`, which mean nothing alone. */
function makeContains(rule: Rule, { node }: Making): Rule {
  const { minContains, maxContains } = node as { readonly minContains?: number; readonly maxContains?: number };
  const faultOf = (contained: number) => {
    if (contained < (minContains ?? 1)) return minContains === undefined ? "contains" : "minContains";
    return maxContains !== undefined && contained > maxContains ? "maxContains" : null;
  };
  const faultIn = (value: Json, run: Run) => {
    spend(run, (value as Items).length);
    return faultOf((value as Items).filter((item) => rule.check(item, run)).length);
  };
  return {
    check: (value, run) => faultIn(value, run) === null,
    collect(value, run, marks) {
      const items = value as Items;
      spend(run, 2 * items.length);
      const contained = items.flatMap((item, i) => (rule.check(item, run) ? [i] : []));
      for (const index of contained) marks.keys.add(index);
      return faultOf(contained.length) === null;
    },
    explain(value, place, run) {
      const fault = faultIn(value, run);
      if (fault !== null) report(run, place, describe(fault, undefined));
    },
  };
}
