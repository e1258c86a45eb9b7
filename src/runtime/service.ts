import { type Actor, authorize, authorizeOwner, type Call, mayAccess, type Scope } from "../core/actor.ts";
import { type Clock, isoTime } from "../core/clock.ts";
import { notFound, validationFailed } from "../core/errors.ts";
import type { IdSource } from "../core/ids.ts";
import type { Defer, Logger } from "../core/logger.ts";
import { ok, type Result } from "../core/result.ts";
import { PROBLEMS } from "../http/problem.ts";
import { toPage } from "../http/schemas.ts";
import type { ExecutionLog } from "../servers/execution-log.ts";
import type { Documents } from "../storage/documents/documents.ts";
import { type AgentRecord, createAgentStore, graphOf, storedGraph } from "./agents/agent-store.ts";
import { agentIdSchema, type CreateAgent, type RunStats, type RunTrace, runIdSchema } from "./contract.ts";
import { type Execution, executePlan, type RunRequest } from "./execution/executor.ts";
import { type Plan, planGraph } from "./graph/graph.ts";
import { PLAN_CACHE_MAX_ENTRIES } from "./limits.ts";
import type { Registry } from "./registry.ts";
import { createRunHistory } from "./runs/run-history.ts";
import type { GraphAnswer, ToolServices } from "./tool.ts";

/** What the agents contract answers about an agent. */
export interface Agent {
  readonly agentId: string;
  readonly publicEndpoint: string;
  readonly dashboardUrl: string;
  readonly name: string;
  readonly description: string;
  readonly metadata: CreateAgent["metadata"];
}

export interface Run {
  readonly runId: string;
  /** What the graph answered, or how the run failed. */
  readonly result: Result<GraphAnswer>;
  readonly trace: RunTrace;
}

export interface RuntimeService {
  /** Scope `deploy`. `created` is false where the server had its agent already: the agent now runs the given graph. */
  createAgent(call: Call, body: CreateAgent): Promise<Result<{ readonly agent: Agent; readonly created: boolean }>>;
  /** Scope `servers:read`, as all that only looks. */
  getAgent(call: Call, agentId: string): Promise<Result<Agent>>;
  findAgent(call: Call, serverId: string, ownerId?: string): Promise<Result<Agent>>;
  /** Scope `deploy`. The agent keeps its id, its server and its owner. */
  replaceAgent(call: Call, agentId: string, body: CreateAgent): Promise<Result<Agent>>;
  /** Scope `deploy`. What was kept of its runs goes too. */
  removeAgent(call: Call, agentId: string): Promise<Result<null>>;
  /** A public agent runs for anybody, another one for its owner's keys with `agents:run`. */
  run(call: Call, agentId: string, request: RunRequest): Promise<Result<Run>>;
  listRuns(
    call: Call,
    agentId: string,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Result<{ readonly items: readonly RunTrace[]; readonly nextCursor: string | null }>>;
  getRun(call: Call, agentId: string, runId: string): Promise<Result<RunTrace>>;
  /** For this Worker's own use: the caller has checked whose agent it is. Zeros for an agent that never ran. */
  stats(agentId: string): Promise<RunStats>;
}

export interface RuntimeDeps {
  readonly documents: Documents;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly log: Logger;
  readonly defer: Defer;
  readonly executionLog: ExecutionLog;
  readonly registry: Registry;
  readonly services: ToolServices;
}

/** The data plane: keeps agents and runs them. Holds no I/O objects, so one serves all requests of an isolate. */
export function createRuntimeService(deps: RuntimeDeps): RuntimeService {
  const { ids, log, defer, executionLog, registry } = deps;
  const store = createAgentStore(deps);
  const history = createRunHistory(deps);
  const planOf = createPlanCache(registry);

  /** The agent if the caller's owner has it; another's is as absent as none. */
  async function findOwn(call: Call, scope: Scope, agentId: string): Promise<Result<AgentRecord>> {
    const access = authorize(call.actor, scope);
    if (!access.ok) return access;
    const agent = isAgentId(agentId) ? await store.find(agentId) : null;
    return agent !== null && mayAccess(access.value, agent.ownerId) ? ok(agent) : notFound("agent");
  }

  function checkGraph(body: CreateAgent): Result<null> {
    const plan = planGraph(graphOf(body), registry);
    return plan.ok ? ok(null) : validationFailed(plan.error);
  }

  /** After the answer: nobody waits for it, and a run whose trace is lost was a run all the same. */
  function keep(trace: RunTrace, ownerId: string, actor: Actor): void {
    const { runId, agentId, serverId, requestId, outcome, status, durationMs } = trace;
    const event = executionLog.append({
      serverId,
      ownerId,
      type: outcome === "ok" ? "run_complete" : "run_failed",
      message: `run answered ${status} after ${durationMs} ms`,
      // The log is the owner's to read, and whose keys others hold is not their business.
      actor: actor.kind === "key" && actor.ownerId !== ownerId ? "anonymous" : actor.id,
      requestId,
      data: { runId, agentId, outcome, status, durationMs, error: trace.error },
    });
    defer("run_event", event);
    defer("run_trace", history.record(trace));
  }

  return {
    async createAgent(call, body) {
      const owner = authorizeOwner(call.actor, "deploy", body.metadata.ownerId);
      if (!owner.ok) return owner;
      const sound = checkGraph(body);
      if (!sound.ok) return sound;
      const made = await store.create(body, owner.value);
      if (!made.ok) return made;
      const { agent, created } = made.value;
      log.info("agent_written", { agentId: agent._id, serverId: agent.serverId, version: agent.version, created });
      return ok({ agent: toAgent(agent, call.origin), created });
    },
    async getAgent(call, agentId) {
      const agent = await findOwn(call, "servers:read", agentId);
      return agent.ok ? ok(toAgent(agent.value, call.origin)) : agent;
    },
    async findAgent(call, serverId, ownerId) {
      const access = authorize(call.actor, "servers:read", ownerId);
      if (!access.ok) return access;
      const agent = await store.findByServer(serverId, access.value.kind === "owner" ? access.value.ownerId : null);
      return agent === null ? notFound("agent") : ok(toAgent(agent, call.origin));
    },
    async replaceAgent(call, agentId, body) {
      const owner = authorizeOwner(call.actor, "deploy", body.metadata.ownerId);
      if (!owner.ok) return owner;
      const found = await findOwn(call, "deploy", agentId);
      if (!found.ok) return found;
      if (found.value.ownerId !== owner.value) return notFound("agent");
      if (found.value.serverId !== body.metadata.serverId) {
        return validationFailed([{ path: "metadata.serverId", message: "this agent serves another server" }]);
      }
      const sound = checkGraph(body);
      if (!sound.ok) return sound;
      const agent = await store.replace(found.value, body);
      return agent === null ? notFound("agent") : ok(toAgent(agent, call.origin));
    },
    async removeAgent(call, agentId) {
      const found = await findOwn(call, "deploy", agentId);
      if (!found.ok) return found;
      if (!(await store.remove(found.value))) return notFound("agent");
      defer("forget_runs", history.forget(agentId));
      return ok(null);
    },
    async run(call, agentId, request) {
      const agent = isAgentId(agentId) ? await store.find(agentId) : null;
      if (agent === null) return notFound("agent");
      if (agent.access === "key") {
        const access = authorize(call.actor, "agents:run");
        if (!access.ok) return access;
        if (!mayAccess(access.value, agent.ownerId)) return notFound("agent");
      }
      const runId = ids.next("run");
      const order = { runId, agentId, ownerId: agent.ownerId, request, asOwner: callAsOwner(call, agent) };
      const execution = await executePlan(planOf(agent), order, deps);
      const trace = toTrace(execution, runId, agent, call.requestId);
      keep(trace, agent.ownerId, call.actor);
      return ok({ runId, result: execution.result, trace });
    },
    async listRuns(call, agentId, { limit, cursor }) {
      const agent = await findOwn(call, "servers:read", agentId);
      if (!agent.ok) return agent;
      return ok(toPage(await history.list(agentId, limit + 1, cursor), limit, (run) => run.runId));
    },
    async getRun(call, agentId, runId) {
      const agent = await findOwn(call, "servers:read", agentId);
      if (!agent.ok) return agent;
      const run = runIdSchema.safeParse(runId).success ? await history.find(agentId, runId) : null;
      return run === null ? notFound("run") : ok(run);
    },
    stats: (agentId) => history.stats(agentId),
  };
}

/** An id of another form is none of ours: not found, without a look. */
function isAgentId(text: string): boolean {
  return agentIdSchema.safeParse(text).success;
}

function toAgent(agent: AgentRecord, origin: string): Agent {
  const { _id: agentId, name, description, createdBy, serverId, serverCreatedAt, ownerId, version, access } = agent;
  return {
    agentId,
    publicEndpoint: `${origin}/agents/${agentId}`,
    dashboardUrl: `${origin}/dashboard/agents/${agentId}`,
    name,
    description,
    metadata: { createdBy, serverId, createdAt: serverCreatedAt, ownerId, version, access },
  };
}

/** A graph acts for its owner whoever calls it, and may do no more than its tools need. */
function callAsOwner({ requestId, origin, signal }: Call, agent: AgentRecord): Call {
  const actor: Actor = { kind: "key", id: agent._id, ownerId: agent.ownerId, scopes: new Set(["search"]) };
  return { actor, requestId, origin, ...(signal === undefined ? {} : { signal }) };
}

function toTrace(execution: Execution, runId: string, agent: AgentRecord, requestId: string): RunTrace {
  const { result, steps, startedAtMs, durationMs } = execution;
  const status = result.ok ? result.value.status : PROBLEMS[result.error.code].status;
  const timedOut = !result.ok && result.error.code === "RUN_TIMEOUT";
  return {
    runId,
    agentId: agent._id,
    serverId: agent.serverId,
    version: agent.version,
    requestId,
    outcome: timedOut ? "timeout" : status < 500 ? "ok" : "failed",
    status,
    startedAt: isoTime(startedAtMs),
    durationMs,
    error: result.ok || status < 500 ? null : result.error.detail,
    steps: [...steps],
  };
}

/** Plans of agents by their revision, the least recently run dropped first. */
function createPlanCache(registry: Registry): (agent: AgentRecord) => Plan {
  const cache = new Map<string, { readonly revision: string; readonly plan: Plan }>();
  return (agent) => {
    const known = cache.get(agent._id);
    cache.delete(agent._id);
    const entry =
      known?.revision === agent.revision ? known : { revision: agent.revision, plan: replan(agent, registry) };
    cache.set(agent._id, entry);
    const [oldest] = cache.keys();
    if (cache.size > PLAN_CACHE_MAX_ENTRIES && oldest !== undefined) cache.delete(oldest);
    return entry.plan;
  };
}

/** @throws where a stored graph is no longer right: a tool was taken out of this version. */
function replan(agent: AgentRecord, registry: Registry): Plan {
  const plan = planGraph(storedGraph(agent), registry);
  if (plan.ok) return plan.value;
  const [fault] = plan.error;
  throw new Error(`the stored graph of ${agent._id} does not plan: ${fault?.path} ${fault?.message}`);
}
