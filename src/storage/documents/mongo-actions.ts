import { StorageUnavailable } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";

/** A filter or an update as the server takes it. Beside JSON it may hold ObjectIds, in the form of `objectId`. */
export type ServerQuery = Readonly<Record<string, unknown>>;

export interface WriteCounts {
  readonly matchedCount: number;
  readonly modifiedCount: number;
}

/**
 * What a MongoDB server does for the port: single commands, over the driver or a Data API. Collections go by their names
 * in the database. Documents come back as plain JSON.
 *
 * Every method throws `StorageUnavailable` when the server does not answer in time, `DuplicateKeyFault`, `RefusedFault`
 * for what the server does not take, and `RangeError` for what is too large.
 */
export interface MongoActions {
  find(
    name: string,
    query: {
      readonly filter: ServerQuery;
      readonly sort?: Readonly<Record<string, 1 | -1>>;
      readonly limit: number;
      /** Top-level fields to read; all without. `_id` always comes along. */
      readonly fields?: readonly string[];
    },
  ): Promise<readonly JsonObject[]>;
  insertOne(name: string, document: JsonObject): Promise<void>;
  updateOne(name: string, filter: ServerQuery, update: JsonObject, upsert: boolean): Promise<WriteCounts>;
  updateMany(name: string, filter: ServerQuery, update: JsonObject): Promise<WriteCounts>;
  replaceOne(name: string, filter: ServerQuery, replacement: JsonObject, upsert: boolean): Promise<WriteCounts>;
  deleteMany(name: string, filter: ServerQuery): Promise<number>;
  /** An ObjectId as it stands in a filter. */
  objectId(hex: string): unknown;
  /** Whether filters may hold ObjectIds: some gateways do not read Extended JSON. */
  takesObjectIds(): Promise<boolean>;
  ping(): Promise<void>;
}

/** With `_id` named: of no field at all a server would make all. */
export function projectionOf(fields: readonly string[]): Readonly<Record<string, 1>> {
  return Object.fromEntries(["_id", ...fields].map((field) => [field, 1 as const]));
}

/** `fields` are empty where the server did not name them. */
export class DuplicateKeyFault extends Error {
  override readonly name = "DuplicateKeyFault";
  readonly fields: readonly string[];
  constructor(fields: readonly string[]) {
    super("duplicate key");
    this.fields = fields;
  }
}

/** An update that does not fit its document. */
export class RefusedFault extends Error {
  override readonly name = "RefusedFault";
}

/** BadValue, FailedToParse, TypeMismatch, PathNotViable, ConflictingUpdateOperators, DollarPrefixedFieldName, ImmutableField. */
const REFUSED_CODES: ReadonlySet<number> = new Set([2, 9, 14, 28, 40, 52, 66]);

/** The same, as gateways pass them on that keep the text alone. */
const REFUSED_TEXT =
  /Cannot apply \$|must be an array|Cannot create field|immutable field|non-numeric|non-array|nested arrays|unknown operator|cannot nest \$|path collision|would create a conflict/i;

const DUPLICATE_CODES: ReadonlySet<number> = new Set([11_000, 11_001]);

/** FerretDB lets SQLite's own words through when it is an update that meets a unique index. */
const DUPLICATE_TEXT = /E1100[01]|UNIQUE constraint failed/;

/** BSONObjectTooLarge and its kin. */
const TOO_LARGE_CODES: ReadonlySet<number> = new Set([10_334, 17_419, 17_420]);
const TOO_LARGE_TEXT = /BSONObjectTooLarge|larger than the maximum size|object to insert too large|exceeds? maximum/i;

/**
 * A server's error in the port's terms. The server's text is read and never passed on: it quotes documents.
 * `keyPattern` is the index that a duplicate met, where the server says it.
 */
export function faultOf(error: {
  readonly code?: number | undefined;
  readonly text: string;
  readonly keyPattern?: JsonObject | undefined;
}): Error {
  const { code = 0, text } = error;
  if (DUPLICATE_CODES.has(code) || DUPLICATE_TEXT.test(text)) return new DuplicateKeyFault(duplicateFields(error));
  if (TOO_LARGE_CODES.has(code) || TOO_LARGE_TEXT.test(text)) {
    return new RangeError("a document is larger than the database takes");
  }
  if (REFUSED_CODES.has(code) || REFUSED_TEXT.test(text)) {
    return new RefusedFault("the database refuses this filter or update");
  }
  return new StorageUnavailable(`the database answered with an error${code === 0 ? "" : ` (code ${code})`}`);
}

/** From the index's own fields or, in a text, from `dup key: { email: "…" }` and `index: email_1`. */
function duplicateFields({
  text,
  keyPattern,
}: {
  readonly text: string;
  readonly keyPattern?: JsonObject | undefined;
}) {
  if (keyPattern !== undefined) return Object.keys(keyPattern);
  const key = /dup key: \{ "?([^":]+)"?:/.exec(text)?.[1];
  if (key !== undefined && key.trim() !== "") return [key.trim()];
  const index = /index: (?:\S+\.\$)?(\S+?)_-?1\b/.exec(text)?.[1];
  return index === undefined ? [] : [index === "_id_" ? "_id" : index];
}
