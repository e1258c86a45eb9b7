import type { Json, JsonObject } from "../../core/json.ts";
import type {
  Collection,
  Documents,
  DuplicateKey,
  Filter,
  SharedValues,
  StoredDocument,
} from "../../storage/documents/documents.ts";
import { uniqueKeysAt, uniqueValuesAt } from "../../storage/documents/unique-keys.ts";
import { findWithin } from "./db-checks.ts";
import { LOOKUP_MAX_VALUES, PREVIEW_MAX_DOCUMENTS } from "./db-limits.ts";

/** What a dry run looks at of the documents that a change would meet. */
export interface Matches {
  readonly documents: readonly StoredDocument[];
  /** There are more, which it does not look at. */
  readonly hasMore: boolean;
}

/** Of a document that a write would change or, without `before`, add. Fields that nobody asks about may be left out. */
export interface Write {
  readonly before: JsonObject | null;
  readonly after: JsonObject;
}

/** The first match or, of `many`, the first PREVIEW_MAX_DOCUMENTS; null where they are too large together. */
export async function findMatches(
  documents: Documents,
  place: Collection,
  { filter, many, fields }: { readonly filter: Filter; readonly many: boolean; readonly fields: readonly string[] },
): Promise<Matches | null> {
  const limit = many ? PREVIEW_MAX_DOCUMENTS + 1 : 1;
  const found = await findWithin(documents, place, { filter, limit, fields });
  if (found === null) return null;
  return { documents: found.slice(0, PREVIEW_MAX_DOCUMENTS), hasMore: found.length > PREVIEW_MAX_DOCUMENTS };
}

/** The first of the writes, done in this order, that would meet a value which another document has. */
export async function findDuplicate(
  documents: Documents,
  place: Collection,
  fields: readonly string[],
  writes: readonly Write[],
): Promise<{ readonly duplicate: DuplicateKey; readonly document: JsonObject } | null> {
  const held = await Promise.all(fields.map((field) => findHolders(documents, place, field, writes)));
  for (const { before, after } of writes) {
    const id = String(after._id);
    const isTaken = (field: string, i: number) =>
      [...keysOf(after, field).difference(keysOf(before, field))].some((key) => (held[i]?.get(key) ?? id) !== id);
    const taken = fields.filter(isTaken);
    if (taken.length > 0) return { duplicate: { kind: "duplicate_key", fields: taken }, document: after };
    for (const [i, field] of fields.entries()) {
      for (const key of keysOf(before, field)) if (held[i]?.get(key) === id) held[i].delete(key);
      for (const key of keysOf(after, field)) held[i]?.set(key, id);
    }
  }
  return null;
}

/** Of the fields, those of which stored documents share a value: as far as PREVIEW_MAX_DOCUMENTS of them tell. */
export async function findShared(
  documents: Documents,
  place: Collection,
  fields: readonly string[],
): Promise<SharedValues | null> {
  if (fields.length === 0) return null;
  const query = { filter: {}, limit: PREVIEW_MAX_DOCUMENTS, fields: topsOf(fields) };
  const stored = (await findWithin(documents, place, query)) ?? [];
  const shared = fields.filter((field) => {
    const keys = stored.flatMap((document) => [...uniqueKeysAt(document, field)]);
    return new Set(keys).size < keys.length;
  });
  return shared.length === 0 ? null : { kind: "shared_values", fields: shared };
}

export function topsOf(paths: readonly string[]): readonly string[] {
  return [...new Set(paths.map((path) => path.split(".")[0] ?? path))];
}

/** Who holds, as it is stored, what the writes would take: ids by the keys of their values. */
async function findHolders(
  documents: Documents,
  place: Collection,
  field: string,
  writes: readonly Write[],
): Promise<Map<string, string>> {
  const wanted = new Map<string, Json>();
  for (const { before, after } of writes) {
    const own = keysOf(before, field);
    for (const [key, value] of uniqueValuesAt(after, field)) {
      if (!own.has(key)) wanted.set(key, value);
    }
  }
  const holders = new Map<string, string>();
  const values = [...wanted.values()];
  for (let at = 0; at < values.length; at += LOOKUP_MAX_VALUES) {
    const filter = { [field]: { $in: values.slice(at, at + LOOKUP_MAX_VALUES) } };
    const query = { filter, limit: PREVIEW_MAX_DOCUMENTS, fields: topsOf([field]) };
    for (const document of (await findWithin(documents, place, query)) ?? []) {
      for (const key of uniqueKeysAt(document, field)) holders.set(key, document._id);
    }
  }
  return holders;
}

function keysOf(document: JsonObject | null, field: string): ReadonlySet<string> {
  return document === null ? new Set() : uniqueKeysAt(document, field);
}
