import * as z from "zod";
import type { FieldError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import { ok, type Result } from "../../core/result.ts";
import { ownedData } from "../../storage/documents/collections.ts";
import type { Collection, Documents } from "../../storage/documents/documents.ts";
import { collectionName, fieldPaths, object } from "../config-schemas.ts";
import { fieldAt, passesList, withField, withoutFields } from "../fields.ts";
import { HASH_MAX_FIELDS, PASSWORD_MAX_CHARS } from "../limits.ts";
import { TOO_MANY_PASSWORDS } from "../passwords/too-many.ts";
import { defineTool, output, refuse, type StepContext } from "../tool.ts";
import { below, documentFaults, failShared, refuseDuplicate, refuseFaults } from "./db-checks.ts";
import { DRY_RUN_VALUE } from "./db-limits.ts";
import { findDuplicate, findShared } from "./db-preview.ts";

export const dbInsertTool = defineTool({
  name: "dbInsert",
  description:
    "Stores a document in a collection of the agent's owner. Fields of `unique` are shared by no two documents: a " +
    "duplicate makes the run answer 409. A missing field counts as null, which is a value too: of documents without it " +
    "the collection takes one. A field once named stays unique for every later write to the collection, by whatever " +
    "step; where documents share a value of it already, the step fails and stores nothing. Fields of `hash`, at " +
    `most ${HASH_MAX_FIELDS}, are stored as scrypt hashes, those of \`hide\` not returned.`,
  config: z.strictObject({
    collection: collectionName,
    document: object,
    unique: fieldPaths.optional(),
    hash: fieldPaths.max(HASH_MAX_FIELDS, `at most ${HASH_MAX_FIELDS} fields`).optional(),
    hide: fieldPaths.optional(),
  }),
  output: z.looseObject({ _id: z.string() }),
  effect: "write",
  check: (config) => [...namesInDocument(config.document), ...hashedUniques(config)],
  async run({ collection, document, unique = [], hash = [], hide = [] }, context) {
    const faults = insertFaults(document, hash);
    if (faults.length > 0) return refuseFaults(faults);
    const hashing = await hashFields(document, hash, context);
    if (!hashing.ok) return refuse(TOO_MANY_PASSWORDS);
    const hashed = hashing.value;
    const place = ownedData(context.ownerId, collection);
    const stored = await insertFitting(context.services.documents, place, hashed, unique);
    if (stored === null) return refuseFaults([{ path: "document", message: tooLarge(unique) }]);
    if (stored.ok) return output(withoutFields(stored.value, hide));
    return stored.error.kind === "shared_values"
      ? failShared(stored.error, collection)
      : refuseDuplicate(stored.error, hashed);
  },
  async preview({ collection, document, unique = [], hash = [], hide = [] }, { services, ownerId }) {
    const faults = insertFaults(document, hash);
    if (faults.length > 0) return refuseFaults(faults);
    // Nothing is hashed here, and a password is not to be seen all the same.
    const masked = hash.reduce((copy, path) => withField(copy, path, DRY_RUN_VALUE), document);
    const would = { _id: DRY_RUN_VALUE, ...masked };
    const refusal = await findRefusal(services.documents, ownedData(ownerId, collection), { would, document, unique });
    return refusal ?? output(withoutFields(would, hide));
  },
});

/** Where the store's own words may hold a caller's. */
function tooLarge(unique: readonly string[]): string {
  const orCollection = unique.length > 0 ? ", or its collection for a new unique field" : "";
  return `is too large for the store${orCollection}`;
}

/** Null where the store takes no document of this size. */
async function insertFitting(documents: Documents, place: Collection, document: JsonObject, unique: readonly string[]) {
  try {
    return await documents.insertOne(place, document, { unique });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

interface WouldInsert {
  readonly would: JsonObject;
  readonly document: JsonObject;
  readonly unique: readonly string[];
}

/** Why the store would not take the document, as it stands now. */
async function findRefusal(documents: Documents, place: Collection, { would, document, unique }: WouldInsert) {
  const declared = await documents.uniqueFields(place);
  const added = unique.filter((field) => !declared.includes(field));
  const shared = await findShared(documents, place, added);
  if (shared !== null) return failShared(shared, place.name);
  const id = document._id;
  const holdsId = id !== undefined && (await documents.findOne(place, { _id: { $eq: id } })) !== null;
  const found = await findDuplicate(documents, place, [...declared, ...added], [{ before: null, after: would }]);
  const taken = [...(holdsId ? ["_id"] : []), ...(found?.duplicate.fields ?? [])];
  return taken.length === 0 ? null : refuseDuplicate({ kind: "duplicate_key", fields: taken }, would);
}

function insertFaults(document: JsonObject, hash: readonly string[]): readonly FieldError[] {
  return [...documentFaults(document), ...hash.flatMap((path) => passwordFaults(document, path))];
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

async function hashFields(
  document: JsonObject,
  paths: readonly string[],
  { services, signal }: StepContext,
): Promise<Result<JsonObject, "full">> {
  let hashed = document;
  for (const path of new Set(paths)) {
    const value = fieldAt(document, path);
    if (typeof value !== "string") continue;
    const hash = await services.passwords.hash(value, signal);
    if (!hash.ok) return hash;
    hashed = withField(hashed, path, hash.value);
  }
  return ok(hashed);
}

/** Names that the author wrote. A document that is a reference as a whole shows its names only in a run. */
function namesInDocument(document: Json | undefined): readonly FieldError[] {
  // An `_id` that is a reference is a text here like any other.
  return isJsonObject(document) ? below("document", documentFaults(document)) : [];
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
