import { type Clock, isoTime } from "../core/clock.ts";
import { toError } from "../core/errors.ts";
import type { IdSource } from "../core/ids.ts";
import type { Logger } from "../core/logger.ts";
import { idempotencyKeys, jobStates } from "../storage/documents/collections.ts";
import type { Document, Documents } from "../storage/documents/documents.ts";
import { type Position, readPosition, walkServers, writePosition } from "./clean-up-walk.ts";
import { CLEAN_UP_LEASE_MS, CLEAN_UP_MAX_CALLS, CLEAN_UP_MAX_FAILURES, CLEAN_UP_SAVE_EVERY_CALLS } from "./limits.ts";
import { trimLog } from "./log-retention.ts";
import type { Places } from "./places.ts";
import type { RemovedServers } from "./removed-servers.ts";
import type { ServerKey, ServerStore } from "./store.ts";

/** A type, not an interface: it is handed on as JSON. */
export type CleanUpReport = {
  /** True where another run is at work: this one did nothing. */
  readonly skipped: boolean;
  readonly idempotencyKeysRemoved: number;
  readonly serversVisited: number;
  /** Creates and deletes that had broken off, and of which it is now known whether they hold a place. */
  readonly placesSettled: number;
  readonly agentsVisited: number;
  readonly eventsRemoved: number;
  readonly runsRemoved: number;
  /** Runs whose process had ended under them. */
  readonly runsInterrupted: number;
  /** Owners, servers and agents that could not be cleaned up. The next round tries them again. */
  readonly failures: number;
  /** False where the next run goes on from here. */
  readonly roundFinished: boolean;
};

const STATE_ID = "clean-up";

/** The agents of this Worker, those without a server's record too. */
interface Agents<Agent extends { readonly position: string }> {
  /** Each page is one call of the store. */
  pages(after: string | null): AsyncIterable<readonly Agent[]>;
  cleanUp(agent: Agent): Promise<{ readonly interrupted: number; readonly removed: number; readonly calls: number }>;
}

interface CleanUpDeps<Agent extends { readonly position: string }> {
  readonly documents: Documents;
  readonly store: Pick<ServerStore, "listOwners">;
  readonly idempotencyShards: readonly string[];
  readonly places: Pick<Places, "reconcile">;
  readonly removed: Pick<RemovedServers, "settle">;
  /** What is kept of the tests of a server's graph. */
  readonly trimRuns: (key: ServerKey) => Promise<{ readonly interrupted: number; readonly removed: number }>;
  readonly agents: Agents<Agent>;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Removes what has outlived its use: idempotency keys past their day, events of servers' logs and runs of agents past
 * their age and number. A run makes a bounded number of calls and the next one goes on where it stopped, or where it
 * last said how far it came. Of runs at once one works: it holds a lease, which ends by itself when the run dies.
 */
export function createCleanUp<Agent extends { readonly position: string }>(
  deps: CleanUpDeps<Agent>,
): () => Promise<CleanUpReport> {
  const { documents, ids, clock, log } = deps;

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

  async function savePosition(lease: string, position: Position | null, more: Document = {}): Promise<void> {
    const update = { position: writePosition(position), ...more };
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

  return async function cleanUp() {
    const lease = ids.next("lease");
    const begun = await takeLease(lease);
    if (begun === null) return { ...NOTHING_DONE, skipped: true };
    const report = { ...NOTHING_DONE };
    const counting = countCalls(documents);
    let position = begun.from;
    try {
      report.idempotencyKeysRemoved = await removeExpiredKeys();
      report.roundFinished = true;
      let savedAt = 0;
      for await (const { at, visit } of walkAll({ ...deps, counting, report }, position)) {
        try {
          await visit();
        } catch (error) {
          report.failures++;
          log.warn("clean_up_failed", { ...at, error: toError(error) });
        }
        position = at;
        if (counting.calls() >= CLEAN_UP_MAX_CALLS || report.failures >= CLEAN_UP_MAX_FAILURES) {
          report.roundFinished = false;
          break;
        }
        if (counting.calls() - savedAt < CLEAN_UP_SAVE_EVERY_CALLS) continue;
        savedAt = counting.calls();
        await savePosition(lease, position);
      }
      if (report.roundFinished) position = null;
    } finally {
      await savePosition(lease, position, { leaseUntil: isoTime(clock.now()) });
    }
    return report;
  };
}

interface Visit {
  readonly at: Position;
  readonly visit: () => Promise<void>;
}

/** All that a round visits, from a position on: first the owners with their servers, then the agents. */
async function* walkAll<Agent extends { readonly position: string }>(
  deps: CleanUpDeps<Agent> & {
    readonly counting: ReturnType<typeof countCalls>;
    readonly report: { -readonly [Field in keyof CleanUpReport]: CleanUpReport[Field] };
  },
  from: Position | null,
): AsyncGenerator<Visit> {
  const { counting, report, clock } = deps;

  function noteRuns({ interrupted, removed }: { readonly interrupted: number; readonly removed: number }): void {
    report.runsInterrupted += interrupted;
    report.runsRemoved += removed;
  }

  async function visitServer(key: ServerKey): Promise<void> {
    report.serversVisited++;
    report.eventsRemoved += await trimLog({ documents: counting.documents, clock }, key);
    counting.add(TRIM_RUNS_CALLS);
    noteRuns(await deps.trimRuns(key));
  }

  async function visitOwner(ownerId: string): Promise<void> {
    const { settled, calls } = await deps.places.reconcile(ownerId);
    report.placesSettled += settled;
    counting.add(calls + (await deps.removed.settle(ownerId)));
  }

  async function visitAgent(agent: Agent): Promise<void> {
    report.agentsVisited++;
    const cleaned = await deps.agents.cleanUp(agent);
    counting.add(cleaned.calls);
    noteRuns(cleaned);
  }

  if (from?.kind !== "agent") {
    for await (const at of walkServers(deps, from)) {
      yield { at, visit: () => (at.kind === "server" ? visitServer(at) : visitOwner(at.ownerId)) };
    }
  }
  for await (const page of deps.agents.pages(from?.kind === "agent" ? from.agent : null)) {
    counting.add();
    for (const agent of page) yield { at: { kind: "agent", agent: agent.position }, visit: () => visitAgent(agent) };
  }
}

/** About as many as trimming the tests of one server makes, and entering its agent. */
const TRIM_RUNS_CALLS = 8;

const NOTHING_DONE = {
  skipped: false,
  idempotencyKeysRemoved: 0,
  serversVisited: 0,
  placesSettled: 0,
  agentsVisited: 0,
  eventsRemoved: 0,
  runsRemoved: 0,
  runsInterrupted: 0,
  failures: 0,
  roundFinished: false,
};

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
