import type { CharacterSet } from "./characters.ts";

/** Where a position is, said by `^`, `$`, `\b` and `\B`. */
export type Place = "start" | "end" | "edge" | "inside";

/** A regular expression of ECMAScript as read. Groups capture nothing here: all that is asked is whether it matches. */
export type Tree =
  | { readonly kind: "character"; readonly code: number }
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "sequence"; readonly parts: readonly Tree[] }
  | { readonly kind: "choice"; readonly options: readonly Tree[] }
  | { readonly kind: "repeat"; readonly body: Tree; readonly min: number; readonly max: number }
  | { readonly kind: "place"; readonly place: Place }
  | { readonly kind: "look"; readonly behind: boolean; readonly negated: boolean; readonly body: Tree };

export const NOTHING: Tree = { kind: "sequence", parts: [] };

/** States of the pattern with its repetitions written out; may be infinite for numbers that no double holds. */
export function countStates(tree: Tree): number {
  switch (tree.kind) {
    case "character":
    case "set":
    case "place":
      return 1;
    case "sequence":
      return sum(tree.parts);
    case "choice":
      return sum(tree.options) + tree.options.length - 1;
    case "look":
      return countStates(tree.body) + 2;
    case "repeat":
      return countRepeated(tree.body, tree.min, tree.max);
  }
}

function countRepeated(body: Tree, min: number, max: number): number {
  // A body of no states takes its time too when it is written out.
  const once = Math.max(countStates(body), 1);
  if (max === 0) return 0;
  if (max === Number.POSITIVE_INFINITY) return Math.max(min, 1) * once + 1;
  return min * once + (max - min) * (once + 1);
}

function sum(trees: readonly Tree[]): number {
  return trees.reduce((total, tree) => total + countStates(tree), 0);
}
