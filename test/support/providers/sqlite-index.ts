import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../../src/core/clock.ts";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { boundsOf, objectName } from "../../../src/search/index/durable-index.ts";
import { createIndexStore, type IndexStore, type Sql } from "../../../src/search/index/index-store.ts";
import type { IndexPartition, SearchIndex } from "../../../src/search/index/search-index.ts";

/** The real statements on Node's own SQLite. */
export function createSqliteSql(): Sql {
  const database = new DatabaseSync(":memory:");
  return {
    run: (statement, ...values) => database.prepare(statement).all(...values),
    transaction(work) {
      database.exec("BEGIN");
      try {
        const value = work();
        database.exec("COMMIT");
        return value;
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
  };
}

export interface SqliteIndex extends SearchIndex {
  /** While true every call throws `StorageUnavailable`. */
  down: boolean;
  /** The names of the partitions asked so far, writes and questions, in order. */
  readonly touched: string[];
}

/** The index in memory: one database for each partition, as there is one Durable Object for each. */
export function createSqliteIndex(clock: Clock): SqliteIndex {
  const stores = new Map<string, IndexStore>();
  const open = (partition: IndexPartition): IndexStore => {
    if (index.down) throw new StorageUnavailable("the search index is down");
    const name = objectName(partition);
    index.touched.push(name);
    const store = stores.get(name) ?? createIndexStore(createSqliteSql());
    stores.set(name, store);
    return store;
  };
  const index: SqliteIndex = {
    down: false,
    touched: [],
    put: async (partition, documents) => open(partition).put(documents, boundsOf(partition), clock.now()),
    remove: async (partition, id) => open(partition).remove(id),
    query: async (partition, query) => open(partition).query(query),
  };
  return index;
}
