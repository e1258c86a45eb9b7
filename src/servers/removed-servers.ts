import { type Clock, isoTime } from "../core/clock.ts";
import { withPrefix } from "../core/ids.ts";
import { ownedId, removedServers, servers, serverVersions } from "../storage/documents/collections.ts";
import type { Documents, StoredDocument } from "../storage/documents/documents.ts";
import { LOG_STREAM_OVERLAP_MS, PLACE_HOLD_MS, REMOVED_GONE_MS, REMOVED_PER_VISIT } from "./limits.ts";
import { logIdAt } from "./log-cursor.ts";
import { createServerIds } from "./server-ids.ts";
import type { ServerKey } from "./store.ts";

/**
 * Forgets what is kept of a server beside its record and its versions, as far as its ids sort below `before`, whatever
 * its prefix: what comes later may be of a server that has been made anew under the id. Called more than once.
 */
export type Forget = (server: ServerKey, before: string) => Promise<unknown>;

/**
 * Servers that were deleted of late. What is still at work for one as it goes leaves something behind, and so does a
 * delete that breaks off: of what stands here the clean-up forgets everything again, until nothing can come any more.
 */
export interface RemovedServers {
  /** Before the record goes. Nothing has to follow where it stays after all. */
  note(server: ServerKey): Promise<void>;
  /** For the scheduled clean-up: some of an owner's. Returns about how many calls of the store it took. */
  settle(ownerId: string): Promise<number>;
}

export function createRemovedServers(deps: {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly forget: Forget;
}): RemovedServers {
  const { documents, clock, forget } = deps;
  const serverIds = createServerIds(deps);

  /** By its time: a delete that comes meanwhile begins anew. */
  async function strike(ownerId: string, { _id, removedAt = null }: StoredDocument): Promise<void> {
    await documents.deleteOne(removedServers(ownerId), { _id, removedAt });
  }

  async function settleOne(ownerId: string, entry: StoredDocument): Promise<void> {
    const { serverId, removedAt } = entry;
    if (typeof serverId !== "string" || typeof removedAt !== "string") return strike(ownerId, entry);
    // Before the look: what is made anew after it has later ids, on an isolate whose clock is behind too.
    const before = logIdAt(clock.now() - LOG_STREAM_OVERLAP_MS);
    const placedBefore = withPrefix("place", logIdAt(clock.now() - PLACE_HOLD_MS));
    if ((await documents.findOne(servers(ownerId), { serverId, ownerId })) !== null) {
      // The delete may still be on its way to the record. Else it stayed, or was made anew, and what there is belongs to
      // the one that is there.
      if (removedAt < isoTime(clock.now() - PLACE_HOLD_MS)) await strike(ownerId, entry);
      return;
    }
    // Of the places themselves: a create that is on its way may have its own since before the look.
    const ended = { $or: [{ place: null }, { place: { $lt: placedBefore } }] };
    await documents.deleteMany(serverVersions(ownerId), { serverId, ownerId, ...ended });
    await forget({ serverId, ownerId }, before);
    await serverIds.freeAbandoned({ serverId, ownerId });
    if (removedAt < isoTime(clock.now() - REMOVED_GONE_MS)) await strike(ownerId, entry);
  }

  return {
    async note({ serverId, ownerId }) {
      const _id = ownedId(ownerId, serverId);
      const update = { $set: { removedAt: isoTime(clock.now()) }, $setOnInsert: { ownerId, serverId } };
      const write = () => documents.updateOne(removedServers(ownerId), { _id }, update, { upsert: true });
      // Two firsts at once may both insert; the second finds the first one's entry.
      if (!(await write()).ok) await write();
    },
    async settle(ownerId) {
      const query = { filter: { ownerId }, sort: { removedAt: 1 }, limit: REMOVED_PER_VISIT } as const;
      const entries = await documents.find(removedServers(ownerId), query);
      for (const entry of entries) await settleOne(ownerId, entry);
      return 1 + entries.length * SETTLE_CALLS;
    },
  };
}

/** One more look at the record, what is forgotten, the id, and the entry. */
const SETTLE_CALLS = 8;
