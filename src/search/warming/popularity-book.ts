import type { Clock } from "../../core/clock.ts";
import { toBase64Url } from "../../core/crypto.ts";
import type { RandomBytes } from "../../core/ids.ts";
import type { Sql, SqlRow } from "../index/index-store.ts";
import { heatAfter, heatOf, scoreAt } from "./popularity-heat.ts";
import {
  POPULARITY_FORGET_BELOW,
  POPULARITY_LISTED_MAX_ROWS,
  POPULARITY_MIN_CALLERS,
  POPULARITY_ROOM_MADE,
  POPULARITY_SALT_BYTES,
  POPULARITY_SALT_LIFE_MS,
  POPULARITY_WAITING_MAX_ROWS,
} from "./popularity-limits.ts";
import type { PopularityBatch, PopularityEntry, PopularityStats } from "./popularity-store.ts";

/** `request` as JSON, as the batch brought it. */
export interface PopularRow {
  readonly key: string;
  readonly request: string;
  readonly score: number;
}

/** The counts of all isolates. `add` may be called while another is under way. */
export interface PopularityBook {
  add(batch: PopularityBatch): Promise<void>;
  top(limit: number): PopularRow[];
  describe(): PopularityStats;
  /** Forgets what is past its time. When to come again, in epoch milliseconds, or null where nothing is left. */
  cleanUp(): number | null;
  /** When the salt is over: the time for `cleanUp`. Null where there is none. */
  saltEndsAt(): number | null;
}

/**
 * `listed` queries were asked by three callers or more: they have their `request` and know no callers. The others wait:
 * they have no request, and in `callers` the digests of one or two who asked, as JSON.
 */
const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS queries (
    key TEXT PRIMARY KEY, listed INTEGER NOT NULL, heat REAL NOT NULL, callers TEXT NOT NULL, request TEXT
  ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS queries_by_heat ON queries (listed, heat)",
  `CREATE TABLE IF NOT EXISTS isolates (
    isolate TEXT PRIMARY KEY, sequence INTEGER NOT NULL, seen_at INTEGER NOT NULL) WITHOUT ROWID`,
  "CREATE TABLE IF NOT EXISTS salt (n INTEGER PRIMARY KEY CHECK (n = 1), secret TEXT NOT NULL, ends_at INTEGER NOT NULL)",
];

/** By `listed`. */
const ROWS_MAX = [POPULARITY_WAITING_MAX_ROWS, POPULARITY_LISTED_MAX_ROWS] as const;

interface Salt {
  readonly secret: string;
  readonly endsAt: number;
}

export function createPopularityBook(deps: {
  readonly sql: Sql;
  readonly clock: Pick<Clock, "now">;
  readonly random: RandomBytes;
}): PopularityBook {
  const { sql, clock, random } = deps;
  for (const statement of SCHEMA) sql.run(statement);
  /** By `listed`: so many rows can still be added at least. Only where this is used up are they counted. */
  const room = [0, 0];

  /** The one in force. With a new one nobody is recognised who asked before, so those who wait begin anew. */
  function openSalt(nowMs: number): Salt {
    const current = readSalt(sql);
    if (current !== null && current.endsAt > nowMs) return current;
    const salt = { secret: toBase64Url(random(POPULARITY_SALT_BYTES)), endsAt: nowMs + POPULARITY_SALT_LIFE_MS };
    sql.transaction(() => {
      sql.run("DELETE FROM queries WHERE listed = 0");
      sql.run("REPLACE INTO salt (n, secret, ends_at) VALUES (1, ?1, ?2)", salt.secret, salt.endsAt);
    });
    return salt;
  }

  function takeIn(batch: PopularityBatch, digests: ReadonlyMap<string, readonly string[]>): void {
    const now = clock.now();
    sql.transaction(() => {
      if (wasTakenIn(sql, batch)) return;
      sql.run("REPLACE INTO isolates VALUES (?1, ?2, ?3)", batch.isolate, batch.sequence, now);
      const entered = batch.entries.map((entry) => countEntry(sql, entry, digests.get(entry.key) ?? [], now));
      forgetCold(sql, now);
      for (const [listed, max] of ROWS_MAX.entries()) {
        const left = (room[listed] ?? 0) - entered.filter((value) => value === listed).length;
        room[listed] = left < 0 ? makeRoom(sql, listed, max) : left;
      }
    });
  }

  return {
    async add(batch) {
      // A salt that ended while callers were digested: what was made with it would not be recognised.
      for (;;) {
        if (wasTakenIn(sql, batch)) return;
        const { secret } = openSalt(clock.now());
        const digests = await digestCallers(
          secret,
          batch.entries.filter(({ key }) => !isListed(sql, key)),
        );
        if (readSalt(sql)?.secret === secret) return takeIn(batch, digests);
      }
    },
    top(limit) {
      const now = clock.now();
      const rows = sql.run(
        "SELECT key, request, heat FROM queries WHERE listed = 1 AND heat >= ?1 ORDER BY heat DESC LIMIT ?2",
        heatOf(POPULARITY_FORGET_BELOW, now),
        limit,
      );
      return rows.map(({ key, request, heat }) => {
        return { key: String(key), request: String(request), score: scoreAt(Number(heat), now) };
      });
    },
    describe() {
      const [row] = sql.run("SELECT count(*) AS queries, coalesce(sum(listed), 0) AS listed FROM queries");
      return { queries: Number(row?.queries), listed: Number(row?.listed) };
    },
    cleanUp() {
      const now = clock.now();
      sql.transaction(() => {
        forgetCold(sql, now);
        sql.run("DELETE FROM isolates WHERE seen_at <= ?1", now - POPULARITY_SALT_LIFE_MS);
        const ended = sql.run("DELETE FROM salt WHERE ends_at <= ?1 RETURNING n", now);
        if (ended.length > 0) sql.run("DELETE FROM queries WHERE listed = 0");
      });
      const [left] = sql.run("SELECT 1 FROM queries UNION ALL SELECT 1 FROM isolates LIMIT 1");
      return readSalt(sql)?.endsAt ?? (left === undefined ? null : now + POPULARITY_SALT_LIFE_MS);
    },
    saltEndsAt: () => readSalt(sql)?.endsAt ?? null,
  };
}

function readSalt(sql: Sql): Salt | null {
  const [row] = sql.run("SELECT secret, ends_at FROM salt");
  return row === undefined ? null : { secret: String(row.secret), endsAt: Number(row.ends_at) };
}

function wasTakenIn(sql: Sql, { isolate, sequence }: PopularityBatch): boolean {
  return sql.run("SELECT 1 FROM isolates WHERE isolate = ?1 AND sequence >= ?2", isolate, sequence).length > 0;
}

function isListed(sql: Sql, key: string): boolean {
  return sql.run("SELECT 1 FROM queries WHERE key = ?1 AND listed = 1", key).length > 0;
}

/** By the query too, so that two queries of one caller cannot be told to be of one. */
async function digestCallers(
  secret: string,
  entries: readonly PopularityEntry[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const hmacKey = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const digest = async (text: string) =>
    toBase64Url(new Uint8Array(await crypto.subtle.sign("HMAC", hmacKey, encoder.encode(text))));
  const pairs = entries.map(async ({ key, callers }) => {
    return [key, await Promise.all(callers.map((caller) => digest(`${key}\n${caller}`)))] as const;
  });
  return new Map(await Promise.all(pairs));
}

/** The value of `listed` that its row has now and had not before; null where that did not change. */
function countEntry(sql: Sql, entry: PopularityEntry, digests: readonly string[], nowMs: number): 0 | 1 | null {
  const [row] = sql.run("SELECT listed, heat, callers FROM queries WHERE key = ?1", entry.key);
  const heat = heatAfter(row === undefined ? null : Number(row.heat), entry.count, nowMs);
  const callers = new Set([...readCallers(row), ...digests]);
  const listed = row?.listed === 1 || callers.size >= POPULARITY_MIN_CALLERS ? 1 : 0;
  sql.run(
    "REPLACE INTO queries (key, listed, heat, callers, request) VALUES (?1, ?2, ?3, ?4, ?5)",
    entry.key,
    listed,
    heat,
    JSON.stringify(listed === 1 ? [] : [...callers]),
    listed === 1 ? entry.request : null,
  );
  return row?.listed === listed ? null : listed;
}

function readCallers(row: SqlRow | undefined): readonly string[] {
  return row === undefined ? [] : (JSON.parse(String(row.callers)) as string[]);
}

function forgetCold(sql: Sql, nowMs: number): void {
  const coldest = heatOf(POPULARITY_FORGET_BELOW, nowMs);
  for (const listed of [0, 1]) sql.run("DELETE FROM queries WHERE listed = ?1 AND heat < ?2", listed, coldest);
}

/** Forgets the least popular of too many, and some more, so that not every batch has to count. How many then fit. */
function makeRoom(sql: Sql, listed: number, max: number): number {
  const [row] = sql.run("SELECT count(*) AS count FROM queries WHERE listed = ?1", listed);
  const count = Number(row?.count ?? 0);
  if (count <= max) return max - count;
  const kept = Math.floor(max * (1 - POPULARITY_ROOM_MADE));
  sql.run(
    "DELETE FROM queries WHERE key IN (SELECT key FROM queries WHERE listed = ?1 ORDER BY heat, key LIMIT ?2)",
    listed,
    count - kept,
  );
  return max - kept;
}
