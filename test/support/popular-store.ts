import type { Clock } from "../../src/core/clock.ts";
import { StorageUnavailable } from "../../src/core/errors.ts";
import { systemRandom } from "../../src/core/ids.ts";
import { createPopularityBook, type PopularityBook } from "../../src/search/warming/popularity-book.ts";
import { readRow } from "../../src/search/warming/popularity-durable.ts";
import type { PopularityBatch, PopularityStore } from "../../src/search/warming/popularity-store.ts";
import { createSqliteSql } from "./providers/sqlite-index.ts";

export interface PopularStore extends PopularityStore {
  /** `down`: nothing arrives. `mute`: all arrives, and no answer comes back. */
  mode: "up" | "down" | "mute";
  /** What was sent, arrived or not. */
  readonly sent: PopularityBatch[];
  readonly book: PopularityBook;
  /** All that is stored, as one text. */
  dump(): string;
}

/** The real statements on Node's own SQLite. */
export function createPopularStore(clock: Pick<Clock, "now">): PopularStore {
  const sql = createSqliteSql();
  const book = createPopularityBook({ sql, clock, random: systemRandom });
  const answer = async <T>(work: () => T | Promise<T>): Promise<T> => {
    if (store.mode === "down") throw new StorageUnavailable("the counts are down");
    const value = await work();
    if (store.mode === "mute") throw new StorageUnavailable("the counts did not answer");
    return value;
  };
  const store: PopularStore = {
    mode: "up",
    sent: [],
    book,
    add(batch) {
      store.sent.push(structuredClone(batch));
      return answer(() => book.add(batch));
    },
    top: (limit) => answer(() => book.top(limit).flatMap((row) => readRow(row) ?? [])),
    describe: () => answer(() => book.describe()),
    dump() {
      const tables = sql.run("SELECT name FROM sqlite_master WHERE type = 'table'");
      return JSON.stringify(tables.map(({ name }) => sql.run(`SELECT * FROM ${name}`)));
    },
  };
  return store;
}
