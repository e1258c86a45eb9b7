import type { Actor, Call } from "../core/actor.ts";
import { type AtOnce, goOn } from "../core/at-once.ts";
import type { Clock } from "../core/clock.ts";
import {
  type AppError,
  type ErrorCode,
  type FieldError,
  StorageUnavailable,
  validationFailed,
} from "../core/errors.ts";
import type { IdSource, RandomBytes } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import type { Defer, Logger } from "../core/logger.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { AgentRecord, AgentStore } from "./agents/agent-store.ts";
import { type Graph, isAgentId, type Policy, type RunTrace } from "./contract.ts";
import {
  type Execution,
  type ExecutorDeps,
  executePlan,
  type RunOrder,
  type RunRequest,
} from "./execution/executor.ts";
import type { Plan } from "./graph/graph.ts";
import { CALL_MAX_DEPTH, FAMILY_MAX_RUNS } from "./limits.ts";
import type { Plans } from "./plans.ts";
import type { RunAdmission } from "./run-admission.ts";
import { callAsOwner, callerOf, testIssuer } from "./run-identity.ts";
import { createRunWork } from "./run-work.ts";
import { toRunEvent } from "./runs/run-event.ts";
import { keeperOf } from "./runs/run-ids.ts";
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
  standIn,
  type ToolResult,
  type ToolServices,
} from "./tool.ts";

export interface Run {
  readonly runId: string;
  /** What the graph answered, or how the run failed. */
  readonly result: Result<GraphAnswer>;
  /** False where a dry run's answer holds what it cannot know, or may not be the one. */
  readonly isKnown: boolean;
  /** False where a dry run does not know whether an earlier `response` would have answered. */
  readonly isEndKnown: boolean;
  /** Written out at each call. */
  readonly trace: () => RunTrace;
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
  runAgent(call: Call, agent: AgentRecord, request: RunRequest, options: RunOptions): AtOnce<Result<Run>>;
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
  /** Lets a run whose caller is gone end and be recorded; otherwise the platform drops it where it stands. */
  readonly defer: Defer;
  readonly readSecrets: (ownerId: string, names: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** Of this Worker: exact values that no trace shows. */
  readonly credentials: readonly string[];
  /** All but what only the runtime itself can do for a tool. */
  readonly services: Omit<ToolServices, "callAgent" | "ownsAgent">;
}

/** A run that another run began belongs to its time and its family, may not close a circle, and is as dry as that one. */
interface Descent {
  readonly chain: readonly string[];
  /** Absent where the run begins one. */
  readonly family?: RunFamily;
  readonly deadlineAtMs?: number;
  readonly dryRun?: boolean;
}

export function createRunner(
  deps: RunnerDeps & { readonly agents: Pick<AgentStore, "find" | "findByServer"> },
): Runner {
  const { agents, ids, log, plans, history, recorder, tracing, defer } = deps;
  const executor: ExecutorDeps = {
    clock: deps.clock,
    log,
    random: deps.random,
    services: { ...deps.services, ownsAgent, callAgent },
    journal: history,
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

  /** What the answer has to wait for; null where nothing: a run whose trace is lost was a run all the same. */
  function keep(
    { summary, trace, isJournalled }: Execution,
    order: Pick<RunOrder, "tracedAgentId" | "serverId" | "ownerId">,
    actor: Actor,
    span: RunSpan,
  ): Promise<void> | null {
    tracing.exportRun(trace, span);
    if (summary.dryRun) return null;
    const event = (written: RunTrace) => toRunEvent(written, order.ownerId, actor);
    return recorder.keep({ keeper: keeperOf(order), summary, trace, event, isJournalled });
  }

  type Particulars = Pick<
    RunOrder,
    "agentId" | "issuer" | "tracedAgentId" | "ownerId" | "serverId" | "version" | "trigger" | "dryRun" | "caller"
  >;

  function execute(
    call: Call,
    plan: Plan,
    request: RunRequest,
    particulars: Particulars,
    { chain, family = { runs: 1, work: createRunWork() }, deadlineAtMs }: Descent,
  ): AtOnce<Run> {
    const { agentId, ownerId } = particulars;
    const span = tracing.startRun(call.trace?.() ?? null);
    const runId = ids.next("run");
    const order: RunOrder = {
      ...particulars,
      runId,
      requestId: call.requestId,
      span,
      request,
      chain: [...chain, agentId],
      family,
      ...(deadlineAtMs === undefined ? {} : { deadlineAtMs }),
      asOwner: callAsOwner(call, agentId, ownerId, span),
    };
    const running = goOn(executePlan(plan, order, executor), (ended) => {
      const { result, isKnown, isEndKnown, trace } = ended;
      const run = { runId, result, isKnown, isEndKnown, trace };
      return keep(ended, order, call.actor, span)?.then(() => run) ?? run;
    });
    if (running instanceof Promise) defer("run", running);
    return running;
  }

  /** Whoever calls it is told that it is not his fault, and no more: the graph is its owner's. */
  function refuseAgent({ _id: agentId, serverId }: AgentRecord, faults: readonly FieldError[]): Result<never> {
    const told = faults.slice(0, FAULTS_LOGGED_MAX).map(({ path, message }) => `${path}: ${message}`);
    log.error("agent_graph_refused", { agentId, serverId, faults: told });
    const detail = "this version no longer takes the agent's graph: its owner has to mend it and deploy it again";
    return err({ code: "RUN_FAILED", detail, runId: ids.next("run"), step: "" });
  }

  function runAgent(
    call: Call,
    agent: AgentRecord,
    request: RunRequest,
    options: RunOptions,
    descent: Descent,
  ): AtOnce<Result<Run>> {
    return goOn(plans.planOf(agent), (planned) =>
      planned.ok ? runPlan(call, agent, planned.value, request, options, descent) : refuseAgent(agent, planned.error),
    );
  }

  function runPlan(
    call: Call,
    { _id: agentId, ownerId, serverId, version }: AgentRecord,
    plan: Plan,
    request: RunRequest,
    { trigger, callerAddress }: RunOptions,
    descent: Descent,
  ): AtOnce<Result<Run>> {
    const caller = callerOf(call.actor, callerAddress);
    const { dryRun = false } = descent;
    // What is tried takes nothing of the rate that the agent's callers have.
    const rate = dryRun ? undefined : plan.policy.rate;
    return goOn(deps.admission.admit({ agentId, ownerId, callerId: caller.id, rate }), (admitted) => {
      if (!admitted.ok) return admitted;
      const ids = { agentId, issuer: agentId, tracedAgentId: agentId, ownerId, serverId, version };
      return goOn(execute(call, plan, request, { ...ids, trigger, dryRun, caller }, descent), ok<Run>);
    });
  }

  async function callAgent(context: StepContext, agentId: string, input: Json): Promise<ToolResult> {
    const { chain, family, ownerId, deadlineAtMs, dryRun } = context.run;
    if (chain.includes(agentId)) return fail(`agents call each other in a circle: ${[...chain, agentId].join(" → ")}`);
    if (chain.length > CALL_MAX_DEPTH) return fail(`agents call each other more than ${CALL_MAX_DEPTH} deep`);
    // Counted before anything is waited for, so that steps that run at once share what is left.
    if (family.runs >= FAMILY_MAX_RUNS) return fail(`a run and all it calls are ${FAMILY_MAX_RUNS} runs at most`);
    family.runs++;
    const agent = await findAgentOf(ownerId, agentId);
    if (agent === null) return fail(`this owner has no agent ${agentId}`);
    const run = await runAgent(
      { ...context.asOwner, signal: () => context.signal },
      agent,
      { input, method: "POST", headers: {}, query: {} },
      { trigger: "agent", callerAddress: context.agentId },
      { chain, family, deadlineAtMs, dryRun },
    );
    if (!run.ok) return toFailure(run.error, run.error.detail);
    return toToolResult(run.value, agentId, dryRun);
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
      const agentId = (await agents.findByServer(serverId, ownerId))?._id ?? `test:${serverId}`;
      const ids = { agentId, issuer: testIssuer(ownerId), tracedAgentId: null, ownerId, serverId, version };
      return ok(await execute(call, plan.value, request, { ...ids, trigger: "test", dryRun, caller }, { chain: [] }));
    },
  };
}

/**
 * What may be over when tried again is told to be such.
 * @throws StorageUnavailable where the store is the reason: to the step it is the same as its own.
 */
function toFailure({ code }: AppError, message: string): ToolResult {
  if (code === "STORAGE_UNAVAILABLE") throw new StorageUnavailable(message);
  return PASSING.has(code) ? failForNow(message) : fail(message);
}

const PASSING: ReadonlySet<ErrorCode> = new Set(["RATE_LIMITED", "RUN_TIMEOUT", "OVERLOADED"]);

const FIRST_FAILURE_STATUS = 400;
/** Enough to see what is wrong; the editor's own check lists all. */
const FAULTS_LOGGED_MAX = 5;

/** What a run came to for the step that began it. */
function toToolResult(run: Run, agentId: string, dryRun: boolean): ToolResult {
  const { result, runId, isKnown, isEndKnown } = run;
  // What answers, or fails, is then only one of the ways in which it may end.
  if (!isEndKnown) return standIn(result.ok ? (result.value.body ?? null) : null);
  // A dry run is not kept: nobody could look its id up.
  const what = dryRun ? `the dry run of ${agentId}` : `the run ${runId} of ${agentId}`;
  if (!result.ok) return toFailure(result.error, `${what} failed: ${result.error.detail}`);
  const { status, body = null } = result.value;
  if (status >= FIRST_FAILURE_STATUS) return fail(`${what} answered ${status}`);
  return isKnown ? output(body) : standIn(body);
}
