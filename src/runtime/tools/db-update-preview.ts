import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { applyUpdate, UpdateMisfit } from "../../storage/documents/apply-update.ts";
import type { Collection, Documents, Filter } from "../../storage/documents/documents.ts";
import { loadFilterCompiler } from "../../storage/documents/matcher.ts";
import { makeUpsert } from "../../storage/documents/upsert.ts";
import { fail, output, type ToolResult } from "../tool.ts";
import { refuseDuplicate } from "./db-checks.ts";
import { DRY_RUN_VALUE } from "./db-limits.ts";
import { findDuplicate, findMatches, topsOf, type Write } from "./db-preview.ts";

/** Where an update and a document do not fit each other: the store's words may hold a caller's. */
export const MISFIT = "the update does not fit a document that it meets";

const TOO_LARGE = "the documents that match are too large together to be looked at in a dry run";

interface Change {
  readonly filter: Filter;
  readonly update: JsonObject;
  readonly many: boolean;
  readonly upsert: boolean;
}

/** What a checked change would come to, tried on copies of the documents as they stand. */
export async function previewUpdate(documents: Documents, place: Collection, change: Change): Promise<ToolResult> {
  const unique = await documents.uniqueFields(place);
  const fields = topsOf([...pathsOf(change.update), ...unique]);
  const found = await findMatches(documents, place, { filter: change.filter, many: change.many, fields });
  if (found === null) return fail(TOO_LARGE);
  const compile = await loadFilterCompiler();
  const isUpsert = change.upsert && found.documents.length === 0;
  try {
    const writes: readonly Write[] = isUpsert
      ? [{ before: null, after: makeUpsert(change.filter, change.update, DRY_RUN_VALUE, compile) }]
      : found.documents.map((before) => ({ before, after: applyUpdate(before, change.update, false, compile) }));
    const refusal = await findRefusal(documents, place, unique, writes);
    if (refusal !== null) return refusal;
    const upsertedId = isUpsert ? (writes[0]?.after._id ?? null) : null;
    return output({
      matchedCount: found.documents.length,
      modifiedCount: isUpsert ? 0 : writes.filter(isModified).length,
      ...(upsertedId === null ? {} : { upsertedId }),
      ...(found.hasMore ? { more: true } : {}),
    });
  } catch (error) {
    if (error instanceof UpdateMisfit) return fail(MISFIT);
    if (error instanceof RangeError) return fail(TOO_LARGE);
    throw error;
  }
}

/** What an update makes of what its filter demands: in unique fields that it writes, as in any match. */
export async function outcomeOf(filter: Filter, update: JsonObject): Promise<JsonObject | null> {
  try {
    return makeUpsert(filter, update, DRY_RUN_VALUE, await loadFilterCompiler());
  } catch (error) {
    if (error instanceof UpdateMisfit || error instanceof RangeError) return null;
    throw error;
  }
}

async function findRefusal(
  documents: Documents,
  place: Collection,
  unique: readonly string[],
  writes: readonly Write[],
): Promise<ToolResult | null> {
  const [first] = writes;
  const newId = first?.before === null ? String(first.after._id) : DRY_RUN_VALUE;
  // A document of this id is there, and the rest of the filter does not match it.
  if (newId !== DRY_RUN_VALUE && (await documents.findOne(place, { _id: newId })) !== null) {
    return refuseDuplicate({ kind: "duplicate_key", fields: ["_id"] }, first?.after ?? null);
  }
  const found = await findDuplicate(documents, place, unique, writes.filter(isModified));
  return found === null ? null : refuseDuplicate(found.duplicate, found.document);
}

function isModified({ before, after }: Write): boolean {
  return JSON.stringify(before) !== JSON.stringify(after);
}

function pathsOf(update: JsonObject): readonly string[] {
  return Object.values(update).flatMap((fields) => (isJsonObject(fields) ? Object.keys(fields) : []));
}
