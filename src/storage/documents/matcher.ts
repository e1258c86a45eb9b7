import type { Json, JsonObject } from "../../core/json.ts";
import { compareValues, typeRank } from "./compare.ts";
import type { Filter } from "./documents.ts";
import { isList, someValueAt } from "./paths.ts";

type Matches = (document: JsonObject) => boolean;

/** Compiles filters that passed `checkFilter`. */
export type CompileFilter = (filter: Filter) => Matches;

let loaded: CompileFilter | undefined;

/**
 * Loads mingo at the first filter that needs it. mingo reads the filter and joins its parts; the comparisons are ours,
 * since mingo's own depart from MongoDB's on lists below dotted paths, missing fields, lists in `$in` and text order.
 */
export async function loadFilterCompiler(): Promise<CompileFilter> {
  if (loaded !== undefined) return loaded;
  const [{ Query }, { Context }, { $and, $or }] = await Promise.all([
    import("mingo/query"),
    import("mingo/core"),
    import("mingo/operators/query/logical"),
  ]);
  const context = Context.init({ query: { $and, $or, ...comparisons } });
  loaded = (filter) => {
    const query = new Query(filter, { context });
    return (document) => query.test(document);
  };
  return loaded;
}

type Compile = (path: string, operand: Json) => Matches;

/** Each operator as MongoDB's server reads it, over all values that a path reaches. */
const comparisons: Readonly<Record<`$${string}`, Compile>> = {
  $eq: (path, operand) => some(path, (value) => compareValues(value, operand) === 0),
  $ne: (path, operand) => none(path, (value) => compareValues(value, operand) === 0),
  $in: (path, operand) => some(path, isOneOf(operand)),
  $nin: (path, operand) => none(path, isOneOf(operand)),
  $gt: (path, operand) => some(path, (value) => sameType(value, operand) && compareValues(value, operand) > 0),
  $gte: (path, operand) => some(path, (value) => sameType(value, operand) && compareValues(value, operand) >= 0),
  $lt: (path, operand) => some(path, (value) => sameType(value, operand) && compareValues(value, operand) < 0),
  $lte: (path, operand) => some(path, (value) => sameType(value, operand) && compareValues(value, operand) <= 0),
  $exists: (path, wanted) => (document) => someValueAt(document, path, (value) => value !== undefined) === wanted,
};

function some(path: string, test: (value: Json | undefined) => boolean): Matches {
  return (document) => someValueAt(document, path, test);
}

function none(path: string, test: (value: Json | undefined) => boolean): Matches {
  return (document) => !someValueAt(document, path, test);
}

function isOneOf(operand: Json): (value: Json | undefined) => boolean {
  const choices = isList(operand) ? operand : [];
  return (value) => choices.some((choice) => compareValues(value, choice) === 0);
}

function sameType(a: Json | undefined, b: Json): boolean {
  return typeRank(a) === typeRank(b);
}
