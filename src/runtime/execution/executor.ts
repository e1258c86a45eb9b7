import { RUN_OUTPUT_MAX_BYTES, RUN_TIMEOUT_MS } from "../../config/limits.ts";
import type { Call } from "../../core/actor.ts";
import { type Clock, isoTime } from "../../core/clock.ts";
import { runWithin } from "../../core/deadline.ts";
import { type AppError, StorageUnavailable, toError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { Logger } from "../../core/logger.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { StepTrace } from "../contract.ts";
import type { Plan, PlannedStep } from "../graph/graph.ts";
import { jsonSize } from "../json-size.ts";
import { TRACE_ERROR_MAX_CHARS } from "../limits.ts";
import type { GraphAnswer, StepContext, ToolResult, ToolServices } from "../tool.ts";

/** What a graph may know of the request: header names in lower case, credentials that are ours left out. */
export interface RunRequest {
  readonly input: Json;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

export interface RunOrder {
  readonly runId: string;
  readonly agentId: string;
  readonly ownerId: string;
  readonly request: RunRequest;
  /** Who the run is to the rest of the Worker; its signal ends the run. */
  readonly asOwner: Call;
}

export interface Execution {
  /** The graph's answer; a refusal by one of its steps; RUN_FAILED, RUN_TIMEOUT or STORAGE_UNAVAILABLE. */
  readonly result: Result<GraphAnswer>;
  /** The steps that began, in their order. */
  readonly steps: readonly StepTrace[];
  readonly startedAtMs: number;
  readonly durationMs: number;
}

export interface ExecutorDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly services: ToolServices;
}

type Ending = Result<GraphAnswer> | null;

interface StepOutcome {
  readonly status: StepTrace["status"];
  readonly outputBytes: number | null;
  readonly error: string | null;
  /** How the run ends with this step; null where it goes on. */
  readonly ending: Ending;
  readonly value: Json;
}

/** Runs the steps of a plan in order, until one of them ends the run. Never throws. */
export async function executePlan(plan: Plan, order: RunOrder, deps: ExecutorDeps): Promise<Execution> {
  const { clock } = deps;
  const startedAtMs = clock.now();
  const scope = scopeOf(order);
  const steps: StepTrace[] = [];
  let ending: Ending = null;
  let last: Json = null;
  for (const step of plan.steps) {
    const begunAtMs = clock.now();
    const outcome = await runStep(step, scope, startedAtMs + RUN_TIMEOUT_MS - begunAtMs, plan, order, deps);
    const { status, outputBytes, error } = outcome;
    steps.push({
      toolId: step.toolId,
      name: step.name,
      status,
      startedAt: isoTime(begunAtMs),
      durationMs: clock.now() - begunAtMs,
      outputBytes,
      error,
    });
    ending = outcome.ending;
    if (ending !== null) break;
    scope.set(step.toolId, outcome.value);
    last = outcome.value;
  }
  const result = ending ?? ok({ status: 200, headers: {}, body: last });
  return { result, steps, startedAtMs, durationMs: clock.now() - startedAtMs };
}

function scopeOf({ runId, agentId, ownerId, request }: RunOrder): Map<string, Json> {
  const { method, headers, query } = request;
  return new Map<string, Json>([
    ["request", { method, headers, query }],
    ["run", { id: runId }],
    ["agent", { id: agentId }],
    ["owner", { id: ownerId }],
  ]);
}

async function runStep(
  step: PlannedStep,
  scope: ReadonlyMap<string, Json>,
  leftMs: number,
  plan: Plan,
  order: RunOrder,
  deps: ExecutorDeps,
): Promise<StepOutcome> {
  const failWith = (message: string, status: StepTrace["status"] = "failed") => failed(step, order, message, status);
  const context = { ...order, input: order.request.input, inputSchema: plan.inputSchema, services: deps.services };
  try {
    const bound = step.bind(scope);
    if (!bound.ok) return failWith(bound.error);
    const ms = Math.min(step.timeoutMs, leftMs);
    const done = await runWithin(deps.clock, ms, order.asOwner.signal, async (signal) => {
      const stepContext: StepContext = { ...context, signal };
      return bound.value(stepContext);
    });
    if (done.kind === "done") return settle(done.value, failWith);
    if (done.kind === "cancelled") return failWith("the caller hung up");
    const whole = leftMs <= step.timeoutMs;
    return failWith(whole ? `the run took longer than ${RUN_TIMEOUT_MS} ms` : `took longer than ${ms} ms`, "timeout");
  } catch (error) {
    const about = { runId: order.runId, agentId: order.agentId, step: step.toolId, tool: step.name };
    if (error instanceof StorageUnavailable) {
      deps.log.warn("step_storage_unavailable", { ...about, error });
      return unavailable();
    }
    deps.log.error("step_bug", { ...about, error: toError(error) });
    return failWith("internal error");
  }
}

function settle(result: ToolResult, failWith: (message: string) => StepOutcome): StepOutcome {
  switch (result.kind) {
    case "output": {
      const bytes = jsonSize(result.value, RUN_OUTPUT_MAX_BYTES);
      if (bytes === null) return failWith(`its output is larger than ${RUN_OUTPUT_MAX_BYTES} bytes, or nests too deep`);
      return { status: "ok", outputBytes: bytes, error: null, ending: null, value: result.value };
    }
    case "answer": {
      const bytes = jsonSize(result.answer.body ?? null, RUN_OUTPUT_MAX_BYTES);
      if (bytes === null) return failWith(`the answer is larger than ${RUN_OUTPUT_MAX_BYTES} bytes, or nests too deep`);
      return ended("ok", result.answer.body === undefined ? null : bytes, null, ok(result.answer));
    }
    case "refuse":
      return ended("failed", null, `refused: ${result.error.code}`, err(result.error));
    case "fail":
      return failWith(result.message);
  }
}

function failed(step: PlannedStep, { runId }: RunOrder, message: string, status: StepTrace["status"]): StepOutcome {
  const error: AppError = {
    code: status === "timeout" ? "RUN_TIMEOUT" : "RUN_FAILED",
    detail: bounded(`step ${step.toolId}: ${message}`),
    runId,
    step: step.toolId,
  };
  return ended(status, null, bounded(message), err(error));
}

function unavailable(): StepOutcome {
  const detail = "the documents store does not answer";
  return ended("failed", null, detail, err({ code: "STORAGE_UNAVAILABLE", detail }));
}

function ended(
  status: StepTrace["status"],
  outputBytes: number | null,
  error: string | null,
  ending: Ending,
): StepOutcome {
  return { status, outputBytes, error, ending, value: null };
}

/** Names in a message may be a caller's, and as long as they like. */
function bounded(text: string): string {
  return text.length > TRACE_ERROR_MAX_CHARS ? `${text.slice(0, TRACE_ERROR_MAX_CHARS)}…` : text;
}
