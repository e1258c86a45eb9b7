import type { FieldError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import { checkDocument, checkUpdate } from "../../storage/documents/operators.ts";
import { joinPath } from "../graph/references.ts";
import { DOCUMENT_ID_MAX_CHARS } from "../limits.ts";
import { below, prototypeNames, vanishingConditions } from "./db-checks.ts";

/** Operators whose operands become part of a document. */
const STORING = ["$set", "$setOnInsert", "$push"] as const;

/** A document's only field, where a value is checked as part of one. */
const VALUE = "value";

/** Faults of an update as its author wrote it, beyond those of its operators. Strings may hold references. */
export function authoredFaults(update: Json | undefined): readonly FieldError[] {
  return isJsonObject(update) ? [...storedNames(update), ...pullFaults(update.$pull)] : [];
}

function pullFaults(fields: Json | undefined): readonly FieldError[] {
  if (!isJsonObject(fields)) return [];
  return Object.values(fields).flatMap((operand) => vanishingConditions(operand, "update.$pull"));
}

/**
 * The update without what vanished with its references, or null where nothing is left. Under `$unset` values mean
 * nothing, and a caller's is not passed on.
 */
export function settleUpdate(update: JsonObject): JsonObject | null {
  const left: [string, Json][] = [];
  for (const [operator, fields] of Object.entries(update)) {
    if (!isJsonObject(fields)) left.push([operator, fields]);
    else if (Object.keys(fields).length > 0) left.push([operator, operator === "$unset" ? emptied(fields) : fields]);
  }
  return left.length === 0 ? null : Object.fromEntries(left);
}

function emptied(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.keys(fields).map((path) => [path, ""]));
}

/** Faults of an update whose references are resolved: its values may be the caller's own. */
export function resolvedFaults(update: JsonObject): readonly FieldError[] {
  return [...below("update", checkUpdate(update)), ...storedNames(update)];
}

function storedNames(update: JsonObject): readonly FieldError[] {
  return STORING.flatMap((operator) => {
    const fields = update[operator];
    if (!isJsonObject(fields)) return [];
    return Object.entries(fields).flatMap(([path, value]) => prototypeNames(value, `update.${operator}.${path}`));
  });
}

/** Of the values that an upsert would store because its filter asks for them. */
export function upsertFaults(filter: JsonObject): readonly FieldError[] {
  return equalities(filter).flatMap(([path, value]) => {
    const at = joinPath("filter", path);
    if (path === "_id") return idFaults(value, at);
    const faults = checkDocument({ [VALUE]: value }).map(({ path: inside, message }) => ({
      path: `${at}${inside.slice(VALUE.length)}`,
      message,
    }));
    return [...faults, ...prototypeNames(value, at)];
  });
}

function idFaults(id: Json, path: string): readonly FieldError[] {
  const fits = typeof id === "string" && id !== "" && id.length <= DOCUMENT_ID_MAX_CHARS;
  if (!fits) return [{ path, message: `a text of 1 to ${DOCUMENT_ID_MAX_CHARS} characters is needed` }];
  return id.isWellFormed() ? [] : [{ path, message: "not valid Unicode" }];
}

/** Of a checked filter. */
function equalities(filter: JsonObject): readonly (readonly [string, Json])[] {
  return Object.entries(filter).flatMap(([path, value]) => {
    if (path === "$and" && Array.isArray(value)) return value.filter(isJsonObject).flatMap(equalities);
    if (path.startsWith("$")) return [];
    if (!isJsonObject(value) || !Object.keys(value).some((key) => key.startsWith("$"))) return [[path, value] as const];
    return value.$eq === undefined ? [] : [[path, value.$eq] as const];
  });
}
