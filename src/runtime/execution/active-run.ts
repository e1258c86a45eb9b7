import { RUN_OUTPUT_MAX_BYTES, RUN_TIMEOUT_MS } from "../../config/limits.ts";
import { isoTime } from "../../core/clock.ts";
import type { Json } from "../../core/json.ts";
import type { Result } from "../../core/result.ts";
import { PROBLEMS } from "../../http/problem.ts";
import type { RunTrace, StepTrace } from "../contract.ts";
import type { Plan } from "../graph/graph.ts";
import type { Secrets } from "../graph/references.ts";
import type { GraphAnswer, RunContext } from "../tool.ts";
import type { ExecutorDeps, RunOrder } from "./executor.ts";
import { createSecretMask, type SecretMask } from "./secret-mask.ts";

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
  /** What references and expressions read. Outputs of a stage are in it once the whole stage has ended. */
  readonly scope: Map<string, Json>;
  secrets: Secrets;
  /** Null where the run has no secrets. */
  mask: SecretMask | null;
  /** In the order in which they began; null while they run. */
  readonly steps: (StepTrace | null)[];
  /** Tool calls so far, as the policy counts them. */
  calls: number;
  /** Of all outputs so far. */
  keptBytes: number;
  /** Steps so far that changed something, or tried to. */
  writesEnded: number;
  /** The time that was last written out: most steps of a run begin within one millisecond. */
  stamp: { readonly atMs: number; readonly text: string };
  /** The journal's last write, failed or not: the next one waits for it. */
  journalled: Promise<unknown>;
}

export function beginRun(plan: Plan, order: RunOrder, deps: ExecutorDeps): ActiveRun {
  const { runId, agentId, ownerId, chain, deadlineAtMs = Number.POSITIVE_INFINITY } = order;
  const { maxDurationMs, maxOutputBytes, allowedHosts } = plan.policy;
  const startedAtMs = deps.clock.now();
  return {
    plan,
    order,
    deps,
    startedAtMs,
    context: {
      runId,
      ownerId,
      agentId,
      allowedHosts,
      maxOutputBytes: maxOutputBytes ?? RUN_OUTPUT_MAX_BYTES,
      chain,
      deadlineAtMs: Math.min(startedAtMs + (maxDurationMs ?? RUN_TIMEOUT_MS), deadlineAtMs),
    },
    scope: scopeOf(order),
    secrets: NO_SECRETS,
    mask: null,
    steps: [],
    calls: 0,
    keptBytes: 0,
    writesEnded: 0,
    stamp: { atMs: startedAtMs, text: isoTime(startedAtMs) },
    journalled: SETTLED,
  };
}

const NO_SECRETS: Secrets = new Map();
const SETTLED = Promise.resolve();

/** From here on the values are masked wherever they would be seen. */
export function takeSecrets(run: ActiveRun, secrets: Secrets): void {
  run.secrets = secrets;
  run.mask = createSecretMask(secrets.values());
}

function scopeOf({ runId, agentId, ownerId, request }: RunOrder): Map<string, Json> {
  const { method, headers, query } = request;
  return new Map<string, Json>([
    ["request", { method, headers, query }],
    ["run", { id: runId, error: null }],
    ["agent", { id: agentId }],
    ["owner", { id: ownerId }],
  ]);
}

export function stampOf(run: ActiveRun, atMs: number): string {
  if (run.stamp.atMs !== atMs) run.stamp = { atMs, text: isoTime(atMs) };
  return run.stamp.text;
}

/** From here on references can read of a failure that did not end the run. */
export function tellFailure({ scope, order }: ActiveRun, step: string, message: string): void {
  scope.set("run", { id: order.runId, error: { step, message } });
}

/** The trace so far where no ending is given. */
export function toRunTrace(run: ActiveRun, ending: Ending | null): RunTrace {
  const { order, startedAtMs, steps, deps } = run;
  return {
    runId: order.runId,
    agentId: order.tracedAgentId,
    serverId: order.serverId,
    version: order.version,
    requestId: order.requestId,
    traceId: order.traceId,
    trigger: order.trigger,
    dryRun: order.dryRun,
    ...(ending === null ? { outcome: "running", status: null, error: null } : toOutcome(ending)),
    startedAt: isoTime(startedAtMs),
    durationMs: deps.clock.now() - startedAtMs,
    steps: steps.filter((step) => step !== null),
  };
}

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
