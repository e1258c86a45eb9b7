import type { Clock } from "../../core/clock.ts";
import type { IdSource } from "../../core/ids.ts";
import type { MongoActions, ServerQuery } from "./mongo-actions.ts";
import { createLocks } from "./unique-locks.ts";

/**
 * Makes updates atomic on a server whose updates are not: FerretDB 1 reads and writes back in two steps, so that of two
 * claims at once both may win. Updates of one document wait for each other, within this object in a queue and across
 * processes by a lock in the database, which its inserts, atomic there too, decide.
 */
export function createSerialWrites(deps: {
  readonly actions: MongoActions;
  readonly clock: Clock;
  readonly ids: IdSource;
}): MongoActions {
  const { actions } = deps;
  const locks = createLocks(deps);
  const queues = new Map<string, Promise<unknown>>();

  async function inTurn<T>(name: string, filter: ServerQuery, write: () => Promise<T>): Promise<T> {
    const key = JSON.stringify(["write", name, targetOf(filter)]);
    const turn = (queues.get(key) ?? Promise.resolve()).then(() => locks.hold<T>([key], async () => null, write));
    const settled = turn.then(ignore, ignore);
    queues.set(key, settled);
    void settled.then(() => {
      if (queues.get(key) === settled) queues.delete(key);
    });
    return turn;
  }

  return {
    ...actions,
    updateOne: (name, filter, update, upsert) =>
      inTurn(name, filter, () => actions.updateOne(name, filter, update, upsert)),
    updateMany: (name, filter, update) => inTurn(name, filter, () => actions.updateMany(name, filter, update)),
    replaceOne: (name, filter, replacement, upsert) =>
      inTurn(name, filter, () => actions.replaceOne(name, filter, replacement, upsert)),
  };
}

function ignore(): void {}

/**
 * What updates of one document have in common: the text by which they name it. A server's `_id` is its serverId, so
 * both names lead to one lock. An update of many takes none of theirs: it is not made atomic against those of one.
 */
function targetOf(filter: ServerQuery): string | null {
  const own = filter._id ?? filter.serverId;
  if (typeof own === "string") return own;
  const parts = Array.isArray(filter.$and) ? (filter.$and as readonly ServerQuery[]) : [];
  return parts.map(targetOf).find((target) => target !== null) ?? null;
}
