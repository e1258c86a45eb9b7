import type { JsonObject } from "../../core/json.ts";
import type { Filter } from "./documents.ts";
import type { ServerQuery } from "./mongo-actions.ts";
import { joinAll, type ObjectIdOf, toServerFilter } from "./mongo-filters.ts";
import { readDemands } from "./plan.ts";

/** A collection as an operation sees it. */
export interface Place {
  readonly name: string;
  /** Fields beside `_id` of which it is known beforehand that no two documents share a value. */
  readonly unique: readonly string[];
  /** Asked for only where an `_id` is compared: a gateway may have to be asked what it reads. */
  readonly objectIds: () => Promise<ObjectIdOf>;
}

/** The filter as the server takes it. */
export async function queryOf(place: Place, filter: Filter): Promise<ServerQuery> {
  return toServerFilter(filter, asksForId(filter) ? await place.objectIds() : null);
}

/** Whether the filter, at any depth, compares `_id`. */
export function asksForId(filter: Filter): boolean {
  return Object.entries(filter).some(
    ([path, value]) =>
      path === "_id" ||
      (path.startsWith("$") && Array.isArray(value) && value.some((part) => asksForId(part as Filter))),
  );
}

/** The document alone, as long as the filter still matches it. */
export async function pinned(place: Place, found: JsonObject, filter: Filter): Promise<ServerQuery> {
  const query = await queryOf(place, filter);
  if (pinsOne(filter, place.unique)) return query;
  return joinAll([await queryOf(place, { _id: found._id ?? null }), query]);
}

/** Whether the filter demands a value that one document can have at most. */
export function pinsOne(filter: Filter, uniqueFields: readonly string[]): boolean {
  return readDemands(filter).conditions.some(
    ({ path, operator, operand }) =>
      operator === "$eq" && typeof operand === "string" && (path === "_id" || uniqueFields.includes(path)),
  );
}

/** Whether the filter asks for one `_id` and nothing else. */
export function isOnlyId(filter: Filter): boolean {
  const { conditions, complete } = readDemands(filter);
  return complete && conditions.length === 1 && conditions[0]?.path === "_id" && conditions[0].operator === "$eq";
}
