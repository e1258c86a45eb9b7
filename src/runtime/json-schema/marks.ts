import { type Budget, spend } from "./budget.ts";
import { MARKS_WORK } from "./limits.ts";

/** The properties or items of one value that schemas looked at, for `unevaluatedProperties` and `unevaluatedItems`. */
export interface Marks {
  hasAll: boolean;
  /** Items before this index. */
  items: number;
  readonly keys: Set<string | number>;
}

export function createMarks(budget: Budget): Marks {
  spend(budget, MARKS_WORK);
  return { hasAll: false, items: 0, keys: new Set() };
}

export function isMarked(marks: Marks, key: string | number): boolean {
  return marks.hasAll || (typeof key === "number" && key < marks.items) || marks.keys.has(key);
}

export function addMarks(marks: Marks, { hasAll, items, keys }: Marks, budget: Budget): void {
  marks.hasAll ||= hasAll;
  marks.items = Math.max(marks.items, items);
  spend(budget, keys.size);
  for (const key of keys) marks.keys.add(key);
}
