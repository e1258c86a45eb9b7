interface CacheBounds {
  readonly maxEntries: number;
  /** Of all keys and values together, in UTF-16 units. */
  readonly maxChars: number;
  /** An entry above this is not kept. */
  readonly maxEntryChars: number;
}

/** Cache entries in SQLite, bounded: the oldest go first. The table is made with the first entry. */
interface CacheRows {
  get(key: string, nowMs: number): string | null;
  set(key: string, value: string, expiresAtMs: number): void;
  delete(key: string): void;
  /** Removes what is past its lifetime; the number of entries left. */
  sweep(nowMs: number): number;
  /** After the storage was cleared. */
  forget(): void;
}

const TABLE = `CREATE TABLE IF NOT EXISTS cache (
  age INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL,
  expires_at INTEGER NOT NULL, chars INTEGER NOT NULL
) STRICT`;

interface Totals {
  entries: number;
  chars: number;
}

export function createCacheRows(storage: DurableObjectStorage, bounds: CacheBounds): CacheRows {
  const { sql } = storage;
  let stored: boolean | undefined;
  let totals: Totals | undefined;

  function hasTable(): boolean {
    stored ??= [...sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'cache'")].length > 0;
    return stored;
  }

  function count(): Totals {
    totals ??= { ...sql.exec<Row>("SELECT count(*) AS entries, coalesce(sum(chars), 0) AS chars FROM cache").one() };
    return totals;
  }

  function drop(where: string, ...bindings: SqlStorageValue[]): void {
    const kept = count();
    for (const row of sql.exec<{ chars: number }>(`DELETE FROM cache WHERE ${where} RETURNING chars`, ...bindings)) {
      kept.entries--;
      kept.chars -= row.chars;
    }
  }

  function set(key: string, value: string, expiresAtMs: number): void {
    const chars = key.length + value.length;
    if (!hasTable()) sql.exec(TABLE);
    stored = true;
    drop("key = ?", key);
    if (chars > bounds.maxEntryChars) return;
    sql.exec("INSERT INTO cache (key, value, expires_at, chars) VALUES (?, ?, ?, ?)", key, value, expiresAtMs, chars);
    const kept = count();
    kept.entries++;
    kept.chars += chars;
    while (kept.entries > bounds.maxEntries || kept.chars > bounds.maxChars) {
      drop("age = (SELECT min(age) FROM cache)");
    }
  }

  return {
    get(key, nowMs) {
      if (!hasTable()) return null;
      const found = sql.exec<{ value: string }>("SELECT value FROM cache WHERE key = ? AND expires_at > ?", key, nowMs);
      return found.next().value?.value ?? null;
    },
    set: (key, value, expiresAtMs) => {
      try {
        storage.transactionSync(() => set(key, value, expiresAtMs));
      } catch (error) {
        totals = undefined;
        stored = undefined;
        throw error;
      }
    },
    delete(key) {
      if (hasTable()) drop("key = ?", key);
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
