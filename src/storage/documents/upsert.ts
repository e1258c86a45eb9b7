import type { JsonObject } from "../../core/json.ts";
import { applyUpdate, setAtPath, UpdateMisfit } from "./apply-update.ts";
import type { Filter, Update } from "./documents.ts";
import type { CompileFilter } from "./matcher.ts";
import { checkDocument } from "./operators.ts";
import { readDemands } from "./plan.ts";

/** The `_id` that a filter demands by equality, or null. What is no possible `_id` is refused with the document. */
export function demandedId(filter: Filter): string | null {
  const equality = readDemands(filter).conditions.find(({ path, operator }) => path === "_id" && operator === "$eq");
  return equality === undefined ? null : (equality.operand as string);
}

/**
 * The document that an upsert inserts: the equalities of the filter, changed by the update, under `newId` unless the
 * filter demands another.
 * @throws UpdateMisfit where the filter names one path twice, or the outcome is no document.
 */
export function makeUpsert(filter: Filter, update: Update, newId: string, compile: CompileFilter): JsonObject {
  const equalities = readDemands(filter).conditions.filter(({ operator }) => operator === "$eq");
  const document: JsonObject = { _id: newId };
  const seen = new Set<string>();
  for (const { path, operand } of equalities) {
    if (seen.has(path)) throw new UpdateMisfit(`the filter of an upsert names ${path} twice`);
    seen.add(path);
    setAtPath(document, path, operand);
  }
  return refuseFaults(applyUpdate(document, update, true, compile));
}

/** @throws UpdateMisfit naming the first fault. */
export function refuseFaults(document: JsonObject): JsonObject {
  const [first] = checkDocument(document);
  if (first !== undefined) throw new UpdateMisfit(`${first.path}: ${first.message}`);
  return document;
}
