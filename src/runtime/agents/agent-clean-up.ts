import { type Clock, isoTime } from "../../core/clock.ts";
import { AGENT_GONE_MS } from "../limits.ts";
import { PRUNE_RUNS } from "../runs/limits.ts";
import type { RunHistory } from "../runs/run-history.ts";
import type { AgentIndex, ListedAgent } from "./agent-index.ts";
import type { AgentStore } from "./agent-store.ts";

export interface AgentCleanUpReport {
  readonly interrupted: number;
  readonly removed: number;
  /** Calls of the store, about. */
  readonly calls: number;
}

/** The log into which an agent's runs go. */
export interface AgentLogs {
  /** Removes what is past its days. */
  trim(agent: Pick<ListedAgent, "serverId" | "ownerId">): Promise<void>;
  /** Removes the events of its runs, unless there is a server whose log it is. */
  forget(agent: Pick<ListedAgent, "agentId" | "serverId" | "ownerId">): Promise<void>;
}

/**
 * What the scheduled clean-up does for one agent of the index: trims its runs, and of one that is gone forgets them. The
 * same of their events, which no server's record leads to where the agent was made without one.
 * An agent counts as gone for good when AGENT_GONE_MS later it is still not there: by then it is neither just being
 * made nor running, and what it left is forgotten once more and for the last time. One that its server has not known
 * for as long is settled: a create or a removal of it broke off. May break off anywhere.
 */
export function createAgentCleanUp(deps: {
  readonly index: AgentIndex;
  readonly agents: Pick<AgentStore, "find" | "clearGone" | "isBound" | "settleUnbound">;
  readonly history: Pick<RunHistory, "cleanUpRuns" | "forget">;
  readonly logs: AgentLogs;
  readonly clock: Clock;
}): (agent: ListedAgent) => Promise<AgentCleanUpReport> {
  const { index, agents, history, logs, clock } = deps;

  /** Returns about how many calls of the store it took. */
  async function forget(agent: ListedAgent): Promise<number> {
    await history.forget(agent.agentId);
    const now = clock.now();
    if (agent.goneAt === null) await index.setGoneAt(agent, isoTime(now));
    else if (agent.goneAt < isoTime(now - AGENT_GONE_MS)) {
      await logs.forget(agent);
      await agents.clearGone(agent);
      await index.strike(agent);
      return FORGET_CALLS + CLEAR_CALLS;
    }
    return FORGET_CALLS;
  }

  /** One that its server does not know is not found by it, and not removed with it: it would answer for ever. */
  async function checkBinding(agent: ListedAgent): Promise<void> {
    const now = clock.now();
    if (await agents.isBound(agent)) {
      if (agent.goneAt !== null) await index.setGoneAt(agent, null);
    } else if (agent.goneAt === null) {
      await index.setGoneAt(agent, isoTime(now));
    } else if (agent.goneAt < isoTime(now - AGENT_GONE_MS)) {
      await agents.settleUnbound(agent);
      await index.setGoneAt(agent, isoTime(now));
    }
  }

  return async function cleanUpAgent(agent) {
    if ((await agents.find(agent.agentId)) === null) {
      return { interrupted: 0, removed: 0, calls: await forget(agent) };
    }
    await checkBinding(agent);
    const { interrupted, removed } = await history.cleanUpRuns(agent.agentId);
    await logs.trim(agent);
    const calls =
      QUIET_CALLS + CALLS_PER_INTERRUPTED * interrupted + CALLS_PER_PRUNING * Math.ceil(removed / PRUNE_RUNS);
    return { interrupted, removed, calls };
  };
}

/** Looks for the agent, forgets runs and sums, and changes the entry. */
const FORGET_CALLS = 5;
/** Looks for the server, forgets events, and clears what else stands for the agent. */
const CLEAR_CALLS = 5;
/** Looks for the agent, its binding and its sums, sweeps, and removes what is old. */
const QUIET_CALLS = 7;
const CALLS_PER_INTERRUPTED = 4;
const CALLS_PER_PRUNING = 4;
