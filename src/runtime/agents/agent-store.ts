import * as z from "zod";
import type { AtOnce } from "../../core/at-once.ts";
import { type Clock, isoTime } from "../../core/clock.ts";
import type { IdSource } from "../../core/ids.ts";
import { inLanes } from "../../core/in-lanes.ts";
import type { Json } from "../../core/json.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { agentBindings, agentShard, agents } from "../../storage/documents/collections.ts";
import type { Documents, Filter } from "../../storage/documents/documents.ts";
import { accessSchema, type CreateAgent, type Graph } from "../contract.ts";
import { CREATE_MAX_ATTEMPTS, REVISION_READS_AT_ONCE } from "../limits.ts";
import { createAgentIndex } from "./agent-index.ts";

const agentRecord = z.object({
  _id: z.string(),
  ownerId: z.string(),
  serverId: z.string(),
  name: z.string(),
  description: z.string(),
  createdBy: z.string(),
  /** When the server was made, as its deployer said. */
  serverCreatedAt: z.string(),
  version: z.int(),
  access: accessSchema,
  /** New with every write: what was made of an earlier graph shows as such. */
  revision: z.string(),
  /** As text: names in configs and schemas (`$ref`, `a.b`) are none that every store takes. */
  graph: z.string(),
  /** As text, like the graph. */
  policy: z.string().default("{}"),
  createdAt: z.string(),
  updatedAt: z.string(),
});

/** An agent as it is stored. */
export type AgentRecord = z.output<typeof agentRecord>;

/** Which agent is meant, also where none is left. */
interface AgentKey {
  readonly agentId: string;
  readonly serverId: string;
  readonly ownerId: string;
}

const bindingRecord = z.object({
  _id: z.string(),
  serverId: z.string(),
  agentId: z.string(),
  ownerId: z.string(),
  createdAt: z.string(),
  /** Set before the agent is removed, which answers until its record goes: a create makes a new one in its place. */
  removing: z.boolean(),
});

type Binding = z.output<typeof bindingRecord>;

export interface AgentStore {
  find(agentId: string): AtOnce<AgentRecord | null>;
  /** Which revision each of these agents has now; those that are gone are not in it. */
  revisionsOf(agentIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** The agent that serves an owner's server; of any owner's where none is named. One whose removal failed is there. */
  findByServer(serverId: string, ownerId: string | null): Promise<AgentRecord | null>;
  /** One agent per owner and server: the one that is there takes the new graph. */
  create(
    body: CreateAgent,
    ownerId: string,
  ): Promise<Result<{ readonly agent: AgentRecord; readonly created: boolean }>>;
  /** Null where the agent went away meanwhile. */
  replace(agent: AgentRecord, body: CreateAgent): Promise<AgentRecord | null>;
  /** False where the agent went away meanwhile. */
  remove(agent: AgentRecord): Promise<boolean>;
  /**
   * What a create or a removal left that ended half-way: for an agent that has been missing for AGENT_GONE_MS. One that a
   * create brings back meanwhile stays, or that create makes another.
   */
  clearGone(agent: AgentKey): Promise<void>;
  /** Whether the binding of its server names the agent, and no removal of it has begun. */
  isBound(agent: AgentKey): Promise<boolean>;
  /** For an agent that has not been bound for AGENT_GONE_MS: a removal that broke off is undone; else the agent goes. */
  settleUnbound(agent: AgentKey): Promise<void>;
}

/**
 * Two documents make an agent: the binding decides which agent a server has, the record says what it runs. A crash
 * between the two leaves a binding alone; the next create of the same server completes or replaces it, or the clean-up
 * removes it. The agent is entered in the index before both.
 */
export function createAgentStore(deps: {
  readonly documents: Documents;
  readonly ids: IdSource;
  readonly clock: Clock;
}): AgentStore {
  const { documents, ids, clock } = deps;
  const index = createAgentIndex({ documents });

  async function find(agentId: string): Promise<AgentRecord | null> {
    const found = await documents.findOne(agents(agentId), { _id: agentId });
    return found === null ? null : agentRecord.parse(found);
  }

  async function revisionsOf(agentIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const revisions = new Map<string, string>();
    async function read([anyOf = "", ...others]: readonly string[]): Promise<void> {
      const filter = { _id: { $in: [anyOf, ...others] } };
      const limit = others.length + 1;
      for (const { _id, revision } of await documents.find(agents(anyOf), { filter, limit, fields: ["revision"] })) {
        revisions.set(_id, String(revision));
      }
    }
    await inLanes(groupByPartition(agentIds), REVISION_READS_AT_ONCE, read);
    return revisions;
  }

  async function findBinding(serverId: string, filter: Filter): Promise<Binding | null> {
    const found = await documents.findOne(agentBindings(serverId), filter);
    return found === null ? null : bindingRecord.parse(found);
  }

  /** The binding that holds after this call, made by it or before it; null where it changed meanwhile. */
  async function bind(serverId: string, ownerId: string): Promise<{ binding: Binding; created: boolean } | null> {
    const _id = bindingId(serverId, ownerId);
    const fresh = {
      _id,
      serverId,
      agentId: ids.next("agent"),
      ownerId,
      createdAt: isoTime(clock.now()),
      removing: false,
    };
    await index.note(fresh);
    const inserted = await documents.insertOne(agentBindings(serverId), fresh);
    if (inserted.ok) return { binding: fresh, created: true };
    const binding = await findBinding(serverId, { _id });
    if (binding?.removing && (await takeOver(binding, fresh))) return { binding: fresh, created: true };
    // Nothing was made under this id.
    await index.strike({ ...fresh, goneAt: null });
    if (binding === null || binding.removing) return null;
    await index.note(binding);
    return { binding, created: false };
  }

  async function takeOver(removed: Binding, fresh: Binding): Promise<boolean> {
    const { _id, agentId, serverId } = removed;
    // The removal may have ended half-way: behind the new binding nobody would know of this agent any more.
    await documents.deleteOne(agents(agentId), { _id: agentId });
    const { _id: _, ...taken } = fresh;
    const filter = { _id, agentId, removing: true };
    const takenOver = await documents.updateOne(agentBindings(serverId), filter, { $set: taken });
    return takenOver.ok && takenOver.value.modifiedCount === 1;
  }

  function recordOf(body: CreateAgent, agentId: string, ownerId: string, createdAt: string): AgentRecord {
    const { serverId, version, access, createdBy, policy } = body.metadata;
    return {
      _id: agentId,
      ownerId,
      serverId,
      name: body.name,
      description: body.description,
      createdBy,
      serverCreatedAt: body.metadata.createdAt,
      version,
      access,
      revision: ids.next("rev"),
      graph: JSON.stringify(graphOf(body)),
      policy: JSON.stringify(policy),
      createdAt,
      updatedAt: isoTime(clock.now()),
    };
  }

  async function isBound({ agentId, serverId, ownerId }: AgentKey): Promise<boolean> {
    const binding = await findBinding(serverId, { _id: bindingId(serverId, ownerId) });
    return binding !== null && binding.agentId === agentId && !binding.removing;
  }

  /** False where another agent, or none, has its place by now. */
  async function undoRemoval({ agentId, serverId, ownerId }: AgentKey): Promise<boolean> {
    const marked = { _id: bindingId(serverId, ownerId), agentId, removing: true };
    const undone = await documents.updateOne(agentBindings(serverId), marked, { $set: { removing: false } });
    return undone.ok && undone.value.matchedCount === 1;
  }

  return {
    find,
    revisionsOf,
    async findByServer(serverId, ownerId) {
      const filter = ownerId === null ? { serverId } : { _id: bindingId(serverId, ownerId) };
      const binding = await findBinding(serverId, filter);
      return binding === null ? null : find(binding.agentId);
    },
    async create(body, ownerId) {
      const { serverId } = body.metadata;
      for (let attempt = 0; attempt < CREATE_MAX_ATTEMPTS; attempt++) {
        const bound = await bind(serverId, ownerId);
        if (bound === null) continue;
        const { binding, created } = bound;
        const agent = recordOf(body, binding.agentId, ownerId, binding.createdAt);
        const written = await documents.replaceOne(agents(agent._id), { _id: agent._id }, agent, { upsert: true });
        // Another create of this server inserted first: this one's graph is still to be written.
        if (!written.ok) continue;
        // A removal may have passed in between.
        if (await isBound(binding)) return ok({ agent, created });
        await documents.deleteOne(agents(agent._id), { _id: agent._id });
      }
      return err({ code: "DUPLICATE", detail: `the agent of ${serverId} is being removed: try again` });
    },
    async replace(agent, body) {
      const replacement = recordOf(body, agent._id, agent.ownerId, agent.createdAt);
      const replaced = await documents.replaceOne(agents(agent._id), { _id: agent._id }, replacement);
      return replaced.ok && replaced.value.matchedCount === 1 ? replacement : null;
    },
    async remove(agent) {
      const { _id: agentId, serverId, ownerId } = agent;
      const binding = { _id: bindingId(serverId, ownerId), agentId };
      await documents.updateOne(agentBindings(serverId), binding, { $set: { removing: true } });
      const { deletedCount } = await documents.deleteOne(agents(agentId), { _id: agentId });
      await documents.deleteOne(agentBindings(serverId), { ...binding, removing: true });
      return deletedCount === 1;
    },
    isBound,
    async clearGone(agent) {
      const { agentId, serverId, ownerId } = agent;
      const binding = { _id: bindingId(serverId, ownerId), agentId };
      // Marked before the look: what a create writes from now on under this id, it takes back itself.
      await documents.updateOne(agentBindings(serverId), binding, { $set: { removing: true } });
      if ((await find(agentId)) !== null) await undoRemoval(agent);
      else await documents.deleteOne(agentBindings(serverId), { ...binding, removing: true });
    },
    async settleUnbound(agent) {
      // An id that no binding names is never bound again: a create that writes it now takes it back itself.
      if ((await undoRemoval(agent)) || (await isBound(agent))) return;
      await documents.deleteOne(agents(agent.agentId), { _id: agent.agentId });
    },
  };
}

/** Agents that one query of their collection finds. */
function groupByPartition(agentIds: readonly string[]): readonly (readonly string[])[] {
  const groups = new Map<string, string[]>();
  for (const agentId of agentIds) {
    const shard = agentShard(agentId);
    const group = groups.get(shard);
    if (group === undefined) groups.set(shard, [agentId]);
    else group.push(agentId);
  }
  return [...groups.values()];
}

export function graphOf(body: CreateAgent): Graph {
  return { tools: body.tools, executionOrder: body.executionOrder, inputSchema: body.inputSchema };
}

/** Of a stored record. It was checked before it was written. */
export function storedGraph(agent: AgentRecord): Graph {
  return JSON.parse(agent.graph) as Graph;
}

/** Of a stored record, checked again when it is planned. */
export function storedPolicy(agent: AgentRecord): Json {
  return JSON.parse(agent.policy) as Json;
}

/** By owner too: nobody can take another's server away by naming it first. A serverId holds no colon. */
function bindingId(serverId: string, ownerId: string): string {
  return `${serverId}:${ownerId}`;
}
