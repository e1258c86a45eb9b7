import * as z from "zod";
import { describeFieldErrors, type FieldError } from "../../core/errors.ts";
import { isJsonObject, isPrototypeKey, type Json, type JsonObject } from "../../core/json.ts";
import { ownedData } from "../../storage/documents/collections.ts";
import { checkDocument } from "../../storage/documents/operators.ts";
import { collectionName, fieldPaths, object } from "../config-schemas.ts";
import { fieldAt, passesList, withField, withoutFields } from "../fields.ts";
import { joinPath } from "../graph/references.ts";
import { DOCUMENT_ID_MAX_CHARS, INPUT_FAULTS_MAX, PASSWORD_MAX_CHARS } from "../limits.ts";
import { defineTool, output, refuse, type StepContext } from "../tool.ts";

export const dbInsertTool = defineTool({
  name: "dbInsert",
  description:
    "Stores a document in a collection of the agent's owner. Fields of `unique` are shared by no two documents: a " +
    "duplicate makes the run answer 409. Fields of `hash` are stored as scrypt hashes, those of `hide` not returned.",
  config: z.strictObject({
    collection: collectionName,
    document: object,
    unique: fieldPaths.optional(),
    hash: fieldPaths.optional(),
    hide: fieldPaths.optional(),
  }),
  output: z.looseObject({ _id: z.string() }),
  check: (config) => [...namesInDocument(config.document), ...hashedUniques(config)],
  async run({ collection, document, unique = [], hash = [], hide = [] }, context) {
    const faults = [...documentFaults(document), ...hash.flatMap((path) => passwordFaults(document, path))];
    if (faults.length > 0) return badDocument(faults.slice(0, INPUT_FAULTS_MAX));
    const hashed = await hashFields(document, hash, context);
    const stored = await context.services.documents.insertOne(ownedData(context.ownerId, collection), hashed, {
      unique,
    });
    if (stored.ok) return output(withoutFields(stored.value, hide));
    return refuse({ code: "DUPLICATE", detail: describeDuplicate(stored.error.fields) });
  },
});

function badDocument(errors: readonly FieldError[]) {
  return refuse({ code: "VALIDATION_FAILED", detail: describeFieldErrors(errors), errors });
}

function describeDuplicate(fields: readonly string[]): string {
  return `a document with the same ${fields.join(", ") || "unique field"} exists already`;
}

/** What no store takes. The document may be the caller's own, so that every name in it is a stranger's. */
function documentFaults(document: JsonObject): readonly FieldError[] {
  const id = document._id;
  const longId = typeof id === "string" && id.length > DOCUMENT_ID_MAX_CHARS;
  return [
    ...checkDocument(document),
    ...(longId ? [{ path: "_id", message: `at most ${DOCUMENT_ID_MAX_CHARS} characters` }] : []),
    ...prototypeNames(document, ""),
  ];
}

/** `checkDocument` knows `__proto__`; the other two could be stored, but no reference could ever read them. */
function prototypeNames(value: Json, path: string): readonly FieldError[] {
  if (Array.isArray(value)) return value.flatMap((item: Json, i) => prototypeNames(item, joinPath(path, i)));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = joinPath(path, key);
    const refused = isPrototypeKey(key) && key !== "__proto__";
    const below = prototypeNames(inner, here);
    return refused ? [{ path: here, message: "never the name of a field" }, ...below] : below;
  });
}

function passwordFaults(document: JsonObject, path: string): readonly FieldError[] {
  // Left alone it would be stored as it is.
  if (passesList(document, path)) return [{ path, message: "fields inside lists cannot be hashed" }];
  const value = fieldAt(document, path);
  if (value === undefined || value === null) return [];
  if (typeof value !== "string") return [{ path, message: "a text is needed" }];
  if (value.length > PASSWORD_MAX_CHARS) return [{ path, message: `at most ${PASSWORD_MAX_CHARS} characters` }];
  return [];
}

async function hashFields(document: JsonObject, paths: readonly string[], context: StepContext): Promise<JsonObject> {
  let hashed = document;
  for (const path of new Set(paths)) {
    const value = fieldAt(document, path);
    if (typeof value !== "string") continue;
    hashed = withField(hashed, path, await context.services.passwords.hash(value, context.signal));
  }
  return hashed;
}

/** Names that the author wrote. A document that is a reference as a whole shows its names only in a run. */
function namesInDocument(document: Json | undefined): readonly FieldError[] {
  if (!isJsonObject(document)) return [];
  // An `_id` that is a reference is a text here like any other.
  return documentFaults(document).map(({ path, message }) => ({ path: joinPath("document", path), message }));
}

function hashedUniques(config: JsonObject): readonly FieldError[] {
  const fields = listOf(config.unique);
  const hashed = listOf(config.hash);
  return fields.flatMap((field, i) =>
    hashed.includes(field)
      ? [{ path: `unique.${i}`, message: "a hashed field is never equal to another: every hash has its own salt" }]
      : [],
  );
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
