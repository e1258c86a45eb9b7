import type { Json } from "../../core/json.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { StepTrace } from "../contract.ts";
import type { Expression } from "../expressions/expression.ts";
import type { Scope } from "../graph/references.ts";
import type { PlannedStep } from "../graph/step.ts";
import { type ActiveRun, type Ending, stampOf } from "./active-run.ts";
import { foundBug, type Progress, runAttempts } from "./attempts.ts";
import { failed, type Outcome } from "./outcome.ts";
import { traceValue } from "./trace-value.ts";

/** What a step means for the run. */
export interface StepEnd {
  readonly toolId: string;
  /** What later steps read. */
  readonly value: Json;
  /** What failed, where the run goes on all the same. */
  readonly failure: { readonly message: string; readonly goTo: number | null } | null;
  /** How the run ends with this step; null where it goes on. */
  readonly ending: Ending | null;
}

/** Runs one step and writes its trace. `signal` ends it: the caller's, or that of its group. */
export async function runStep(run: ActiveRun, step: PlannedStep, signal: AbortSignal | undefined): Promise<StepEnd> {
  const begunAtMs = run.deps.clock.now();
  const condition = readCondition(step.when, run.scope);
  if (condition.ok && !condition.value) {
    traceSkipped(run, step);
    return { toolId: step.toolId, value: null, failure: null, ending: null };
  }
  const place = run.steps.push(null) - 1;
  const progress: Progress = { attempts: 0, shown: null };
  const outcome = condition.ok
    ? await runAttempts(run, step, signal, progress).catch((thrown: unknown) => foundBug(run, step, thrown))
    : failed(run, step, `its condition: ${condition.error}`);
  run.steps[place] = toTrace(run, step, begunAtMs, progress, outcome);
  if (step.effect === "write" && progress.attempts > 0) run.writesEnded += 1;
  return toEnd(step, outcome);
}

function readCondition(when: Expression | null, scope: Scope): Result<boolean, string> {
  if (when === null) return ALWAYS;
  const value = when.evaluate(scope);
  if (!value.ok) return value;
  return typeof value.value === "boolean" ? ok(value.value) : err("it gives neither true nor false");
}

const ALWAYS = ok(true);

function toEnd({ toolId, onError }: PlannedStep, outcome: Outcome): StepEnd {
  switch (outcome.kind) {
    case "output":
      return { toolId, value: outcome.value, failure: null, ending: null };
    case "answer":
      return { toolId, value: null, failure: null, ending: { result: ok(outcome.answer), isCancelled: false } };
    case "failed": {
      const { message, error, isFinal, status } = outcome;
      if (isFinal || onError.kind === "fail") {
        const ending = { result: err(error), isCancelled: status === "cancelled" };
        return { toolId, value: null, failure: null, ending };
      }
      const goTo = onError.kind === "goTo" ? onError.stage : null;
      return { toolId, value: null, failure: { message, goTo }, ending: null };
    }
  }
}

function toTrace(
  run: ActiveRun,
  { toolId, name }: PlannedStep,
  begunAtMs: number,
  { attempts, shown }: Progress,
  outcome: Outcome,
): StepTrace {
  const isFailed = outcome.kind === "failed";
  return {
    toolId,
    name,
    status: isFailed ? outcome.status : "ok",
    startedAt: stampOf(run, begunAtMs),
    durationMs: run.deps.clock.now() - begunAtMs,
    attempts,
    outputBytes: isFailed ? null : outcome.bytes,
    error: isFailed ? outcome.message : null,
    rule: isFailed ? outcome.rule : null,
    input: shown === null ? null : traceValue(shown, run.mask),
    output: traceOutput(run, outcome),
  };
}

function traceOutput(run: ActiveRun, outcome: Outcome): Json {
  if (outcome.kind === "failed") return null;
  const value = outcome.kind === "output" ? outcome.value : (outcome.answer.body ?? null);
  return traceValue(value, run.mask);
}

/** A step that is passed over: its condition does not hold, or the run goes on at a later one. */
export function traceSkipped(run: ActiveRun, { toolId, name }: PlannedStep): void {
  run.steps.push({
    toolId,
    name,
    status: "skipped",
    startedAt: stampOf(run, run.deps.clock.now()),
    durationMs: 0,
    attempts: 0,
    outputBytes: null,
    error: null,
    rule: null,
    input: null,
    output: null,
  });
}
