import type { Clock } from "../../core/clock.ts";
import type { Defer } from "../../core/logger.ts";
import { createOneAtATime } from "../../core/one-at-a-time.ts";
import { createRecent } from "../../core/recent.ts";
import { AGENT_CACHE_MAX_CHARS, AGENT_CACHE_MS, AGENT_RECHECK_MS, RECHECK_GRACE_MS } from "../limits.ts";
import type { AgentRecord, AgentStore } from "./agent-store.ts";

interface Known {
  readonly agent: AgentRecord;
  /** When it was read, or found to be what is stored still. */
  checkedAtMs: number;
  usedAtMs: number;
}

/**
 * Remembers agents for AGENT_CACHE_MS. Those in use are compared with the store before that time is up, behind an answer
 * and all at once, so that a thousand hot agents cost hardly more than one. What this isolate changes it sees at once,
 * what others change within AGENT_CACHE_MS. Absence is never remembered. Bounded by the size of the graphs; those read
 * longest ago go first.
 */
export function createCachedAgents(deps: {
  readonly store: AgentStore;
  readonly clock: Clock;
  readonly defer: Defer;
}): AgentStore {
  const { store, clock, defer } = deps;
  const known = createRecent<Known>(AGENT_CACHE_MAX_CHARS, undefined, sizeOf);
  /** A read that was under way while something changed says nothing of now. */
  let changes = 0;
  const recheckSoon = createOneAtATime({ clock, defer }, "recheck_agents", RECHECK_GRACE_MS);

  function forget(agentId: string): void {
    changes++;
    known.delete(agentId);
  }

  /** A create may have removed another agent than the one that it made. */
  function forgetServer(serverId: string, ownerId: string): void {
    changes++;
    for (const [agentId, { agent }] of [...known.entries()]) {
      if (agent.serverId === serverId && agent.ownerId === ownerId) known.delete(agentId);
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

  async function read(agentId: string, nowMs: number): Promise<AgentRecord | null> {
    const before = changes;
    const agent = await store.find(agentId);
    if (before === changes) {
      if (agent === null) known.delete(agentId);
      else known.set(agentId, { agent, checkedAtMs: nowMs, usedAtMs: nowMs });
    }
    return agent;
  }

  /** Of those in use; an entry that was dropped or read anew meanwhile is no longer this one's business. */
  async function recheck(): Promise<void> {
    const nowMs = clock.now();
    const due = [...known.entries()].filter(
      // Before their time is up: then they are not due one by one.
      ([, entry]) => nowMs - entry.usedAtMs < AGENT_CACHE_MS && nowMs - entry.checkedAtMs >= AGENT_RECHECK_MS / 2,
    );
    const revisions = await store.revisionsOf(due.map(([agentId]) => agentId));
    for (const [agentId, entry] of due) {
      if (known.get(agentId) !== entry) continue;
      if (revisions.get(agentId) === entry.agent.revision) entry.checkedAtMs = nowMs;
      else known.delete(agentId);
    }
  }

  return {
    find(agentId) {
      const nowMs = clock.now();
      const entry = known.get(agentId);
      const ageMs = entry === undefined ? Number.POSITIVE_INFINITY : nowMs - entry.checkedAtMs;
      if (entry === undefined || ageMs >= AGENT_CACHE_MS) return read(agentId, nowMs);
      entry.usedAtMs = nowMs;
      if (ageMs >= AGENT_RECHECK_MS) recheckSoon(recheck);
      return entry.agent;
    },
    revisionsOf: store.revisionsOf,
    findByServer: store.findByServer,
    async create(body, ownerId) {
      try {
        return await store.create(body, ownerId);
      } finally {
        forgetServer(body.metadata.serverId, ownerId);
      }
    },
    replace: (agent, body) => changing(agent._id, store.replace(agent, body)),
    remove: (agent) => changing(agent._id, store.remove(agent)),
    clearGone: store.clearGone,
    isBound: store.isBound,
    settleUnbound: (agent) => changing(agent.agentId, store.settleUnbound(agent)),
  };
}

function sizeOf({ agent }: Known): number {
  return agent.graph.length + agent.policy.length;
}
