import type { Clock } from "../../core/clock.ts";
import { AGENT_CACHE_MAX_CHARS, AGENT_CACHE_MS } from "../limits.ts";
import type { AgentRecord, AgentStore } from "./agent-store.ts";

interface Known {
  readonly agent: AgentRecord;
  readonly chars: number;
  readonly readAtMs: number;
}

/**
 * Remembers agents for AGENT_CACHE_MS, so that a hot one costs the store one read in that time. What this isolate changes
 * it sees at once, what others change within that time. Absence is never remembered. Bounded by the size of the graphs;
 * those read longest ago go first.
 */
export function createCachedAgents(store: AgentStore, clock: Clock): AgentStore {
  // A Map keeps the order of insertion.
  const known = new Map<string, Known>();
  let chars = 0;
  /** A read that was under way while something changed says nothing of now. */
  let changes = 0;

  function forget(agentId: string): void {
    changes++;
    drop(agentId);
  }

  function drop(agentId: string): void {
    chars -= known.get(agentId)?.chars ?? 0;
    known.delete(agentId);
  }

  function remember(agent: AgentRecord, readAtMs: number): void {
    drop(agent._id);
    const size = agent.graph.length + agent.policy.length;
    known.set(agent._id, { agent, chars: size, readAtMs });
    chars += size;
    for (const oldest of known.keys()) {
      if (chars <= AGENT_CACHE_MAX_CHARS) return;
      drop(oldest);
    }
  }

  async function changing<T>(agentId: string, work: Promise<T>): Promise<T> {
    forget(agentId);
    try {
      return await work;
    } finally {
      forget(agentId);
    }
  }

  return {
    async find(agentId) {
      const now = clock.now();
      const found = known.get(agentId);
      if (found !== undefined && now - found.readAtMs < AGENT_CACHE_MS) return found.agent;
      const before = changes;
      const agent = await store.find(agentId);
      if (before === changes) {
        if (agent === null) drop(agentId);
        else remember(agent, now);
      }
      return agent;
    },
    findByServer: store.findByServer,
    async create(body, ownerId) {
      const made = await store.create(body, ownerId);
      if (made.ok) forget(made.value.agent._id);
      return made;
    },
    replace: (agent, body) => changing(agent._id, store.replace(agent, body)),
    remove: (agent) => changing(agent._id, store.remove(agent)),
    clearRemoved: store.clearRemoved,
  };
}
