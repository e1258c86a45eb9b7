import type { Clock } from "../core/clock.ts";
import { executionLogs, servers } from "../storage/documents/collections.ts";
import type { Documents, Filter, StoredDocument } from "../storage/documents/documents.ts";
import {
  CLEAN_UP_BATCH_EVENTS,
  CLEAN_UP_MAX_CALLS_PER_SERVER,
  LOG_KEPT_DAYS,
  LOG_KEPT_EVENTS_PER_SERVER,
  LOG_STREAM_OVERLAP_MS,
} from "./limits.ts";
import { LOG_BEGIN, logIdAt } from "./log-cursor.ts";

const DAY_MS = 86_400_000;

type LogDocuments = Pick<Documents, "find" | "findOne" | "deleteMany" | "replaceOne">;

interface ServerKey {
  readonly serverId: string;
  readonly ownerId: string;
}

/** How many events a log has, up to which one. Kept with the log, so that whoever removes the log removes this too. */
interface Tally {
  readonly counted: number;
  readonly upTo: string;
}

/**
 * Removes a server's oldest events: those past their days, then those beyond the number that is kept. A store that is
 * asked for documents alone cannot count, so each event is counted once, when a run first sees it, and the sum is kept.
 * An event that shows up later than the overlap is not in the sum, and goes by its age. Returns how many were removed.
 */
export async function trimLog(
  { documents, clock }: { readonly documents: LogDocuments; readonly clock: Clock },
  { serverId, ownerId }: ServerKey,
): Promise<number> {
  const log = executionLogs(serverId);
  const tallyId = `kept:${serverId}`;
  let calls = 0;

  /** Settled events only: what may still be overtaken would be passed over. */
  async function readPage(after: string, limit: number): Promise<readonly StoredDocument[]> {
    calls++;
    const filter = { serverId, ownerId, _id: { $gt: after, $lt: logIdAt(clock.now() - LOG_STREAM_OVERLAP_MS) } };
    return documents.find(log, { filter, sort: { _id: 1 }, limit });
  }

  /** Counts what came since; not to the end where there is too much of it for one run. */
  async function countOn(tally: Tally): Promise<Tally> {
    let { counted, upTo } = tally;
    while (calls < CLEAN_UP_MAX_CALLS_PER_SERVER / 2) {
      const page = await readPage(upTo, CLEAN_UP_BATCH_EVENTS);
      counted += page.length;
      upTo = page.at(-1)?._id ?? upTo;
      if (page.length < CLEAN_UP_BATCH_EVENTS) break;
    }
    return { counted, upTo };
  }

  async function removeUpTo(limit: { readonly $lt: string } | { readonly $lte: string }): Promise<number> {
    calls++;
    const filter = { serverId, ownerId, _id: { $gt: LOG_BEGIN, ...limit } };
    return (await documents.deleteMany(log, filter)).deletedCount;
  }

  const stored = await documents.findOne(log, { _id: tallyId });
  const before = readTally(stored);
  const { counted, upTo } = await countOn(before);
  let removed = await removeUpTo({ $lt: logIdAt(clock.now() - LOG_KEPT_DAYS * DAY_MS) });
  while (counted - removed > LOG_KEPT_EVENTS_PER_SERVER && calls < CLEAN_UP_MAX_CALLS_PER_SERVER) {
    const surplus = counted - removed - LOG_KEPT_EVENTS_PER_SERVER;
    const oldest = (await readPage(LOG_BEGIN, Math.min(surplus, CLEAN_UP_BATCH_EVENTS))).at(-1);
    const gone = oldest === undefined ? 0 : await removeUpTo({ $lte: oldest._id });
    if (gone === 0) break;
    removed += gone;
  }
  if (upTo !== before.upTo || removed > 0) {
    const kept = { serverId, ownerId, counted: Math.max(0, counted - removed), upTo };
    await documents.replaceOne(log, { _id: tallyId }, kept, { upsert: true });
  }
  return removed;
}

/** What agents log, whose servers need not have a record here. */
export function createAgentLogs({ documents, clock }: { readonly documents: Documents; readonly clock: Clock }) {
  async function remove({ serverId, ownerId }: ServerKey, which: Filter): Promise<void> {
    await documents.deleteMany(executionLogs(serverId), { serverId, ownerId, ...which });
  }

  return {
    trim: (server: ServerKey) =>
      remove(server, { _id: { $gt: LOG_BEGIN, $lt: logIdAt(clock.now() - LOG_KEPT_DAYS * DAY_MS) } }),
    async forget({ agentId, ...server }: ServerKey & { readonly agentId: string }): Promise<void> {
      const { serverId, ownerId } = server;
      const record = await documents.findOne(servers(ownerId), { serverId, ownerId });
      if (record === null) await remove(server, { _id: { $gt: LOG_BEGIN }, "data.agentId": agentId });
    },
  };
}

function readTally(stored: StoredDocument | null): Tally {
  const counted = stored?.counted;
  const upTo = stored?.upTo;
  return typeof counted === "number" && typeof upTo === "string" ? { counted, upTo } : { counted: 0, upTo: LOG_BEGIN };
}
