import { type Clock, isoTime } from "../core/clock.ts";
import { serverOwners, servers } from "../storage/documents/collections.ts";
import type { Documents } from "../storage/documents/documents.ts";
import { PLACE_HOLD_MS } from "./limits.ts";
import type { ServerKey } from "./store.ts";

/**
 * Whose a serverId is, over all owners. The entry of an id names the place of the create that took it, until another
 * create of the owner comes to it: from then on either may write its record, and the id is free again only when
 * PLACE_HOLD_MS have gone by since the last one came. By then each of them has written its record, or never will.
 */
export interface ServerIds {
  findOwner(serverId: string): Promise<string | null>;
  /**
   * True when the id is this owner's, and no record of the owner's has it: taken now, or by an earlier create that
   * stopped half-way or is under way. `place` is the create's.
   */
  take(key: ServerKey, place: string): Promise<boolean>;
  /** For a create that has written no record, and will not. The id stays where others may need it. */
  giveBack(key: ServerKey, place: string): Promise<void>;
  /** For a delete that has just removed the record which had this place. */
  free(key: ServerKey, place: string): Promise<void>;
  /** For the clean-up, which has just seen that there is no record: what a delete had to leave. */
  freeAbandoned(key: ServerKey): Promise<void>;
}

export function createServerIds(deps: { readonly documents: Documents; readonly clock: Clock }): ServerIds {
  const { documents, clock } = deps;

  const hasRecord = async ({ serverId, ownerId }: ServerKey) =>
    (await documents.findOne(servers(ownerId), { serverId, ownerId })) !== null;
  const nobodyComesFrom = () => ({ takenAt: { $lt: isoTime(clock.now() - PLACE_HOLD_MS) } });

  return {
    async findOwner(serverId) {
      const entry = await documents.findOne(serverOwners(serverId), { _id: serverId });
      return typeof entry?.ownerId === "string" ? entry.ownerId : null;
    },

    async take(key, place) {
      const { serverId, ownerId } = key;
      const takenAt = isoTime(clock.now());
      const inserted = await documents.insertOne(serverOwners(serverId), { _id: serverId, ownerId, place, takenAt });
      if (inserted.ok) return true;
      // Before the entry is touched: a create under the id of a server that is there leaves nothing behind.
      if (await hasRecord(key)) return false;
      const sharing = { $unset: { place: "" }, $set: { takenAt } };
      const shared = await documents.updateOne(serverOwners(serverId), { _id: serverId, ownerId }, sharing);
      return shared.ok && shared.value.matchedCount === 1;
    },

    async giveBack(key, place) {
      const { serverId, ownerId } = key;
      // Another program may have written one, without an entry.
      if (await hasRecord(key)) return;
      await documents.deleteOne(serverOwners(serverId), { _id: serverId, ownerId, place });
    },

    async free({ serverId, ownerId }, place) {
      // Entries that were made before they had a time name no place where they are shared.
      const untimed = { place: null, takenAt: null };
      const ended = { $or: [{ place }, untimed, nobodyComesFrom()] };
      await documents.deleteOne(serverOwners(serverId), { _id: serverId, ownerId, ...ended });
    },

    async freeAbandoned({ serverId, ownerId }) {
      await documents.deleteOne(serverOwners(serverId), { _id: serverId, ownerId, ...nobodyComesFrom() });
    },
  };
}
