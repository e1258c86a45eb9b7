import type { Actor, Call, Scope } from "../core/actor.ts";
import type { Clock } from "../core/clock.ts";
import { validationFailed } from "../core/errors.ts";
import type { IdSource, RandomBytes } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import type { Logger } from "../core/logger.ts";
import { createRecent } from "../core/recent.ts";
import { ok, type Result } from "../core/result.ts";
import type { TraceHeaders } from "../core/trace-context.ts";
import type { NewLogEvent } from "../servers/execution-log.ts";
import { type AgentRecord, type AgentStore, isAgentId } from "./agents/agent-store.ts";
import type { Graph, Policy, RunTrace } from "./contract.ts";
import { type ExecutorDeps, executePlan, type RunOrder, type RunRequest } from "./execution/executor.ts";
import type { Plan } from "./graph/graph.ts";
import { CALL_MAX_DEPTH, FAMILY_MAX_RUNS } from "./limits.ts";
import type { Plans } from "./plans.ts";
import type { RunAdmission } from "./run-admission.ts";
import type { RunJournal } from "./runs/run-journal.ts";
import type { RunRecorder } from "./runs/run-recorder.ts";
import type { RunSpan, RunTracing } from "./runs/run-tracing.ts";
import {
  fail,
  failForNow,
  type GraphAnswer,
  output,
  type RunFamily,
  type StepContext,
  type ToolResult,
  type ToolServices,
} from "./tool.ts";

export interface Run {
  readonly runId: string;
  /** What the graph answered, or how the run failed. */
  readonly result: Result<GraphAnswer>;
  readonly trace: RunTrace;
}

export interface RunOptions {
  readonly trigger: RunTrace["trigger"];
  /** Tells callers apart where the actor does not: the address of an anonymous one. */
  readonly callerAddress: string;
}

/** A graph that is not deployed. */
export type TestedServer = Graph & {
  readonly serverId: string;
  readonly ownerId: string;
  readonly version: number;
  readonly policy: Policy;
};

export interface TestRunOptions {
  /** Steps that would change something say what they would do instead. */
  readonly dryRun: boolean;
}

/** Runs agents and graphs, and keeps what happened. Who may run what has been decided before. */
export interface Runner {
  runAgent(call: Call, agent: AgentRecord, request: RunRequest, options: RunOptions): Promise<Result<Run>>;
  testRun(call: Call, server: TestedServer, request: RunRequest, options: TestRunOptions): Promise<Result<Run>>;
}

export interface RunnerDeps {
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  readonly plans: Plans;
  readonly admission: RunAdmission;
  readonly history: RunJournal;
  readonly recorder: RunRecorder;
  readonly tracing: RunTracing;
  readonly readSecrets: (ownerId: string, names: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** Of this Worker: exact values that no trace shows. */
  readonly credentials: readonly string[];
  /** All but what only the runtime itself can do for a tool. */
  readonly services: Omit<ToolServices, "callAgent" | "ownsAgent">;
}

/** A run that another run began belongs to its time and its family, and may not close a circle. */
interface Descent {
  readonly chain: readonly string[];
  /** Absent where the run begins one. */
  readonly family?: RunFamily;
  readonly deadlineAtMs?: number;
}

export function createRunner(
  deps: RunnerDeps & { readonly agents: Pick<AgentStore, "find" | "findByServer"> },
): Runner {
  const { agents, ids, log, plans, history, recorder, tracing } = deps;
  /** Runs of this isolate that stand in the journal. */
  const journalled = createRecent<true>(JOURNALLED_RUNS_MAX);
  const executor: ExecutorDeps = {
    clock: deps.clock,
    log,
    random: deps.random,
    services: { ...deps.services, ownsAgent, callAgent },
    journal: {
      async write(trace) {
        journalled.set(trace.runId, true);
        await history.write(trace);
      },
    },
    readSecrets: deps.readSecrets,
    credentials: deps.credentials,
  };

  async function findAgentOf(ownerId: string, agentId: string): Promise<AgentRecord | null> {
    const agent = isAgentId(agentId) ? await agents.find(agentId) : null;
    return agent?.ownerId === ownerId ? agent : null;
  }

  async function ownsAgent(ownerId: string, agentId: string): Promise<boolean> {
    return (await findAgentOf(ownerId, agentId)) !== null;
  }

  /** After the answer: nobody waits for it, and a run whose trace is lost was a run all the same. */
  function keep(trace: RunTrace, ownerId: string, actor: Actor, span: RunSpan): void {
    const { runId, agentId, serverId, requestId, outcome, status, durationMs } = trace;
    tracing.exportRun(trace, span);
    if (trace.dryRun) return;
    const event: NewLogEvent = {
      serverId,
      ownerId,
      type: outcome === "ok" ? "run_complete" : "run_failed",
      message: `run ${status === null ? `was ${outcome}` : `answered ${status}`} after ${durationMs} ms`,
      // The log is the owner's to read, and whose keys others hold is not their business.
      actor: actor.kind === "key" && actor.ownerId !== ownerId ? "anonymous" : actor.id,
      requestId,
      data: { runId, agentId, outcome, status, durationMs, error: trace.error },
    };
    recorder.keep({ trace, event, isJournalled: journalled.get(runId) !== undefined });
  }

  type Particulars = Pick<
    RunOrder,
    "agentId" | "tracedAgentId" | "ownerId" | "serverId" | "version" | "trigger" | "dryRun" | "caller"
  >;

  async function execute(
    call: Call,
    plan: Plan,
    request: RunRequest,
    particulars: Particulars,
    { chain, family = { runs: 1 }, deadlineAtMs }: Descent,
  ): Promise<Run> {
    const { agentId, ownerId } = particulars;
    const span = tracing.startRun(call.trace?.() ?? null);
    const runId = ids.next("run");
    const order: RunOrder = {
      ...particulars,
      runId,
      requestId: call.requestId,
      traceId: span.traceId,
      request,
      chain: [...chain, agentId],
      family,
      ...(deadlineAtMs === undefined ? {} : { deadlineAtMs }),
      asOwner: callAsOwner(call, agentId, ownerId, span),
    };
    const { result, trace } = await executePlan(plan, order, executor);
    keep(trace, ownerId, call.actor, span);
    return { runId, result, trace };
  }

  async function runAgent(
    call: Call,
    agent: AgentRecord,
    request: RunRequest,
    { trigger, callerAddress }: RunOptions,
    descent: Descent,
  ): Promise<Result<Run>> {
    const { _id: agentId, ownerId, serverId, version } = agent;
    const plan = await plans.planOf(agent);
    const caller = callerOf(call.actor, callerAddress);
    const admitted = await deps.admission.admit({ agentId, ownerId, callerId: caller.id, rate: plan.policy.rate });
    if (!admitted.ok) return admitted;
    const particulars = { agentId, tracedAgentId: agentId, ownerId, serverId, version, trigger, dryRun: false, caller };
    return ok(await execute(call, plan, request, particulars, descent));
  }

  async function callAgent(context: StepContext, agentId: string, input: Json): Promise<ToolResult> {
    const { chain, family, ownerId, deadlineAtMs } = context.run;
    if (chain.includes(agentId)) return fail(`agents call each other in a circle: ${[...chain, agentId].join(" → ")}`);
    if (chain.length > CALL_MAX_DEPTH) return fail(`agents call each other more than ${CALL_MAX_DEPTH} deep`);
    // Counted before anything is waited for, so that steps that run at once share what is left.
    if (family.runs >= FAMILY_MAX_RUNS) return fail(`a run and all it calls are ${FAMILY_MAX_RUNS} runs at most`);
    family.runs++;
    const agent = await findAgentOf(ownerId, agentId);
    if (agent === null) return fail(`this owner has no agent ${agentId}`);
    const run = await runAgent(
      { ...context.asOwner, signal: context.signal },
      agent,
      { input, method: "POST", headers: {}, query: {} },
      { trigger: "agent", callerAddress: context.agentId },
      { chain, family, deadlineAtMs },
    );
    if (!run.ok) return run.error.code === "RATE_LIMITED" ? failForNow(run.error.detail) : fail(run.error.detail);
    const { result, runId } = run.value;
    if (!result.ok) return fail(`the run ${runId} of ${agentId} failed: ${result.error.detail}`);
    const { status, body = null } = result.value;
    return status < FIRST_FAILURE_STATUS ? output(body) : fail(`the run ${runId} of ${agentId} answered ${status}`);
  }

  return {
    runAgent: (call, agent, request, options) => runAgent(call, agent, request, options, { chain: [] }),
    async testRun(call, server, request, { dryRun }) {
      const { serverId, ownerId, version, policy } = server;
      const plan = await plans.plan(server, policy);
      if (!plan.ok) return validationFailed(plan.error);
      const caller = callerOf(call.actor, "");
      const admitted = await deps.admission.admit({ agentId: serverId, ownerId, callerId: caller.id, rate: undefined });
      if (!admitted.ok) return admitted;
      // Tokens that the graph makes are those of its agent, where it has one.
      const agentId = (await agents.findByServer(serverId, ownerId))?._id ?? serverId;
      const particulars = {
        agentId,
        tracedAgentId: null,
        ownerId,
        serverId,
        version,
        trigger: "test",
        dryRun,
        caller,
      } as const;
      return ok(await execute(call, plan.value, request, particulars, { chain: [] }));
    },
  };
}

/** Far more than are under way at once in one isolate. */
const JOURNALLED_RUNS_MAX = 10_000;
const FIRST_FAILURE_STATUS = 400;

/** Who calls, as rules and limits see it. */
function callerOf(actor: Actor, address: string): RunOrder["caller"] {
  return { kind: actor.kind, id: actor.kind === "anonymous" ? address : actor.id };
}

/** A graph acts for its owner whoever calls it, and may do no more than its tools need. What it calls is behind its span. */
function callAsOwner(call: Call, agentId: string, ownerId: string, trace: TraceHeaders): Call {
  return {
    actor: { kind: "key", id: agentId, ownerId, scopes: SEARCH_ALONE },
    requestId: call.requestId,
    origin: call.origin,
    trace: () => trace,
    get signal() {
      return call.signal;
    },
  };
}

const SEARCH_ALONE: ReadonlySet<Scope> = new Set(["search"]);
