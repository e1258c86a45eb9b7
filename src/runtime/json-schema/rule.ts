import type { Json, JsonObject } from "../../core/json.ts";
import type { Marks } from "./marks.ts";
import { describe } from "./messages.ts";
import type { Pattern } from "./patterns/pattern.ts";
import { type Place, type Run, report } from "./run.ts";

/** A schema or a keyword of one, ready to be applied to values. Everything it does is spent from the run's budget. */
export interface Rule {
  check(value: Json, run: Run): boolean;
  /** `check` that goes on to the end and marks what it looked at; marks mean nothing where the value is not valid. */
  collect(value: Json, run: Run, marks: Marks): boolean;
  /** Reports every fault of the value, and nothing where it is valid. */
  explain(value: Json, place: Place | null, run: Run): void;
}

/** What keywords are made with. */
export interface Making {
  /** The keywords of the schema that is being made. */
  readonly node: JsonObject;
  ruleOf(schema: Json): Rule;
  /** Of a reference that is known to have a target. */
  ruleAt(ref: string): Rule;
  patternOf(text: string): Pattern;
}

/** Makes the rules of one keyword or of some that belong together; none where the schema has none of them. */
export type Make = (making: Making) => readonly Rule[];

export const ANYTHING: Rule = { check: () => true, collect: () => true, explain: () => undefined };

export const NOTHING: Rule = {
  check: () => false,
  collect: () => false,
  explain: (_value, place, run) => report(run, place, describe("false", undefined)),
};

/** A keyword that says one thing about a value as a whole, and nothing of what is in it. */
export function assertion(keyword: string, told: Json | undefined, check: (value: Json, run: Run) => boolean): Rule {
  let message: string | null = null;
  return {
    check,
    collect: check,
    explain(value, place, run) {
      if (check(value, run)) return;
      message ??= describe(keyword, told);
      report(run, place, message);
    },
  };
}

/** Makes the rule of a keyword where the schema has it. */
export function forKeyword<T extends Json>(keyword: string, make: (value: T, making: Making) => readonly Rule[]): Make {
  return (making) => {
    const value = making.node[keyword];
    return value === undefined ? [] : make(value as T, making);
  };
}
