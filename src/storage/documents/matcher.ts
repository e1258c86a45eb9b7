import type { Json, JsonObject } from "../../core/json.ts";
import { compareValues, typeRank, weightOf } from "./compare.ts";
import type { Filter } from "./documents.ts";
import { isList, someValueAt } from "./paths.ts";
import { uniqueKeyOf } from "./unique-keys.ts";
import { createWork, stepsOf, type Work } from "./work.ts";

export type Matches = (document: JsonObject) => boolean;

/** Compiles filters that passed `checkFilter`. `work` counts what all documents together take; a match may throw. */
export type CompileFilter = (filter: Filter, work?: Work) => Matches;

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
  loaded = (filter, work = createWork()) => {
    const query = new Query(filter, { context: Context.init({ query: { $and, $or, ...comparisonsOn(work) } }) });
    return (document) => query.test(document);
  };
  return loaded;
}

type Compile = (path: string, operand: Json) => Matches;
type Test = (value: Json | undefined) => boolean;

/** Each operator as MongoDB's server reads it, over all values that a path reaches. */
function comparisonsOn(work: Work): Readonly<Record<`$${string}`, Compile>> {
  const some = (path: string, test: Test): Matches => {
    return (document) => someValueAt(document, path, test, work);
  };
  const none = (path: string, test: Test): Matches => {
    return (document) => !someValueAt(document, path, test, work);
  };
  return {
    $eq: (path, operand) => some(path, isOneOf([operand], work)),
    $ne: (path, operand) => none(path, isOneOf([operand], work)),
    $in: (path, operand) => some(path, isOneOf(isList(operand) ? operand : [], work)),
    $nin: (path, operand) => none(path, isOneOf(isList(operand) ? operand : [], work)),
    $gt: (path, operand) =>
      some(
        path,
        isOrdered(operand, (order) => order > 0, work),
      ),
    $gte: (path, operand) =>
      some(
        path,
        isOrdered(operand, (order) => order >= 0, work),
      ),
    $lt: (path, operand) =>
      some(
        path,
        isOrdered(operand, (order) => order < 0, work),
      ),
    $lte: (path, operand) =>
      some(
        path,
        isOrdered(operand, (order) => order <= 0, work),
      ),
    $exists: (path, wanted) => {
      const isThere = some(path, (value) => value !== undefined);
      return (document) => isThere(document) === wanted;
    },
  };
}

/** Whether a value equals one of the choices, in a time that does not grow with their number. */
export function isOneOf(choices: readonly Json[], work: Work): Test {
  const keys = new Set(choices.map(equalityKey));
  const hasContainers = choices.some(isContainer);
  return (value) => {
    if (isContainer(value) && !hasContainers) return false;
    const key = equalityKey(value);
    work.spend(stepsOf(key.length));
    return keys.has(key);
  };
}

/** With a letter before it: the hash of a text of digits alone is foreseeable, and a stranger could choose many alike. */
function equalityKey(value: Json | undefined): string {
  return `=${uniqueKeyOf(value)}`;
}

/** Whether a value is of the operand's type and stands to it in an order that passes. */
function isOrdered(operand: Json, passes: (order: number) => boolean, work: Work): Test {
  const rank = typeRank(operand);
  const steps = weightOf(operand);
  return (value) => {
    if (typeRank(value) !== rank) return false;
    work.spend(typeof value === "string" ? Math.min(steps, stepsOf(value.length)) : steps);
    return passes(compareValues(value, operand));
  };
}

function isContainer(value: Json | undefined): boolean {
  return typeof value === "object" && value !== null;
}
