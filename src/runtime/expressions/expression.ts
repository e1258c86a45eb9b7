import type { Json } from "../../core/json.ts";
import type { Result } from "../../core/result.ts";
import type { Scope } from "../graph/references.ts";
import type { RunWork } from "../run-work.ts";

/** A CEL expression that was found right. Kept with the plan; holds nothing of a run. */
export interface Expression {
  readonly text: string;
  /** Names at the beginning of paths: steps, `request`, `run` and the like. Without those that a macro binds. */
  readonly roots: readonly string[];
  /**
   * The value as JSON. The error is a sentence for the graph's author, without a value in it: no such field, a type that
   * does not fit, too much work, too large a value. What it takes is taken of `work`, and it ends where nothing is left.
   */
  evaluate(scope: Scope, work: RunWork): Result<Json, string>;
}

/** Makes expressions. Loaded at first use: see `load-expressions.ts`. */
export interface Expressions {
  /** The error is a sentence for the author, with the place in the text. */
  compile(text: string): Result<Expression, string>;
}
