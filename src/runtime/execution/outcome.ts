import { RUN_TIMEOUT_MS } from "../../config/limits.ts";
import type { AppError, FieldError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { StepTrace } from "../contract.ts";
import type { PlannedStep } from "../graph/step.ts";
import { jsonSize } from "../json-size.ts";
import { INPUT_FAULTS_MAX, RUN_SCOPE_MAX_BYTES, TRACE_ERROR_MAX_CHARS } from "../limits.ts";
import type { GraphAnswer, ToolResult } from "../tool.ts";
import type { ActiveRun } from "./active-run.ts";
import type { PolicyRefusal } from "./call-policy.ts";

/** How an attempt at a step ended. */
export type Outcome =
  | { readonly kind: "output"; readonly value: Json; readonly bytes: number }
  | { readonly kind: "answer"; readonly answer: GraphAnswer; readonly bytes: number | null }
  | Failure;

export interface Failure {
  readonly kind: "failed";
  readonly status: Exclude<StepTrace["status"], "ok" | "skipped">;
  /** For the trace and for `run.error`: bounded, without secrets. */
  readonly message: string;
  /** What the run answers where it ends with this. */
  readonly error: AppError;
  /** The policy's rule that refused. */
  readonly rule: string | null;
  /** It may go well when tried again. */
  readonly isPassing: boolean;
  /** It ends the run whatever the step's `onError` says. */
  readonly isFinal: boolean;
}

const ORDINARY = { kind: "failed", status: "failed", rule: null, isPassing: false, isFinal: false } as const;

export function settle(run: ActiveRun, step: PlannedStep, result: ToolResult): Outcome {
  switch (result.kind) {
    case "output":
      if (result.isStandIn) run.notKnown.add(step.toolId);
      return settleOutput(run, step, result.value);
    case "answer":
      return settleAnswer(run, step, result.answer);
    case "refuse":
      return refused(run, step, result.error);
    case "fail":
      return { ...failed(run, step, result.message), isPassing: result.isPassing ?? false };
  }
}

function settleOutput(run: ActiveRun, step: PlannedStep, value: Json): Outcome {
  const { maxOutputBytes } = run.context;
  const bytes = jsonSize(value, maxOutputBytes);
  if (bytes === null) {
    return failed(run, step, `its output is larger than ${maxOutputBytes} bytes, or nests too deep`);
  }
  if (run.keptBytes + bytes > RUN_SCOPE_MAX_BYTES) {
    return failed(run, step, `the outputs of this run are larger than ${RUN_SCOPE_MAX_BYTES} bytes together`);
  }
  run.keptBytes += bytes;
  return { kind: "output", value, bytes };
}

function settleAnswer(run: ActiveRun, step: PlannedStep, answer: GraphAnswer): Outcome {
  const { maxOutputBytes } = run.context;
  if (answer.body === undefined) return { kind: "answer", answer, bytes: null };
  const bytes = jsonSize(answer.body, maxOutputBytes);
  if (bytes !== null) return { kind: "answer", answer, bytes };
  return failed(run, step, `the answer is larger than ${maxOutputBytes} bytes, or nests too deep`);
}

/** A tool may be who enforces a rule of the policy: that of the hosts. */
function refused(run: ActiveRun, step: PlannedStep, error: AppError): Failure {
  if (error.code === "POLICY_REFUSED") return policyRefused(run, step, { rule: error.rule, message: error.detail });
  return { ...ORDINARY, status: "refused", message: tellable(run, error.detail), error };
}

export function policyRefused(run: ActiveRun, step: PlannedStep, { rule, message }: PolicyRefusal): Failure {
  const error = { code: "POLICY_REFUSED", rule, ...blame(run, step, message) } as const;
  return { ...ORDINARY, status: "refused", message: tellable(run, message), error, rule, isFinal: true };
}

/** The message is a sentence for the caller. */
export function failed(run: ActiveRun, step: PlannedStep, message: string): Failure {
  const error = { code: "RUN_FAILED", ...blame(run, step, message) } as const;
  return { ...ORDINARY, message: tellable(run, message), error };
}

/** `ms` is what the attempt had; null where the time of the whole run is up. */
export function timedOut(run: ActiveRun, step: PlannedStep, ms: number | null): Failure {
  const whole = `the run took longer than ${wholeMs(run)} ms`;
  const message = ms === null ? whole : `took longer than ${ms} ms`;
  const error = { code: "RUN_TIMEOUT", ...blame(run, step, message) } as const;
  return { ...ORDINARY, status: "timeout", message, error, isPassing: ms !== null, isFinal: ms === null };
}

/** What a run may take; less for one that another run called late. */
function wholeMs({ plan, context, startedAtMs }: ActiveRun): number {
  return Math.max(0, Math.min(plan.policy.maxDurationMs ?? RUN_TIMEOUT_MS, context.deadlineAtMs - startedAtMs));
}

export function cancelled(run: ActiveRun, step: PlannedStep): Failure {
  const message = run.order.asOwner.signal?.()?.aborted ? "the caller hung up" : "another step ended the run";
  return { ...failed(run, step, message), status: "cancelled", isFinal: true };
}

export function unavailable(detail: string): Failure {
  return { ...ORDINARY, message: detail, error: { code: "STORAGE_UNAVAILABLE", detail }, isPassing: true };
}

/** From here on references can read of a failure that did not end the run: what its caller would have been told. */
export function tellFailure(run: ActiveRun, step: string, { message, error }: Failure): void {
  const { scope, unmasked, order } = run;
  const faults = error.code === "VALIDATION_FAILED" ? { errors: tellableFaults(run, error.errors) } : {};
  const told = { id: order.runId, error: { step, code: error.code, message, ...faults } };
  scope.set("run", told);
  unmasked.set("run", told);
}

function tellableFaults(run: ActiveRun, errors: readonly FieldError[]): Json {
  const told = ({ path, message }: FieldError) => ({ path: tellable(run, path), message: tellable(run, message) });
  return errors.slice(0, INPUT_FAULTS_MAX).map(told);
}

function blame(run: ActiveRun, { toolId }: PlannedStep, message: string) {
  return { detail: tellable(run, `step ${toolId}: ${message}`), runId: run.order.runId, step: toolId };
}

/** Names in a message may be a caller's, and as long as they like. Masked first: what is cut is no longer known. */
function tellable({ mask }: ActiveRun, text: string): string {
  const masked = mask === null ? text : mask.text(text);
  return masked.length > TRACE_ERROR_MAX_CHARS ? `${masked.slice(0, TRACE_ERROR_MAX_CHARS)}…` : masked;
}
