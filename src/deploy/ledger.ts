import { LATE_AGENT_MS } from "../config/limits.ts";
import { type Clock, isoTime } from "../core/clock.ts";
import type { LoadedServer, ServerKey } from "../servers/store.ts";
import { deployments, ownedId } from "../storage/documents/collections.ts";
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
 * says another target. Written after a deploy, where one ended without its outcome being known, and before somebody
 * takes over from one that may be at work still, or lets go of its record.
 * Ids begin with the owner: of two who had the same serverId one after the other, each has an entry. What stands under an
 * id of before, without the owner, is found by its fields, checked and struck with the other, and never written again.
 */
export interface Ledger {
  note(entry: LedgerEntry): Promise<void>;
  /** An agent that may be there, or may yet come: it is looked for soon, and stays noted for LATE_AGENT_MS. */
  noteLate(entry: LedgerEntry): Promise<void>;
  /** The same of a deploy that failed uncertainly, or a change that broke off; nothing of what is settled. */
  noteLeftover(server: LoadedServer, fallbackOrigin: string): Promise<void>;
  /** The entries that have not been looked at for longest, at most `limit`, all last looked at before `before`. */
  listDue(ownerId: string, before: string, limit: number): Promise<readonly LedgerEntry[]>;
  /** `at`: epoch milliseconds; now where it is not given. */
  markChecked(entry: LedgerEntry, at?: number): Promise<void>;
  /** False where it stays for now: what was noted as late may yet come. */
  strike(entry: EntryKey): Promise<boolean>;
}

/** Not looked at yet: due at once. */
const NEVER = 0;

export function createLedger(deps: { readonly documents: Documents; readonly clock: Clock }): Ledger {
  const { documents, clock } = deps;

  /** `keepUntil` stays what it was where none is given: a deploy that ends well says nothing of an earlier one. */
  async function write(entry: LedgerEntry, fields: { readonly checkedAt: string; readonly keepUntil?: string }) {
    const update = { $set: { ...entry, ...fields } };
    await documents.updateOne(deployments(entry.ownerId), { _id: entryId(entry) }, update, { upsert: true });
  }

  async function noteLate(entry: LedgerEntry): Promise<void> {
    await write(entry, { checkedAt: isoTime(NEVER), keepUntil: isoTime(clock.now() + LATE_AGENT_MS) });
  }

  return {
    note: (entry) => write(entry, { checkedAt: isoTime(clock.now()) }),
    noteLate,
    async noteLeftover({ record, deployment }, fallbackOrigin) {
      const { serverId, ownerId } = record;
      const target = record.deployment.target;
      const certain = !deployment.uncertain && deployment.claim === null;
      if (certain || target === null) return;
      await noteLate({ serverId, ownerId, target, agentId: null, origin: deployment.origin ?? fallbackOrigin });
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
    async markChecked(entry, at = clock.now()) {
      const set = { $set: { checkedAt: isoTime(at) } };
      await documents.updateMany(deployments(entry.ownerId), anyIdOf(entry), set);
    },
    async strike(entry) {
      const over = { $or: [{ keepUntil: { $exists: false } }, { keepUntil: { $lt: isoTime(clock.now()) } }] };
      return (await documents.deleteMany(deployments(entry.ownerId), { ...anyIdOf(entry), ...over })).deletedCount > 0;
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
  return ownedId(entry.ownerId, entryIdOfBefore(entry));
}

function entryIdOfBefore({ serverId, target }: EntryKey): string {
  return `${serverId}:${target}`;
}

function anyIdOf(entry: EntryKey): Filter {
  const { serverId, ownerId, target } = entry;
  return { _id: { $in: [entryId(entry), entryIdOfBefore(entry)] }, serverId, ownerId, target };
}
