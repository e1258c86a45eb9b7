import { packText, unpackText } from "./stored-text.ts";

interface CacheBounds {
  readonly maxEntries: number;
  /** Of all keys and values together, in UTF-16 units. */
  readonly maxChars: number;
  /** An entry above this is not kept. */
  readonly maxEntryChars: number;
}

export interface CachedText {
  readonly text: string;
  readonly isFresh: boolean;
}

/** Epoch milliseconds. */
export interface Lifetime {
  readonly freshUntilMs: number;
  readonly expiresAtMs: number;
}

/** Cache entries in SQLite, bounded: the oldest go first. The table is made with the first entry. */
export interface CacheRows {
  get(key: string, nowMs: number): CachedText | null;
  set(key: string, text: string, lifetime: Lifetime): void;
  delete(key: string): void;
  /** How many entries went. */
  clear(): number;
  /** Removes what is past its lifetime; the number of entries left. */
  sweep(nowMs: number): number;
  /** After the storage was cleared. */
  forget(): void;
}

const TABLE = `CREATE TABLE IF NOT EXISTS entries (
  age INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL,
  fresh_until INTEGER NOT NULL, expires_at INTEGER NOT NULL, chars INTEGER NOT NULL
) STRICT`;

/** Held entries without their freshness: nothing that may not be lost. */
const OLD_TABLE = "cache";

interface Totals {
  entries: number;
  chars: number;
}

export function createCacheRows(storage: DurableObjectStorage, bounds: CacheBounds): CacheRows {
  const { sql } = storage;
  let stored: boolean | undefined;
  let totals: Totals | undefined;

  function hasTable(): boolean {
    if (stored !== undefined) return stored;
    const tables = sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name IN ('entries', ?)", OLD_TABLE);
    const names = tables.toArray().map((table) => table.name);
    if (names.includes(OLD_TABLE)) sql.exec(`DROP TABLE ${OLD_TABLE}`);
    stored = names.includes("entries");
    return stored;
  }

  function count(): Totals {
    totals ??= { ...sql.exec<Row>("SELECT count(*) AS entries, coalesce(sum(chars), 0) AS chars FROM entries").one() };
    return totals;
  }

  function drop(where: string, ...bindings: SqlStorageValue[]): void {
    const kept = count();
    for (const row of sql.exec<{ chars: number }>(`DELETE FROM entries WHERE ${where} RETURNING chars`, ...bindings)) {
      kept.entries--;
      kept.chars -= row.chars;
    }
  }

  function set(key: string, text: string, freshUntilMs: number, expiresAtMs: number): void {
    const chars = key.length + text.length;
    if (!hasTable()) sql.exec(TABLE);
    stored = true;
    drop("key = ?", key);
    if (chars > bounds.maxEntryChars) return;
    sql.exec(
      "INSERT INTO entries (key, value, fresh_until, expires_at, chars) VALUES (?, ?, ?, ?, ?)",
      key,
      packText(text),
      freshUntilMs,
      expiresAtMs,
      chars,
    );
    const kept = count();
    kept.entries++;
    kept.chars += chars;
    while (kept.entries > bounds.maxEntries || kept.chars > bounds.maxChars) {
      drop("age = (SELECT min(age) FROM entries)");
    }
  }

  return {
    get(key, nowMs) {
      if (!hasTable()) return null;
      const found = sql.exec<{ value: string; fresh_until: number }>(
        "SELECT value, fresh_until FROM entries WHERE key = ? AND expires_at > ?",
        key,
        nowMs,
      );
      const row = found.next().value;
      const text = row === undefined ? null : unpackText(row.value);
      return row === undefined || text === null ? null : { text, isFresh: row.fresh_until > nowMs };
    },
    set(key, text, { freshUntilMs, expiresAtMs }) {
      try {
        storage.transactionSync(() => set(key, text, Math.round(freshUntilMs), Math.round(expiresAtMs)));
      } catch (error) {
        totals = undefined;
        stored = undefined;
        throw error;
      }
    },
    delete(key) {
      if (hasTable()) drop("key = ?", key);
    },
    clear() {
      if (!hasTable()) return 0;
      const { entries } = count();
      sql.exec("DELETE FROM entries");
      totals = undefined;
      return entries;
    },
    sweep(nowMs) {
      if (!hasTable()) return 0;
      drop("expires_at <= ?", nowMs);
      return count().entries;
    },
    forget() {
      stored = false;
      totals = undefined;
    },
  };
}

interface Row extends Record<string, SqlStorageValue> {
  readonly entries: number;
  readonly chars: number;
}
