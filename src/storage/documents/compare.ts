import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import type { Sort } from "./documents.ts";
import { eachIndexedValue, isList } from "./paths.ts";
import { createWork, stepsOf, type Work } from "./work.ts";

/** MongoDB's order of types; a missing field counts as null. */
const RANKS = { null: 1, number: 2, string: 3, object: 4, array: 5, boolean: 6 } as const;

/** An empty list sorts before null. */
const EMPTY_LIST_RANK = 0;

export function typeRank(value: Json | undefined): number {
  if (value === null || value === undefined) return RANKS.null;
  if (typeof value === "number") return RANKS.number;
  if (typeof value === "string") return RANKS.string;
  if (typeof value === "boolean") return RANKS.boolean;
  return isList(value) ? RANKS.array : RANKS.object;
}

/** MongoDB's total order: by type, then by value. Fields of objects count in the order in which they stand. */
export function compareValues(a: Json | undefined, b: Json | undefined): number {
  if (a === b) return 0;
  const byType = typeRank(a) - typeRank(b);
  if (byType !== 0) return byType;
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (isList(a) && isList(b)) return compareLists(a, b);
  if (isJsonObject(a) && isJsonObject(b)) return compareObjects(a, b);
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  return 0;
}

/** By code points, as UTF-8 and so MongoDB and SQLite order text; JavaScript's `<` goes by UTF-16 units. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return utf8Rank(x) - utf8Rank(y);
  }
  return a.length - b.length;
}

/** What a document is sorted by: of each key of the sort its value, and the steps that comparing it may take. */
export type SortKeys = readonly { readonly value: Json | undefined; readonly steps: number }[];

export interface Order {
  /** To be read once for each document, which may hold long lists. */
  keysOf(document: JsonObject): SortKeys;
  compare(a: SortKeys, b: SortKeys): number;
}

/** The order that `sort` says; documents equal in all its keys stay as they were. Both throw `TooMuchWork`. */
export function orderOf(sort: Sort, work: Work = createWork()): Order {
  const fields = Object.entries(sort);
  return {
    keysOf: (document) =>
      fields.map(([path, direction]) => {
        const value = sortKey(document, path, direction, work);
        return { value, steps: weightOf(value) };
      }),
    compare(a, b) {
      for (const [i, [, direction]] of fields.entries()) {
        work.spend(Math.max(a[i]?.steps ?? 1, b[i]?.steps ?? 1));
        const order = compareKeys(a[i]?.value, b[i]?.value);
        if (order !== 0) return order * direction;
      }
      return 0;
    },
  };
}

/** Comparing objects and lists lists all their fields first, which takes longer than their text. */
const CONTAINER_FACTOR = 4;

/** The steps that comparing with the value takes at most. */
export function weightOf(value: Json | undefined): number {
  if (typeof value === "string") return stepsOf(value.length);
  return typeof value === "object" && value !== null ? stepsOf(JSON.stringify(value).length * CONTAINER_FACTOR) : 1;
}

/** Surrogates stand for code points above all others, but below U+E000 in UTF-16. */
function utf8Rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

function compareLists(a: readonly Json[], b: readonly Json[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareValues(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareObjects(a: JsonObject, b: JsonObject): number {
  const left = Object.entries(a);
  const right = Object.entries(b);
  for (const [i, [name, value]] of left.entries()) {
    const other = right[i];
    if (other === undefined) return 1;
    const order = typeRank(value) - typeRank(other[1]) || compareText(name, other[0]) || compareValues(value, other[1]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Of a list its least element counts going up, and its greatest going down. */
function sortKey(document: JsonObject, path: string, direction: 1 | -1, work: Work): Json | undefined {
  let best: Json | undefined;
  let bestSteps = 0;
  const take = (value: Json | undefined) => {
    const steps = weightOf(value);
    work.spend(Math.max(steps, bestSteps));
    if (bestSteps > 0 && compareKeys(value, best) * direction >= 0) return;
    best = value;
    bestSteps = steps;
  };
  eachIndexedValue(document, path, take, work);
  return best;
}

function compareKeys(a: Json | undefined, b: Json | undefined): number {
  return keyRank(a) - keyRank(b) || compareValues(a, b);
}

function keyRank(value: Json | undefined): number {
  return isList(value) && value.length === 0 ? EMPTY_LIST_RANK : typeRank(value);
}
