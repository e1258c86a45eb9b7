import { type Clock, sleep } from "../../core/clock.ts";
import { sha256, toHex } from "../../core/crypto.ts";
import { StorageUnavailable } from "../../core/errors.ts";
import type { IdSource } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import { LOCK_LEASE_MS, LOCK_POLL_MAX_MS, LOCK_POLL_MIN_MS, LOCK_WAIT_MS, LOCKS_MAX_AT_ONCE } from "./limits.ts";
import { DuplicateKeyFault, type MongoActions } from "./mongo-actions.ts";
import { LOCKS_COLLECTION } from "./mongo-collections.ts";

/** Locks in the database: documents whose `_id` says what is locked, which only one writer can insert. */
export interface Locks {
  /**
   * Runs `work` while nobody else holds any of the keys, and lets go of them. `giveUp` is asked whenever one is held:
   * what it finds is the answer, without the lock. A holder that crashed loses its lock after LOCK_LEASE_MS.
   * @throws StorageUnavailable when the keys do not come free within LOCK_WAIT_MS. RangeError for too many keys.
   */
  hold<T>(keys: readonly string[], giveUp: () => Promise<T | null>, work: () => Promise<T>): Promise<T>;
}

export function createLocks(deps: {
  readonly actions: MongoActions;
  readonly clock: Clock;
  readonly ids: IdSource;
}): Locks {
  const { actions, clock, ids } = deps;

  /** Whether the key is this holder's now. */
  async function take(_id: string, holder: string): Promise<boolean> {
    const lock = { holder, until: clock.now() + LOCK_LEASE_MS };
    try {
      await actions.insertOne(LOCKS_COLLECTION, { _id, ...lock });
      return true;
    } catch (error) {
      if (!(error instanceof DuplicateKeyFault)) throw error;
    }
    const [held] = await actions.find(LOCKS_COLLECTION, { filter: { _id }, limit: 1 });
    if (held === undefined || !isExpired(held)) return false;
    const stale = { _id, holder: held.holder };
    return (await actions.updateOne(LOCKS_COLLECTION, stale, { $set: lock }, false)).modifiedCount === 1;
  }

  function isExpired(held: JsonObject): boolean {
    return typeof held.until !== "number" || held.until < clock.now();
  }

  async function takeAll<T>(
    ids: readonly string[],
    holder: string,
    giveUp: () => Promise<T | null>,
  ): Promise<T | null> {
    const waitUntil = clock.now() + LOCK_WAIT_MS;
    for (const id of ids) {
      let pauseMs = LOCK_POLL_MIN_MS;
      while (!(await take(id, holder))) {
        const answer = await giveUp();
        if (answer !== null) return answer;
        if (clock.now() >= waitUntil)
          throw new StorageUnavailable("another write of the same unique value does not end");
        await sleep(clock, pauseMs);
        pauseMs = Math.min(pauseMs * 2, LOCK_POLL_MAX_MS);
      }
    }
    return null;
  }

  async function release(_ids: readonly string[], holder: string): Promise<void> {
    const free = () => actions.deleteMany(LOCKS_COLLECTION, { _id: { $in: _ids }, holder });
    // Once more after a call that was lost. Else the lease frees them; what was done under them is done.
    await free().catch(() => free().catch(() => {}));
  }

  return {
    async hold(keys, giveUp, work) {
      if (keys.length > LOCKS_MAX_AT_ONCE) {
        throw new RangeError(`a document has at most ${LOCKS_MAX_AT_ONCE} unique values`);
      }
      const hashes = await Promise.all(keys.map(async (key) => toHex(await sha256(key))));
      // In one order for all, so that no two writers wait for each other.
      const inOrder = [...new Set(hashes)].sort();
      const holder = ids.next("lock");
      const startedAt = clock.now();
      try {
        const answer = await takeAll(inOrder, holder, giveUp);
        if (answer !== null) return answer;
        // Later than this, another could take a lock over while the write is still under way.
        if (clock.now() - startedAt > LOCK_LEASE_MS / 2) throw new StorageUnavailable("the document store is too slow");
        return await work();
      } finally {
        await release(inOrder, holder);
      }
    },
  };
}
