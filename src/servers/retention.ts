import { type Clock, isoTime } from "../core/clock.ts";
import { toError } from "../core/errors.ts";
import type { IdSource } from "../core/ids.ts";
import { isJsonObject, type Json } from "../core/json.ts";
import type { Logger } from "../core/logger.ts";
import { idempotencyKeys, jobStates, servers } from "../storage/documents/collections.ts";
import type { Documents } from "../storage/documents/documents.ts";
import {
  CLEAN_UP_LEASE_MS,
  CLEAN_UP_MAX_CALLS,
  CLEAN_UP_MAX_FAILURES,
  CLEAN_UP_PAGE_OWNERS,
  SERVERS_PER_PAGE,
} from "./limits.ts";
import { trimLog } from "./log-retention.ts";
import type { ServerKey, ServerStore } from "./store.ts";

/** A type, not an interface: it is handed on as JSON. */
export type CleanUpReport = {
  /** True where another run is at work: this one did nothing. */
  readonly skipped: boolean;
  readonly idempotencyKeysRemoved: number;
  readonly serversVisited: number;
  readonly eventsRemoved: number;
  readonly runsRemoved: number;
  /** Runs whose process had ended under them. */
  readonly runsInterrupted: number;
  /** Servers that could not be cleaned up. The next round tries them again. */
  readonly failures: number;
  /** False where the next run goes on from here. */
  readonly roundFinished: boolean;
};

/** How far a round came: the owner, and its server that was last. */
interface Position {
  readonly ownerId: string;
  readonly serverId: string | null;
}

const STATE_ID = "clean-up";

/**
 * Removes what has outlived its use: idempotency keys past their day, and events of servers' logs past their age and
 * number. A run makes a bounded number of calls and the next one goes on where it stopped. Of runs at once one works:
 * it holds a lease, which ends by itself when the run dies.
 */
export function createCleanUp(deps: {
  readonly documents: Documents;
  readonly store: Pick<ServerStore, "listOwners">;
  readonly idempotencyShards: readonly string[];
  /** What is kept of the runs of a server's agent, and of its tests. */
  readonly trimRuns: (key: ServerKey) => Promise<{ readonly interrupted: number; readonly removed: number }>;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly log: Logger;
}): () => Promise<CleanUpReport> {
  const { documents, store, ids, clock, log } = deps;

  /** Where to begin, or null where another run is at work. */
  async function takeLease(lease: string): Promise<{ readonly from: Position | null } | null> {
    const now = clock.now();
    const held = { lease, leaseUntil: isoTime(now + CLEAN_UP_LEASE_MS) };
    const free = { _id: STATE_ID, leaseUntil: { $lte: isoTime(now) } };
    const taken = await documents.updateOne(jobStates(), free, { $set: held });
    if (taken.ok && taken.value.modifiedCount === 1) {
      const state = await documents.findOne(jobStates(), { _id: STATE_ID });
      return { from: readPosition(state?.position ?? null) };
    }
    const first = await documents.insertOne(jobStates(), { _id: STATE_ID, ...held, position: null });
    return first.ok ? { from: null } : null;
  }

  async function returnLease(lease: string, position: Position | null): Promise<void> {
    const update = { leaseUntil: isoTime(clock.now()), position: position === null ? null : { ...position } };
    await documents.updateOne(jobStates(), { _id: STATE_ID, lease }, { $set: update });
  }

  async function removeExpiredKeys(): Promise<number> {
    let removed = 0;
    for (const shard of deps.idempotencyShards) {
      // By the shard too: on a store without partitions every shard is in one collection.
      const filter = { _id: { $gte: shard, $lt: `${shard}~` }, expiresAt: { $lte: isoTime(clock.now()) } };
      removed += (await documents.deleteMany(idempotencyKeys(shard), filter)).deletedCount;
    }
    return removed;
  }

  /** Every server after a position, owner by owner; each owner by itself first, so that those without servers count. */
  async function* walkServers(from: Position | null): AsyncGenerator<Position> {
    if (from !== null) yield* walkOwner(from.ownerId, from.serverId ?? "");
    for (let after = from?.ownerId; ; ) {
      const owners = await store.listOwners({ after, limit: CLEAN_UP_PAGE_OWNERS });
      for (const ownerId of owners) {
        yield { ownerId, serverId: null };
        yield* walkOwner(ownerId, "");
      }
      if (owners.length < CLEAN_UP_PAGE_OWNERS) return;
      after = owners.at(-1);
    }
  }

  /** Reads the ids as they stand, so that a record which cannot be read does not end the walk. */
  async function* walkOwner(ownerId: string, from: string): AsyncGenerator<Position> {
    for (let after = from; ; ) {
      const filter = { ownerId, serverId: { $gt: after } };
      const query = { filter, sort: { serverId: 1 }, limit: SERVERS_PER_PAGE } as const;
      const page = await documents.find(servers(ownerId), query);
      const serverIds = page.map(({ serverId }) => serverId).filter((id) => typeof id === "string");
      for (const serverId of serverIds) yield { ownerId, serverId };
      const last = serverIds.at(-1);
      if (page.length < SERVERS_PER_PAGE || last === undefined) return;
      after = last;
    }
  }

  return async function cleanUp() {
    const lease = ids.next("lease");
    const begun = await takeLease(lease);
    if (begun === null) return { ...NOTHING_DONE, skipped: true };
    const report = { ...NOTHING_DONE };
    let position = begun.from;
    try {
      report.idempotencyKeysRemoved = await removeExpiredKeys();
      const counting = countCalls(documents);
      report.roundFinished = true;
      for await (const next of walkServers(position)) {
        if (next.serverId !== null) {
          report.serversVisited++;
          try {
            const key = { serverId: next.serverId, ownerId: next.ownerId };
            report.eventsRemoved += await trimLog({ documents: counting.documents, clock }, key);
            const { removed, interrupted } = await deps.trimRuns(key);
            report.runsRemoved += removed;
            report.runsInterrupted += interrupted;
            counting.add(TRIM_RUNS_CALLS);
          } catch (error) {
            report.failures++;
            log.warn("clean_up_failed", { serverId: next.serverId, error: toError(error) });
          }
        } else counting.add();
        position = next;
        if (counting.calls() >= CLEAN_UP_MAX_CALLS || report.failures >= CLEAN_UP_MAX_FAILURES) {
          report.roundFinished = false;
          break;
        }
      }
      if (report.roundFinished) position = null;
    } finally {
      await returnLease(lease, position);
    }
    return report;
  };
}

/** About as many as trimming the runs of one server makes. */
const TRIM_RUNS_CALLS = 8;

const NOTHING_DONE = {
  skipped: false,
  idempotencyKeysRemoved: 0,
  serversVisited: 0,
  eventsRemoved: 0,
  runsRemoved: 0,
  runsInterrupted: 0,
  failures: 0,
  roundFinished: false,
};

function readPosition(stored: Json): Position | null {
  if (!isJsonObject(stored)) return null;
  const { ownerId, serverId } = stored;
  if (typeof ownerId !== "string") return null;
  return { ownerId, serverId: typeof serverId === "string" ? serverId : null };
}

/** The same store, with a count of what was asked of it. */
function countCalls(documents: Documents) {
  let calls = 0;
  const counted =
    <Args extends unknown[], T>(method: (...args: Args) => T) =>
    (...args: Args): T => {
      calls++;
      return method(...args);
    };
  const { find, findOne, deleteMany, replaceOne } = documents;
  return {
    documents: {
      find: counted(find),
      findOne: counted(findOne),
      deleteMany: counted(deleteMany),
      replaceOne: counted(replaceOne),
    },
    calls: () => calls,
    add(more = 1) {
      calls += more;
    },
  };
}
