import * as z from "zod";
import { describeFieldErrors, type FieldError } from "../../core/errors.ts";
import { isJsonObject, isPrototypeKey, type Json, type JsonObject } from "../../core/json.ts";
import type {
  Collection,
  Documents,
  DuplicateKey,
  FindQuery,
  SharedValues,
  StoredDocument,
} from "../../storage/documents/documents.ts";
import { checkDocument } from "../../storage/documents/operators.ts";
import { uniqueKeyOf, uniqueKeysAt } from "../../storage/documents/unique-keys.ts";
import { compileTemplate, joinPath, type Template } from "../graph/references.ts";
import { DOCUMENT_ID_MAX_CHARS, INPUT_FAULTS_MAX } from "../limits.ts";
import { fail, refuse, type ToolResult } from "../tool.ts";
import { PREVIEW_MAX_DOCUMENTS } from "./db-limits.ts";

/** What no store takes. The document may be the caller's own, so that every name in it is a stranger's. */
export function documentFaults(document: JsonObject): readonly FieldError[] {
  const id = document._id;
  const longId = typeof id === "string" && id.length > DOCUMENT_ID_MAX_CHARS;
  return [
    ...checkDocument(document),
    ...(longId ? [{ path: "_id", message: `at most ${DOCUMENT_ID_MAX_CHARS} characters` }] : []),
    ...prototypeNames(document, ""),
  ];
}

/** `checkDocument` knows `__proto__`; the other two could be stored, but no reference could ever read them. */
export function prototypeNames(value: Json, path: string): readonly FieldError[] {
  if (Array.isArray(value)) return value.flatMap((item: Json, i) => prototypeNames(item, joinPath(path, i)));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = joinPath(path, key);
    const refused = isPrototypeKey(key) && key !== "__proto__";
    const below = prototypeNames(inner, here);
    return refused ? [{ path: here, message: "never the name of a field" }, ...below] : below;
  });
}

export function below(parent: string, faults: readonly FieldError[]): readonly FieldError[] {
  return faults.map(({ path, message }) => ({ path: path === "" ? parent : joinPath(parent, path), message }));
}

/** For descriptions of tools with a filter. */
export const NULLS_IN_FILTERS =
  "Null matches documents without the field too: where a reference in `filter` that a field is to be equal to is null, " +
  "the run answers 400; under $eq, $in and the like it is compared.";

const VANISHES = "an optional reference takes its condition with it, so that more would match than is written";

/**
 * References whose condition would vanish with their value, so that more matches than the author meant, up to
 * everything. For filters of what changes or deletes. Faults are at `path`: those at a reference itself are put off
 * until its value is known.
 */
export function vanishingConditions(filter: Json | undefined, path: string): readonly FieldError[] {
  if (typeof filter !== "object" || filter === null) return [];
  const { template } = compileTemplate(filter);
  return optionalReferences(template).map((text) => ({ path, message: `${text}: ${VANISHES}` }));
}

function optionalReferences(template: Template): readonly string[] {
  switch (template.kind) {
    case "reference":
      return template.reference.optional ? [template.reference.text] : [];
    case "list":
      return template.items.flatMap(optionalReferences);
    case "object":
      return template.entries.flatMap(([, inner]) => optionalReferences(inner));
    default:
      return [];
  }
}

/** Ends the run with 400. */
export function refuseFaults(faults: readonly FieldError[]): ToolResult {
  const errors = faults.slice(0, INPUT_FAULTS_MAX);
  return refuse({ code: "VALIDATION_FAILED", detail: describeFieldErrors(errors), errors });
}

/** Ends the run with 409. `document` is the one that was to be written; null where it is not known. */
export function refuseDuplicate({ fields }: DuplicateKey, document: JsonObject | null): ToolResult {
  const missing = document === null ? [] : fields.filter((field) => isMissing(document, field));
  const same = fields.filter((field) => !missing.includes(field));
  const alike = [
    ...(same.length > 0 || missing.length === 0 ? [`with the same ${same.join(", ") || "unique field"}`] : []),
    ...(missing.length > 0 ? [`without ${missing.join(", ")}`] : []),
  ];
  return refuse({ code: "DUPLICATE", detail: `a document ${alike.join(" and ")} exists already` });
}

/** Where null stands in the place of a value too. */
function isMissing(document: JsonObject, field: string): boolean {
  return [...uniqueKeysAt(document, field)].every((key) => key === uniqueKeyOf(null));
}

/** What is stored stands against the graph, whoever calls it: a failure, and no caller's fault. */
export function failShared({ fields }: SharedValues, collection: string): ToolResult {
  const names = fields.join(", ");
  return fail(
    `unique: ${names} cannot be made unique, because documents in ${collection} have the same ${names} already, or ` +
      `several have none. Change or delete them until no two are alike, or take ${names} out of unique`,
  );
}

/** A dry run looks at PREVIEW_MAX_DOCUMENTS. */
export const uncounted = z
  .literal(true)
  .optional()
  .describe(`Only in a dry run: the counts are of the first ${PREVIEW_MAX_DOCUMENTS} that match, and there are more`);

/** Null where the documents are more than the store hands over at once. */
export async function findWithin(
  documents: Documents,
  collection: Collection,
  query: FindQuery,
): Promise<readonly StoredDocument[] | null> {
  try {
    return await documents.find(collection, query);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
