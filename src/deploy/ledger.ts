import { type Clock, isoTime } from "../core/clock.ts";
import type { LoadedServer, ServerKey } from "../servers/store.ts";
import { deployments } from "../storage/documents/collections.ts";
import type { Documents, Filter, StoredDocument } from "../storage/documents/documents.ts";

/** "This target may hold an agent of this server." */
export interface LedgerEntry extends ServerKey {
  readonly target: string;
  /** Null where it was never known; the target is asked by the server then. */
  readonly agentId: string | null;
  readonly origin: string;
}

/**
 * Where agents may be, apart from the servers' records: so that an agent is still found when its record is gone, or
 * says another target. Written after a deploy, or before a record that may have left an agent behind is let go of.
 * Ids begin with the owner: of two who had the same serverId one after the other, each has an entry. What stands under an
 * id of before, without the owner, is found by its fields, checked and struck with the other, and never written again.
 */
export interface Ledger {
  note(entry: LedgerEntry): Promise<void>;
  /** A deploy that failed uncertainly may have left an agent at the record's target: it is looked for soon. */
  noteLeftover(server: LoadedServer, fallbackOrigin: string): Promise<void>;
  /** The entries that have not been looked at for longest, at most `limit`, all last looked at before `before`. */
  listDue(ownerId: string, before: string, limit: number): Promise<readonly LedgerEntry[]>;
  markChecked(entry: LedgerEntry): Promise<void>;
  strike(entry: EntryKey): Promise<void>;
}

/** Not looked at yet: due at once. */
const NEVER = 0;

export function createLedger(deps: { readonly documents: Documents; readonly clock: Clock }): Ledger {
  const { documents, clock } = deps;

  async function write(entry: LedgerEntry, checkedAt: number): Promise<void> {
    const document = { _id: entryId(entry), ...entry, checkedAt: isoTime(checkedAt) };
    await documents.replaceOne(deployments(entry.ownerId), { _id: document._id }, document, { upsert: true });
  }

  return {
    note: (entry) => write(entry, clock.now()),
    async noteLeftover({ record, deployment }, fallbackOrigin) {
      const { serverId, ownerId } = record;
      const target = record.deployment.target;
      if (!deployment.uncertain || target === null) return;
      await write({ serverId, ownerId, target, agentId: null, origin: deployment.origin ?? fallbackOrigin }, NEVER);
    },
    async listDue(ownerId, before, limit) {
      const filter = { ownerId, checkedAt: { $lt: before } };
      const found = await documents.find(deployments(ownerId), { filter, sort: { checkedAt: 1 }, limit });
      const ids = new Set(found.map(({ _id }) => _id));
      return found
        .map((stored) => ({ entry: readEntry(stored, ownerId), _id: stored._id }))
        .filter(({ entry, _id }) => _id === entryId(entry) || !ids.has(entryId(entry)))
        .map(({ entry }) => entry);
    },
    async markChecked(entry) {
      const set = { $set: { checkedAt: isoTime(clock.now()) } };
      await documents.updateMany(deployments(entry.ownerId), anyIdOf(entry), set);
    },
    async strike(entry) {
      await documents.deleteMany(deployments(entry.ownerId), anyIdOf(entry));
    },
  };
}

function readEntry({ serverId, target, agentId, origin }: StoredDocument, ownerId: string): LedgerEntry {
  return {
    serverId: String(serverId),
    ownerId,
    target: String(target),
    agentId: typeof agentId === "string" ? agentId : null,
    origin: String(origin),
  };
}

type EntryKey = Pick<LedgerEntry, "serverId" | "ownerId" | "target">;

function entryId(entry: EntryKey): string {
  return `${encodeURIComponent(entry.ownerId)}:${entryIdOfBefore(entry)}`;
}

function entryIdOfBefore({ serverId, target }: EntryKey): string {
  return `${serverId}:${target}`;
}

function anyIdOf(entry: EntryKey): Filter {
  const { serverId, ownerId, target } = entry;
  return { _id: { $in: [entryId(entry), entryIdOfBefore(entry)] }, serverId, ownerId, target };
}
