import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import type { Filter } from "./documents.ts";
import type { ServerQuery } from "./mongo-actions.ts";
import { isObjectIdText, isRangeOperator, objectIdRange, type RangeOperator } from "./mongo-ids.ts";
import { holdsOperators } from "./operators.ts";

/** Makes an ObjectId of its hex text; null where the server or the collection has none. */
export type ObjectIdOf = ((hex: string) => unknown) | null;

/** What no document matches, and what every document does. */
const NOTHING: ServerQuery = { _id: { $in: [] } };
const EVERYTHING: ServerQuery = {};

/**
 * A checked filter as a MongoDB server takes it, with the same meaning. A value to compare with is never read as
 * anything else: no stored document holds a name with `$`, so an operand that does (an operator, or a type of Extended
 * JSON, in a value that a stranger sent) equals nothing, and that is decided here.
 */
export function toServerFilter(filter: Filter, objectIdOf: ObjectIdOf): ServerQuery {
  return joinAll(Object.entries(filter).flatMap(([path, value]) => partsOf(path, value, objectIdOf)));
}

/** All of the queries at once, as one object where no path stands in two of them. */
export function joinAll(parts: readonly ServerQuery[]): ServerQuery {
  const asked = parts.filter((part) => part !== EVERYTHING && Object.keys(part).length > 0);
  const [only] = asked;
  if (only === undefined) return EVERYTHING;
  const names = asked.flatMap((part) => Object.keys(part));
  if (asked.length === 1) return only;
  return new Set(names).size === names.length ? Object.assign({}, ...asked) : { $and: asked };
}

function partsOf(path: string, value: Json, objectIdOf: ObjectIdOf): readonly ServerQuery[] {
  if ((path === "$and" || path === "$or") && Array.isArray(value)) {
    const branches = value.filter(isJsonObject).map((branch) => toServerFilter(branch, objectIdOf));
    return [{ [path]: branches }];
  }
  const conditions = holdsOperators(value) ? Object.entries(value) : [["$eq", value] as const];
  return conditions.map(([operator, operand]) => toCondition(path.toWellFormed(), operator, operand, objectIdOf));
}

function toCondition(path: string, operator: string, operand: Json, objectIdOf: ObjectIdOf): ServerQuery {
  switch (operator) {
    case "$eq":
      return equality(path, [operand], "$in", objectIdOf);
    case "$ne":
      return equality(path, [operand], "$nin", objectIdOf);
    case "$in":
    case "$nin":
      return equality(path, Array.isArray(operand) ? operand : [], operator, objectIdOf);
    case "$exists":
      return { [path]: { $exists: operand } };
    default:
      return isRangeOperator(operator) ? range(path, operator, operand, objectIdOf) : NOTHING;
  }
}

function equality(
  path: string,
  operands: readonly Json[],
  operator: "$in" | "$nin",
  objectIdOf: ObjectIdOf,
): ServerQuery {
  const values: unknown[] = operands.filter(isStorable);
  if (path === "_id" && objectIdOf !== null) values.push(...operands.filter(isObjectIdText).map(objectIdOf));
  if (values.length === 0) return operator === "$in" ? NOTHING : EVERYTHING;
  const [only] = values;
  if (values.length > 1) return { [path]: { [operator]: values } };
  if (operator === "$nin") return { [path]: { $ne: only } };
  return { [path]: typeof only === "object" && only !== null ? { $eq: only } : only };
}

function range(path: string, operator: RangeOperator, operand: Json, objectIdOf: ObjectIdOf): ServerQuery {
  if (!isStorable(operand)) {
    if (typeof operand !== "string") return NOTHING;
    return { [path]: { [operator]: operand.toWellFormed() } };
  }
  const asIs = { [path]: { [operator]: operand } };
  if (path !== "_id" || objectIdOf === null || typeof operand !== "string") return asIs;
  const among = objectIdRange(operator, operand);
  if (among === "none") return asIs;
  const objectIds = among === "all" ? { $type: "objectId" } : { [among.operator]: objectIdOf(among.hex) };
  return { $or: [asIs, { _id: objectIds }] };
}

/** Whether a document could hold the value: what could not equals none. */
function isStorable(value: Json): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.every(isStorable);
  return Object.entries(value as JsonObject).every(([name, inner]) => isStorableName(name) && isStorable(inner));
}

function isStorableName(name: string): boolean {
  return !name.startsWith("$") && !name.includes("\0") && name.isWellFormed();
}
