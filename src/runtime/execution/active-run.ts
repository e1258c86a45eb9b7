import { RUN_OUTPUT_MAX_BYTES, RUN_TIMEOUT_MS } from "../../config/limits.ts";
import { isoTime } from "../../core/clock.ts";
import type { Json } from "../../core/json.ts";
import type { Result } from "../../core/result.ts";
import { PROBLEMS } from "../../http/problem.ts";
import type { RunTrace } from "../contract.ts";
import type { Plan } from "../graph/graph.ts";
import type { Scope, Secrets } from "../graph/references.ts";
import type { PlannedStep } from "../graph/step.ts";
import type { GraphAnswer, RunContext } from "../tool.ts";
import type { ExecutorDeps, RunOrder } from "./executor.ts";
import { addToMask, createSecretMask, type SecretMask } from "./secret-mask.ts";
import { findSensitiveValues } from "./sensitive-values.ts";
import { type StepRecord, toStepTrace } from "./step-record.ts";
import { traceText, type Unshown } from "./trace-value.ts";

/** How a run ends. */
export interface Ending {
  readonly result: Result<GraphAnswer>;
  /** The caller hung up, so that nobody is answered; or another step of the group ended the run. */
  readonly isCancelled: boolean;
}

/** One run while it runs: what its steps share and change. */
export interface ActiveRun {
  readonly plan: Plan;
  readonly order: RunOrder;
  readonly deps: ExecutorDeps;
  readonly startedAtMs: number;
  readonly context: RunContext;
  /**
   * What references and expressions read. Outputs of a stage are in it once the whole stage has ended, secrets that
   * came back in them masked: what is made of a secret's value is no longer known by the mask.
   */
  readonly scope: Map<string, Json>;
  /** The same as it came, for steps that send: what leads on at an upstream may hold a secret. */
  unmasked: Map<string, Json>;
  /** Steps whose outputs a dry run cannot know. */
  readonly notKnown: Set<string>;
  /** The first response whose condition a dry run cannot know; null while it met none. */
  mayHaveEndedAt: string | null;
  secrets: Secrets;
  /** Null where the run has no secrets. */
  mask: SecretMask | null;
  /** In the order in which they began; null while they run. */
  readonly steps: (StepRecord | null)[];
  /** Tool calls so far, as the policy counts them. */
  calls: number;
  /** Of all outputs so far. */
  keptBytes: number;
  /** Steps so far that changed something, or tried to. */
  writesEnded: number;
  /** The journal's last write, failed or not: the next one waits for it. */
  journalled: Promise<unknown> | null;
}

export function beginRun(plan: Plan, order: RunOrder, deps: ExecutorDeps): ActiveRun {
  const { runId, agentId, issuer, ownerId, chain, family, deadlineAtMs = Number.POSITIVE_INFINITY } = order;
  const { maxDurationMs, maxOutputBytes, allowedHosts } = plan.policy;
  const startedAtMs = deps.clock.now();
  const scope = scopeOf(plan, order);
  return {
    plan,
    order,
    deps,
    startedAtMs,
    context: {
      runId,
      ownerId,
      agentId,
      issuer,
      dryRun: order.dryRun,
      allowedHosts,
      maxOutputBytes: maxOutputBytes ?? RUN_OUTPUT_MAX_BYTES,
      chain,
      family,
      deadlineAtMs: Math.min(startedAtMs + (maxDurationMs ?? RUN_TIMEOUT_MS), deadlineAtMs),
    },
    scope,
    unmasked: scope,
    notKnown: new Set(),
    mayHaveEndedAt: null,
    secrets: NO_SECRETS,
    mask: null,
    steps: [],
    calls: 0,
    keptBytes: 0,
    writesEnded: 0,
    journalled: null,
  };
}

const NO_SECRETS: Secrets = new Map();

/** From here on the values are masked wherever they would be seen. */
export function takeSecrets(run: ActiveRun, secrets: Secrets): void {
  run.secrets = secrets;
  run.mask = createSecretMask(secrets.values());
  if (run.mask !== null) run.unmasked = new Map(run.scope);
}

/** From here on later steps read what this one gave; null where it gave nothing. */
export function keepOutput(run: ActiveRun, { toolId, isSending, secretNames }: PlannedStep, value: Json): void {
  const { scope, unmasked, mask } = run;
  const mayHoldSecrets = isSending || secretNames.length > 0;
  scope.set(toolId, mask === null || !mayHoldSecrets ? value : mask.value(value));
  if (unmasked !== scope) unmasked.set(toolId, value);
}

/** What the references of a step read. */
export function scopeFor(run: ActiveRun, { isSending }: PlannedStep): Scope {
  return isSending ? run.unmasked : run.scope;
}

/** Most graphs read nothing of the request but its body: headers and query are taken apart where one does. */
function scopeOf({ readsRequest }: Plan, { runId, agentId, ownerId, request }: RunOrder): Map<string, Json> {
  const { method } = request;
  return new Map<string, Json>()
    .set("request", readsRequest ? { method, headers: request.headers, query: request.query } : { method })
    .set("run", { id: runId, error: null })
    .set("agent", { id: agentId })
    .set("owner", { id: ownerId });
}

/** The trace so far where no ending is given. */
export function toRunTrace(run: ActiveRun, ending: Ending | null): RunTrace {
  return withSteps(run, summarize(run, ending));
}

/** With what callers sent as passwords and tokens masked, also in the error, as the owner may see it. */
export function withSteps(run: ActiveRun, summary: RunSummary): RunTrace {
  const records = run.steps.filter((record) => record !== null);
  const values = findSensitiveValues(valuesOf(run, records));
  const unshown: Unshown = { mask: addToMask(run.mask, values), credentials: run.deps.credentials };
  const toText = (text: string) => traceText(text, unshown, values);
  const { error } = summary;
  return {
    ...summary,
    traceId: run.order.span?.traceId ?? null,
    error: error === null ? null : toText(error),
    steps: records.map((record) => toStepTrace(record, unshown, toText)),
  };
}

/** What came in from outside the graph, and what its steps gave. */
function* valuesOf({ plan, order }: ActiveRun, records: readonly StepRecord[]): Iterable<Json> {
  const { request } = order;
  yield request.input;
  if (plan.readsRequest) yield* [request.headers, request.query];
  for (const { outcome } of records) if (outcome?.kind === "output") yield outcome.value;
}

/**
 * A trace without its steps and its place in a distributed one, which are most of the work: most traces are not kept. Its
 * error is what the caller is told, who knows what he sent.
 */
export type RunSummary = Omit<RunTrace, "steps" | "traceId">;

export function summarize(run: ActiveRun, ending: Ending | null): RunSummary {
  const { order, startedAtMs, deps } = run;
  const { outcome, status, error } = ending === null ? RUNNING : toOutcome(ending);
  return {
    runId: order.runId,
    agentId: order.tracedAgentId,
    serverId: order.serverId,
    version: order.version,
    requestId: order.requestId,
    trigger: order.trigger,
    dryRun: order.dryRun,
    outcome,
    status,
    error,
    startedAt: isoTime(startedAtMs),
    durationMs: deps.clock.now() - startedAtMs,
  };
}

const RUNNING = { outcome: "running", status: null, error: null } as const;

function toOutcome({ result, isCancelled }: Ending): Pick<RunTrace, "outcome" | "status" | "error"> {
  if (result.ok) {
    const { status } = result.value;
    return { outcome: status < FIRST_FAILURE_STATUS ? "ok" : "failed", status, error: null };
  }
  const { code, detail } = result.error;
  if (isCancelled) return { outcome: "cancelled", status: null, error: detail };
  const { status } = PROBLEMS[code];
  if (code === "RUN_TIMEOUT") return { outcome: "timeout", status, error: detail };
  // What the policy stopped was not answered by the graph, whatever the status.
  const isAnswer = status < FIRST_FAILURE_STATUS && code !== "POLICY_REFUSED";
  return isAnswer ? { outcome: "ok", status, error: null } : { outcome: "failed", status, error: detail };
}

/** A refusal of bad input is an answer. */
const FIRST_FAILURE_STATUS = 500;
