import { type Clock, isoTime } from "../core/clock.ts";
import type { LoadedServer, ServerKey } from "../servers/store.ts";
import { deployments } from "../storage/documents/collections.ts";
import type { Documents } from "../storage/documents/documents.ts";

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
 */
export interface Ledger {
  note(entry: LedgerEntry): Promise<void>;
  /** A deploy that failed uncertainly, or a change that broke off, may have left an agent at the target: look soon. */
  noteLeftover(server: LoadedServer, fallbackOrigin: string): Promise<void>;
  /** The entries that have not been looked at for longest, at most `limit`, all last looked at before `before`. */
  listDue(ownerId: string, before: string, limit: number): Promise<readonly LedgerEntry[]>;
  markChecked(entry: LedgerEntry): Promise<void>;
  strike(entry: Pick<LedgerEntry, "serverId" | "ownerId" | "target">): Promise<void>;
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
      const certain = !deployment.uncertain && deployment.claim === null;
      if (certain || target === null) return;
      await write({ serverId, ownerId, target, agentId: null, origin: deployment.origin ?? fallbackOrigin }, NEVER);
    },
    async listDue(ownerId, before, limit) {
      const filter = { ownerId, checkedAt: { $lt: before } };
      const found = await documents.find(deployments(ownerId), { filter, sort: { checkedAt: 1 }, limit });
      return found.map(({ serverId, target, agentId, origin }) => ({
        serverId: String(serverId),
        ownerId,
        target: String(target),
        agentId: typeof agentId === "string" ? agentId : null,
        origin: String(origin),
      }));
    },
    async markChecked(entry) {
      const set = { $set: { checkedAt: isoTime(clock.now()) } };
      await documents.updateOne(deployments(entry.ownerId), { _id: entryId(entry) }, set);
    },
    async strike(entry) {
      await documents.deleteOne(deployments(entry.ownerId), { _id: entryId(entry) });
    },
  };
}

function entryId({ serverId, target }: Pick<LedgerEntry, "serverId" | "target">): string {
  return `${serverId}:${target}`;
}
