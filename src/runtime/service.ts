import { authorize, authorizeOwner, type Call, mayAccess, type Scope } from "../core/actor.ts";
import { type AtOnce, goOn } from "../core/at-once.ts";
import type { Clock } from "../core/clock.ts";
import { notFound, validationFailed } from "../core/errors.ts";
import type { Defer, Logger } from "../core/logger.ts";
import { err, ok, type Result } from "../core/result.ts";
import { toPage } from "../http/schemas.ts";
import { refuseCaller } from "./agents/agent-access.ts";
import { type AgentRecord, type AgentStore, graphOf, storedPolicy } from "./agents/agent-store.ts";
import { type CreateAgent, isAgentId, policySchema, type RunStats, type RunTrace, runIdSchema } from "./contract.ts";
import type { RunRequest } from "./execution/executor.ts";
import type { Plans } from "./plans.ts";
import type { Run, Runner, RunOptions, TestedServer, TestRunOptions } from "./runner.ts";
import type { RunHistory } from "./runs/run-history.ts";
import { type TestedBy, testRunsOf } from "./runs/run-ids.ts";
import { type RunStreamOptions, streamRuns } from "./runs/run-stream.ts";
import { createRunTexts } from "./runs/run-texts.ts";

/** What the agents contract answers about an agent. */
export interface Agent {
  readonly agentId: string;
  readonly publicEndpoint: string;
  readonly dashboardUrl: string;
  readonly name: string;
  readonly description: string;
  readonly metadata: CreateAgent["metadata"];
}

export interface RunPage {
  readonly items: readonly RunTrace[];
  readonly nextCursor: string | null;
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
  run(call: Call, agentId: string, request: RunRequest, options: RunOptions): AtOnce<Result<Run>>;
  /** Runs a graph that is not deployed, as its agent would; the caller has checked whose server it is. */
  testRun(call: Call, server: TestedServer, request: RunRequest, options: TestRunOptions): Promise<Result<Run>>;
  listRuns(
    call: Call,
    agentId: string,
    page: {
      readonly limit: number;
      readonly cursor?: string | undefined;
      readonly outcome?: RunTrace["outcome"] | undefined;
    },
  ): Promise<Result<RunPage>>;
  getRun(call: Call, agentId: string, runId: string): Promise<Result<RunTrace>>;
  /** The agent's runs as they happen: see `run-stream.ts`. */
  followRuns(
    call: Call,
    agentId: string,
    options: Pick<RunStreamOptions, "lastEventId" | "limit" | "outcome" | "signal" | "mayContinue" | "place">,
  ): Promise<Result<Response>>;
  /** Tests of a server's graph; the caller has checked whose server it is. */
  listTestRuns(
    server: TestedBy,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<RunPage>;
  /** For this Worker's own use: the caller has checked whose agent it is. Zeros for an agent that never ran. */
  stats(agentId: string): Promise<RunStats>;
}

export interface RuntimeDeps {
  readonly agents: AgentStore;
  readonly runner: Runner;
  readonly plans: Plans;
  readonly history: RunHistory;
  readonly clock: Clock;
  readonly log: Logger;
  readonly defer: Defer;
}

/** The data plane: keeps agents and runs them. Holds no I/O objects, so one serves all requests of an isolate. */
export function createRuntimeService(deps: RuntimeDeps): RuntimeService {
  const { agents: store, runner, plans, history, clock, log, defer } = deps;
  const texts = createRunTexts(deps);

  /** The agent if the caller's owner has it; another's is as absent as none. */
  async function findOwn(call: Call, scope: Scope, agentId: string): Promise<Result<AgentRecord>> {
    const access = authorize(call.actor, scope);
    if (!access.ok) return access;
    const agent = isAgentId(agentId) ? await store.find(agentId) : null;
    return agent !== null && mayAccess(access.value, agent.ownerId) ? ok(agent) : notFound("agent");
  }

  async function checkGraph(body: CreateAgent): Promise<Result<null>> {
    const plan = await plans.plan(graphOf(body), body.metadata.policy);
    return plan.ok ? ok(null) : validationFailed(plan.error);
  }

  return {
    async createAgent(call, body) {
      const owner = authorizeOwner(call.actor, "deploy", body.metadata.ownerId);
      if (!owner.ok) return owner;
      const sound = await checkGraph(body);
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
      const sound = await checkGraph(body);
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
    run(call, agentId, request, options) {
      if (!isAgentId(agentId)) return notFound("agent");
      return goOn(store.find(agentId), (agent) => {
        if (agent === null) return notFound("agent");
        const refused = refuseCaller(call.actor, agent);
        return refused === null ? runner.runAgent(call, agent, request, options) : err(refused);
      });
    },
    testRun: (call, server, request, options) => runner.testRun(call, server, request, options),
    async listRuns(call, agentId, { limit, cursor, outcome }) {
      const agent = await findOwn(call, "servers:read", agentId);
      if (!agent.ok) return agent;
      return ok(toPage(await history.list(agentId, limit + 1, cursor, outcome), limit, (run) => run.runId));
    },
    async getRun(call, agentId, runId) {
      const agent = await findOwn(call, "servers:read", agentId);
      if (!agent.ok) return agent;
      const run = runIdSchema.safeParse(runId).success ? await history.find(agentId, runId) : null;
      return run === null ? notFound("run") : ok(run);
    },
    async followRuns(call, agentId, options) {
      const agent = await findOwn(call, "servers:read", agentId);
      return agent.ok ? streamRuns({ history, texts, clock, log, keeper: agentId, ...options }) : agent;
    },
    async listTestRuns(server, { limit, cursor }) {
      return toPage(await history.list(testRunsOf(server), limit + 1, cursor), limit, (run) => run.runId);
    },
    stats: (agentId) => history.stats(agentId),
  };
}

function toAgent(agent: AgentRecord, origin: string): Agent {
  const { _id: agentId, name, description, createdBy, serverId, serverCreatedAt, ownerId, version, access } = agent;
  const policy = policySchema.catch({}).parse(storedPolicy(agent));
  return {
    agentId,
    publicEndpoint: `${origin}/agents/${agentId}`,
    dashboardUrl: `${origin}/dashboard/agents/${agentId}`,
    name,
    description,
    metadata: { createdBy, serverId, createdAt: serverCreatedAt, ownerId, version, access, policy },
  };
}
