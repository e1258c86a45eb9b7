import type { JsonObject } from "../../core/json.ts";
import type { Result } from "../../core/result.ts";

/**
 * Where documents live. `partition` says which documents are served together: operations on one partition are
 * serialised by the embedded store, those on different ones are not. It is a routing hint and no filter: on a database
 * that has no partitions all documents of a name meet in one collection, so the `_id` of a system document is unique
 * over all partitions, and its filters name the owner themselves.
 *
 * `system` collections are ours. An `owned` one holds the data of an owner's graphs: its name is the author's, it
 * never meets a system collection or another owner's of the same name.
 */
export type Collection =
  | { readonly kind: "system"; readonly name: string; readonly partition: string }
  | { readonly kind: "owned"; readonly name: string; readonly ownerId: string };

/** Values are JSON: times are ISO strings, ids are strings. Names starting with `$` or holding `.` or NUL are refused. */
export type Document = JsonObject;
export type StoredDocument = Document & { readonly _id: string };

/** See `operators.ts` for the operators that every adapter knows. */
export type Filter = JsonObject;
export type Update = JsonObject;

/** `1` ascending, `-1` descending, in the order of the keys. */
export type Sort = Readonly<Record<string, 1 | -1>>;

export interface FindQuery {
  readonly filter: Filter;
  readonly sort?: Sort;
  /** At least 1. Required: nothing reads an unbounded number of documents. */
  readonly limit: number;
  /** Top-level fields to read, where the rest would be read in vain; `_id` always comes along. Absent: all. */
  readonly fields?: readonly string[];
}

/** Which unique fields another document has already taken, or `_id`. */
export interface DuplicateKey {
  readonly kind: "duplicate_key";
  readonly fields: readonly string[];
}

/** Fields that cannot be made unique: stored documents share a value of each. Nothing was declared, and nothing stored. */
export interface SharedValues {
  readonly kind: "shared_values";
  readonly fields: readonly string[];
}

export interface UpdateCounts {
  readonly matchedCount: number;
  /** Documents that differ from before. Zero where the update wrote what stood there. */
  readonly modifiedCount: number;
  readonly upsertedId: string | null;
}

export interface InsertOptions {
  /**
   * Fields (dotted paths) of which no two documents of the collection share a value; a missing one counts as null.
   * Once named, a field stays unique for every later write to the collection, by whatever caller.
   */
  readonly unique?: readonly string[];
}

/**
 * The documents store. Every method throws `StorageUnavailable` when the store does not answer, and `TypeError` for a
 * filter, update or document that `operators.ts` refuses, which is a bug of the caller: users' graphs are checked when
 * they are written, and users' documents before they are stored. `TypeError` is also what an update gets that does not
 * fit the document it meets (`$inc` of a text), and `RangeError` what is too large for the store, be it a document, an
 * answer or the work that an operation on an owner's data takes; neither writes,
 * but a removal of many may have removed some.
 * One document's write is atomic; there are no transactions. An atomic claim is an `updateOne` whose filter states the
 * condition and whose `modifiedCount` decides.
 */
export interface Documents {
  /** Stores the document under its `_id`, or a new one that sorts after the earlier ones. */
  insertOne(
    collection: Collection,
    document: Document,
    options?: InsertOptions,
  ): Promise<Result<StoredDocument, DuplicateKey | SharedValues>>;
  findOne(collection: Collection, filter: Filter): Promise<StoredDocument | null>;
  /** Without `sort`, in order of `_id`. */
  find(collection: Collection, query: FindQuery): Promise<readonly StoredDocument[]>;
  /** Changes the first match in order of `_id`. With `upsert`, inserts one made from the filter's equalities. */
  updateOne(
    collection: Collection,
    filter: Filter,
    update: Update,
    options?: { readonly upsert?: boolean },
  ): Promise<Result<UpdateCounts, DuplicateKey>>;
  updateMany(collection: Collection, filter: Filter, update: Update): Promise<Result<UpdateCounts, DuplicateKey>>;
  /** The replacement keeps the `_id` of what it replaces. */
  replaceOne(
    collection: Collection,
    filter: Filter,
    replacement: Document,
    options?: { readonly upsert?: boolean },
  ): Promise<Result<UpdateCounts, DuplicateKey>>;
  deleteOne(collection: Collection, filter: Filter): Promise<{ readonly deletedCount: number }>;
  deleteMany(collection: Collection, filter: Filter): Promise<{ readonly deletedCount: number }>;
  /** What no two documents of the collection may share, beside `_id`. Another Worker may have declared one just now. */
  uniqueFields(collection: Collection): Promise<readonly string[]>;
  /** Resolves when the store answers. */
  ping(): Promise<void>;
}
