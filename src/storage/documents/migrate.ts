import type { Db, IndexDescription } from "mongodb";
import { MIGRATIONS_COLLECTION } from "./mongo-collections.ts";

/** What the system collections are searched by, beside `_id`. Plain and unique indexes only: every server has those. */
const INDEXES: Readonly<Record<string, readonly IndexDescription[]>> = {
  servers: [
    { key: { serverId: 1 }, unique: true },
    { key: { ownerId: 1, _id: 1 } },
    { key: { ownerId: 1, serverId: 1 } },
  ],
  server_versions: [{ key: { serverId: 1, _id: 1 } }],
  deployments: [{ key: { ownerId: 1, checkedAt: 1 } }],
  removed_servers: [{ key: { ownerId: 1, removedAt: 1 } }],
  execution_logs: [{ key: { serverId: 1, _id: 1 } }],
  agent_bindings: [{ key: { serverId: 1 } }],
  runs: [{ key: { agentId: 1, _id: 1 } }],
  keys: [{ key: { id: 1 } }, { key: { ownerId: 1, id: 1 } }],
  webhook_deliveries: [{ key: { shard: 1, state: 1, dueAt: 1 } }, { key: { serverId: 1, acceptedAt: 1 } }],
};

/** Goes up with INDEXES: a database that has seen this one is left alone. */
const VERSION = 2;

/**
 * Makes the indexes of the system collections. May run twice, and in two Workers at once: an index that is there is left
 * as it is. Gives the collections whose indexes could not be made, such as where records of others share a serverId;
 * what remains slower or unguarded there works all the same, and the next start tries again.
 */
export async function migrateDatabase(db: Db): Promise<readonly string[]> {
  const migrations = db.collection<{ _id: string; version: number }>(MIGRATIONS_COLLECTION);
  const done = await migrations.findOne({ _id: "indexes" });
  if ((done?.version ?? 0) >= VERSION) return [];
  const failed: string[] = [];
  for (const [name, indexes] of Object.entries(INDEXES)) {
    for (const index of indexes) {
      try {
        await db.collection(name).createIndexes([index]);
      } catch {
        failed.push(`${name}.${Object.keys(index.key).join("+")}`);
      }
    }
  }
  if (failed.length === 0) {
    // By `$max`: a Worker of an older version that ends later takes nothing back.
    await migrations.updateOne({ _id: "indexes" }, { $max: { version: VERSION } }, { upsert: true }).catch(ignoreRace);
  }
  return failed;
}

/** Another Worker has written the same at this moment. */
function ignoreRace(): void {}
