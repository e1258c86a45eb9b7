import type { JsonObject } from "../../core/json.ts";
import { DOCUMENT_ROW_MAX_BYTES, READ_STEPS, UNIQUE_VALUE_STEPS, UNIQUE_VALUES_MAX } from "./limits.ts";
import type { Projection } from "./projection.ts";
import { uniqueKeysAt } from "./unique-keys.ts";
import { stepsOf, type Work } from "./work.ts";

export interface Row extends Record<string, SqlStorageValue> {
  readonly id: string;
  readonly body: string;
}

/** A document that one row cannot hold, or with more unique values than are kept of one. */
export class DocumentTooLarge extends RangeError {
  override readonly name = "DocumentTooLarge";
}

/**
 * The tables of one partition: documents, and one row per taken value of each unique field. Synchronous throughout;
 * the caller groups writes into a transaction. The tables are made at the first write: asking for what was never
 * stored leaves nothing behind. What takes more than `work` allows throws `TooMuchWork`.
 */
export interface Rows {
  /** Rows in order of `_id`, read as the caller takes them. `bindings` are those of `conditions`, which AND joins. */
  scan(query: {
    readonly collection: string;
    readonly conditions: readonly string[];
    readonly bindings: readonly (string | number)[];
    readonly descending?: boolean;
    readonly limit?: number;
    /** Bodies hold these fields and no others. */
    readonly projection?: Projection | null;
  }): Iterable<Row>;
  uniqueFields(collection: string): readonly string[];
  /** Declares the fields from now on; where documents share a value already, names those fields and declares none. */
  declareUnique(collection: string, fields: readonly string[], work: Work): readonly string[];
  /**
   * Stores a new document or, with `before`, the changed one. Names the fields that others hold, and stores nothing.
   * @throws DocumentTooLarge
   */
  put(collection: string, document: JsonObject, work: Work, before?: JsonObject): readonly string[];
  /** Gives the number of its unique values. */
  remove(collection: string, document: JsonObject): number;
  /** After a transaction was undone: what is remembered of it may be wrong. */
  forget(): void;
}

/** Most partitions have no unique field: their tables are made with the first one, which spares every other its cost. */
const TABLES = {
  documents: `
    CREATE TABLE documents (
      collection TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
      PRIMARY KEY (collection, id)
    ) STRICT, WITHOUT ROWID`,
  unique_keys: `
    CREATE TABLE unique_fields (
      collection TEXT NOT NULL, field TEXT NOT NULL,
      PRIMARY KEY (collection, field)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE unique_keys (
      collection TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL,
      PRIMARY KEY (collection, field, value)
    ) STRICT, WITHOUT ROWID`,
} as const;
type Table = keyof typeof TABLES;

const encoder = new TextEncoder();
const UTF8_BYTES_PER_UNIT_MAX = 3;

/** @throws DocumentTooLarge */
export function checkRowSize(collection: string, id: string, body: string): void {
  const units = collection.length + id.length + body.length;
  if (units * UTF8_BYTES_PER_UNIT_MAX <= DOCUMENT_ROW_MAX_BYTES) return;
  const bytes =
    units > DOCUMENT_ROW_MAX_BYTES
      ? units
      : [collection, id, body].reduce((sum, t) => sum + encoder.encode(t).length, 0);
  if (bytes > DOCUMENT_ROW_MAX_BYTES) {
    throw new DocumentTooLarge(`a document takes at most ${DOCUMENT_ROW_MAX_BYTES} bytes as JSON, with its _id`);
  }
}

export function createRows(sql: SqlStorage): Rows {
  const declared = new Map<string, readonly string[]>();
  let made: Set<string> | undefined;

  function hasTable(table: Table): boolean {
    made ??= new Set(
      sql
        .exec<{ name: string }>("SELECT name FROM sqlite_master")
        .toArray()
        .map(({ name }) => name),
    );
    return made.has(table);
  }

  function makeTable(table: Table): void {
    if (hasTable(table)) return;
    sql.exec(TABLES[table]);
    made?.add(table);
  }

  function uniqueFields(collection: string): readonly string[] {
    if (!hasTable("unique_keys")) return [];
    const known = declared.get(collection);
    if (known !== undefined) return known;
    const rows = sql.exec<{ field: string }>("SELECT field FROM unique_fields WHERE collection = ?", collection);
    const fields = [...rows].map((row) => row.field);
    declared.set(collection, fields);
    return fields;
  }

  function holder(collection: string, field: string, value: string): string | undefined {
    const found = "SELECT id FROM unique_keys WHERE collection = ? AND field = ? AND value = ?";
    return sql.exec<{ id: string }>(found, collection, field, value).next().value?.id;
  }

  function takeKey(collection: string, field: string, value: string, id: string): void {
    sql.exec("INSERT OR REPLACE INTO unique_keys VALUES (?, ?, ?, ?)", collection, field, value, id);
  }

  function releaseKey(collection: string, field: string, value: string): void {
    sql.exec("DELETE FROM unique_keys WHERE collection = ? AND field = ? AND value = ?", collection, field, value);
  }

  function* scan(query: Parameters<Rows["scan"]>[0]): Iterable<Row> {
    if (!hasTable("documents")) return;
    const where = ["collection = ?", ...query.conditions].join(" AND ");
    const order = query.descending ? "DESC" : "ASC";
    const limit = query.limit === undefined ? "" : ` LIMIT ${query.limit}`;
    const { projection = null } = query;
    const text = `SELECT id${projection?.columns ?? ", body"} FROM documents WHERE ${where} ORDER BY id ${order}${limit}`;
    const found = sql.exec<Row>(text, query.collection, ...query.bindings);
    if (projection === null) yield* found;
    else for (const row of found) yield { id: row.id, body: projection.toBody(row) };
  }

  /** Takes the field's keys of every stored document; false as soon as two share one. */
  function indexField(collection: string, field: string, work: Work): boolean {
    for (const row of scan({ collection, conditions: [], bindings: [] })) {
      work.spend(READ_STEPS + stepsOf(row.body.length));
      for (const value of uniqueKeysAt(JSON.parse(row.body), field, work)) {
        work.spend(UNIQUE_VALUE_STEPS);
        if (holder(collection, field, value) !== undefined) return false;
        takeKey(collection, field, value, row.id);
      }
    }
    return true;
  }

  function declareUnique(collection: string, fields: readonly string[], work: Work): readonly string[] {
    const known = uniqueFields(collection);
    const added = [...new Set(fields)].filter((field) => !known.includes(field));
    if (added.length === 0) return [];
    makeTable("unique_keys");
    const shared = added.filter((field) => !indexField(collection, field, work));
    for (const field of added) {
      if (shared.length === 0) sql.exec("INSERT INTO unique_fields VALUES (?, ?)", collection, field);
      else sql.exec("DELETE FROM unique_keys WHERE collection = ? AND field = ?", collection, field);
    }
    declared.delete(collection);
    return shared;
  }

  function put(collection: string, document: JsonObject, work: Work, before?: JsonObject): readonly string[] {
    const id = String(document._id);
    const body = JSON.stringify(document);
    checkRowSize(collection, id, body);
    makeTable("documents");
    const keys = uniqueFields(collection).map((field) => ({
      field,
      old: before === undefined ? new Set<string>() : uniqueKeysAt(before, field, work),
      now: uniqueKeysAt(document, field, work),
    }));
    const count = keys.reduce((sum, { now }) => sum + now.size, 0);
    if (count > UNIQUE_VALUES_MAX)
      throw new DocumentTooLarge(`a document has at most ${UNIQUE_VALUES_MAX} unique values`);
    work.spend(count * UNIQUE_VALUE_STEPS);
    const isTaken = (field: string, value: string) => (holder(collection, field, value) ?? id) !== id;
    const taken = keys.filter(({ field, now }) => [...now].some((value) => isTaken(field, value)));
    const fields = taken.map(({ field }) => field);
    if (before === undefined && exists(collection, id)) fields.unshift("_id");
    if (fields.length > 0) return fields;
    for (const { field, old, now } of keys) {
      for (const value of old.difference(now)) releaseKey(collection, field, value);
      for (const value of now.difference(old)) takeKey(collection, field, value, id);
    }
    sql.exec("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", collection, id, body);
    return [];
  }

  function exists(collection: string, id: string): boolean {
    return sql.exec("SELECT 1 FROM documents WHERE collection = ? AND id = ?", collection, id).next().done !== true;
  }

  function remove(collection: string, document: JsonObject): number {
    let count = 0;
    for (const field of uniqueFields(collection)) {
      const values = uniqueKeysAt(document, field);
      for (const value of values) releaseKey(collection, field, value);
      count += values.size;
    }
    sql.exec("DELETE FROM documents WHERE collection = ? AND id = ?", collection, String(document._id));
    return count;
  }

  function forget(): void {
    declared.clear();
    made = undefined;
  }

  return { scan, uniqueFields, declareUnique, put, remove, forget };
}
