import { type Db, MongoClient } from "mongodb";
import { inject, onTestFinished } from "vitest";

/** The database that the adapters use, as another program sees it. */
export function openRawDatabase(name = inject("mongodb").database): Db {
  const client = new MongoClient(inject("mongodb").uri);
  onTestFinished(() => client.close());
  return client.db(name);
}
