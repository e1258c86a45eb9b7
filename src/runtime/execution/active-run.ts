import { RUN_OUTPUT_MAX_BYTES, RUN_TIMEOUT_MS } from "../../config/limits.ts";
import { isoTime } from "../../core/clock.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import type { Result } from "../../core/result.ts";
import { PROBLEMS } from "../../http/problem.ts";
import type { RunTrace, StepTrace } from "../contract.ts";
import type { Plan } from "../graph/graph.ts";
import type { Secrets } from "../graph/references.ts";
import type { GraphAnswer, RunContext } from "../tool.ts";
import type { ExecutorDeps, RunOrder, RunRequest } from "./executor.ts";
import { createSecretMask, type SecretMask } from "./secret-mask.ts";
import { type StepRecord, toStepTraces } from "./step-record.ts";

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
  readonly steps: (StepRecord | null)[];
  /** Tool calls so far, as the policy counts them. */
  calls: number;
  /** Of all outputs so far. */
  keptBytes: number;
  /** Steps so far that changed something, or tried to. */
  writesEnded: number;
  /** The journal's last write, failed or not: the next one waits for it. */
  journalled: Promise<unknown>;
}

export function beginRun(plan: Plan, order: RunOrder, deps: ExecutorDeps): ActiveRun {
  const { runId, agentId, ownerId, chain, family, deadlineAtMs = Number.POSITIVE_INFINITY } = order;
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
      family,
      deadlineAtMs: Math.min(startedAtMs + (maxDurationMs ?? RUN_TIMEOUT_MS), deadlineAtMs),
    },
    scope: scopeOf(order),
    secrets: NO_SECRETS,
    mask: null,
    steps: [],
    calls: 0,
    keptBytes: 0,
    writesEnded: 0,
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
  return new Map<string, Json>([
    ["request", readableRequest(request)],
    ["run", { id: runId, error: null }],
    ["agent", { id: agentId }],
    ["owner", { id: ownerId }],
  ]);
}

/** Most graphs read nothing of the request but its body: headers and query are taken apart when one does. */
function readableRequest(request: RunRequest): JsonObject {
  return {
    method: request.method,
    get headers() {
      return request.headers;
    },
    get query() {
      return request.query;
    },
  };
}

/** From here on references can read of a failure that did not end the run. */
export function tellFailure({ scope, order }: ActiveRun, step: string, message: string): void {
  scope.set("run", { id: order.runId, error: { step, message } });
}

/** The trace so far where no ending is given. Its steps are written out when they are read: most traces are not kept. */
export function toRunTrace(run: ActiveRun, ending: Ending | null): RunTrace {
  const { order, startedAtMs, deps, mask } = run;
  const records = run.steps.filter((record) => record !== null);
  let steps: StepTrace[] | null = null;
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
    get steps() {
      steps ??= toStepTraces(records, { mask, credentials: deps.credentials });
      return steps;
    },
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
