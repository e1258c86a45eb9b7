import type { Json } from "../../core/json.ts";
import { agentIndex } from "../../storage/documents/collections.ts";
import type { Documents } from "../../storage/documents/documents.ts";
import { AGENT_INDEX_PAGE } from "../limits.ts";

/** An agent as the index has it: it may have gone since, or not be written yet. */
export interface ListedAgent {
  /** Where a walk goes on behind it. */
  readonly position: string;
  readonly agentId: string;
  readonly serverId: string;
  readonly ownerId: string;
  /** ISO time when a clean-up first found no agent, or one that its server does not know; null while all is well. */
  readonly goneAt: string | null;
}

/**
 * Every agent of this Worker, so that what runs leave behind is found again: agents are kept apart from each other, and
 * the embedded store cannot list them. An agent is in it before anything else is written of it, and until its runs are gone.
 */
export interface AgentIndex {
  /** Also where it stands already: it is no longer taken as gone. */
  note(agent: Pick<ListedAgent, "agentId" | "serverId" | "ownerId">): Promise<void>;
  /** One that stands already stays as it is. */
  noteFound(agent: Pick<ListedAgent, "agentId" | "serverId" | "ownerId">): Promise<void>;
  /** All of them in pages, the empty ones too, each of which is one call of the store. `after` is a position. */
  pages(after: string | null): AsyncIterable<readonly ListedAgent[]>;
  setGoneAt(agent: ListedAgent, goneAt: string | null): Promise<void>;
  /** Not where it changed since it was read: it is in use again. */
  strike(agent: Pick<ListedAgent, "agentId" | "goneAt">): Promise<void>;
}

/** The last character of an agent's id, which is random. */
const SHARDS = [..."0123456789abcdefghjkmnpqrstvwxyz"];
const SEPARATOR = ":";
/** The character after the separator: sorts behind all that begins with a shard and a separator. */
const AFTER_SEPARATOR = ";";

export function createAgentIndex({ documents }: { readonly documents: Documents }): AgentIndex {
  const entryOf = ({ agentId, serverId, ownerId }: Pick<ListedAgent, "agentId" | "serverId" | "ownerId">) => ({
    _id: positionOf(agentId),
    agentId,
    serverId,
    ownerId,
    goneAt: null,
  });

  async function readPage(shard: string, after: string): Promise<readonly ListedAgent[]> {
    const filter = { _id: { $gt: after, $lt: `${shard}${AFTER_SEPARATOR}` } };
    const found = await documents.find(agentIndex(shard), { filter, sort: { _id: 1 }, limit: AGENT_INDEX_PAGE });
    return found.map(({ _id, agentId, serverId, ownerId, goneAt }) => ({
      position: _id,
      agentId: String(agentId),
      serverId: String(serverId),
      ownerId: String(ownerId),
      goneAt: textOrNull(goneAt),
    }));
  }

  return {
    async note(agent) {
      const entry = entryOf(agent);
      await documents.replaceOne(agentIndex(shardOf(agent)), { _id: entry._id }, entry, { upsert: true });
    },
    async noteFound(agent) {
      await documents.insertOne(agentIndex(shardOf(agent)), entryOf(agent));
    },
    async *pages(after) {
      for (const shard of SHARDS) {
        const begin = `${shard}${SEPARATOR}`;
        if (after !== null && after.slice(0, begin.length) > begin) continue;
        let last: string | undefined = after?.startsWith(begin) ? after : begin;
        while (last !== undefined) {
          const page = await readPage(shard, last);
          yield page;
          last = page.length < AGENT_INDEX_PAGE ? undefined : page.at(-1)?.position;
        }
      }
    },
    async setGoneAt(agent, goneAt) {
      const unchanged = { _id: agent.position, goneAt: agent.goneAt };
      await documents.updateOne(agentIndex(shardOf(agent)), unchanged, { $set: { goneAt } });
    },
    async strike(agent) {
      const unchanged = { _id: positionOf(agent.agentId), goneAt: agent.goneAt };
      await documents.deleteOne(agentIndex(shardOf(agent)), unchanged);
    },
  };
}

function shardOf({ agentId }: { readonly agentId: string }): string {
  return agentId.slice(-1);
}

/** With the shard: on a store without partitions all of them are in one collection. */
function positionOf(agentId: string): string {
  return `${shardOf({ agentId })}${SEPARATOR}${agentId}`;
}

function textOrNull(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}
