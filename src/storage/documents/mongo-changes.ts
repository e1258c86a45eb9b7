import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { applyUpdate, UpdateMisfit } from "./apply-update.ts";
import type { Filter, StoredDocument, Update } from "./documents.ts";
import { loadFilterCompiler } from "./matcher.ts";
import { RefusedFault, type ServerQuery } from "./mongo-actions.ts";
import { joinAll } from "./mongo-filters.ts";
import { demandedId, makeUpsert, refuseFaults } from "./upsert.ts";

/** What to write into a match. */
export type Wanted =
  | { readonly kind: "update"; readonly update: Update }
  | { readonly kind: "replace"; readonly replacement: JsonObject };

/** The top-level fields that differ, and the update that makes one document the other. */
export function differences(before: JsonObject, after: JsonObject): { update: Update; names: readonly string[] } {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => name !== "_id" && JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  const [kept, gone] = [
    names.filter((name) => Object.hasOwn(after, name)),
    names.filter((name) => !Object.hasOwn(after, name)),
  ];
  const update: Record<string, JsonObject> = {};
  if (kept.length > 0) update.$set = Object.fromEntries(kept.map((name) => [name, after[name] ?? null]));
  if (gone.length > 0) update.$unset = Object.fromEntries(gone.map((name) => [name, ""]));
  return { update, names };
}

/** That these fields still are what was read. */
export function unchanged(before: JsonObject, names: readonly string[]): ServerQuery {
  return joinAll(
    names.map((name) =>
      Object.hasOwn(before, name) ? { [name]: { $eq: before[name] } } : { [name]: { $exists: false } },
    ),
  );
}

/**
 * Updates that servers read differently: `$pull` by conditions, which some take for a value, and `$inc` by zero, which
 * some count as a change. They are worked out here.
 */
export function isComputed(wanted: Wanted): boolean {
  if (wanted.kind === "replace") return false;
  const { $pull = {}, $inc = {} } = wanted.update;
  return Object.values($pull as JsonObject).some(isJsonObject) || Object.values($inc as JsonObject).includes(0);
}

export function touches(wanted: Wanted, field: string): boolean {
  if (wanted.kind === "replace") return true;
  const top = field.split(".")[0];
  const paths = Object.values(wanted.update).flatMap((fields) => Object.keys(fields as JsonObject));
  return paths.some((path) => path.split(".")[0] === top);
}

/** @throws RefusedFault */
export function refuseOtherId(found: JsonObject, wanted: Wanted): void {
  if (wanted.kind !== "replace") return;
  const id = wanted.replacement._id;
  if (id !== undefined && id !== found._id) throw new RefusedFault("a replacement keeps the _id");
}

/** @throws RefusedFault */
export async function changed(before: JsonObject, wanted: Wanted): Promise<JsonObject> {
  if (wanted.kind === "replace") return { ...wanted.replacement, _id: before._id ?? null };
  const compile = await loadFilterCompiler();
  return fitting(() => applyUpdate(before, wanted.update, false, compile));
}

/** @throws RefusedFault */
export async function upserted(filter: Filter, wanted: Wanted, newId: string): Promise<StoredDocument> {
  const compile = await loadFilterCompiler();
  return fitting(() => {
    if (wanted.kind === "update") return makeUpsert(filter, wanted.update, newId, compile);
    const demanded = demandedId(filter);
    const given = wanted.replacement._id;
    if (demanded !== null && given !== undefined && given !== demanded) {
      throw new UpdateMisfit("_id: the filter and the replacement differ");
    }
    return refuseFaults({ ...wanted.replacement, _id: given ?? demanded ?? newId });
  }) as StoredDocument;
}

function fitting(make: () => JsonObject): JsonObject {
  try {
    return make();
  } catch (error) {
    throw error instanceof UpdateMisfit ? new RefusedFault(error.message) : error;
  }
}
