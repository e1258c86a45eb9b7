import { isoTime } from "../../core/clock.ts";
import type { Json } from "../../core/json.ts";
import type { StepTrace } from "../contract.ts";
import type { PlannedStep } from "../graph/step.ts";
import type { KeptConfig } from "./kept-config.ts";
import type { Outcome } from "./outcome.ts";
import { traceValue, type Unshown } from "./trace-value.ts";

/** What is known of a step that has ended, as it was: a trace is made of it where somebody reads one. */
export interface StepRecord {
  readonly step: PlannedStep;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly attempts: number;
  /** The config without what is never shown; null where that is all of it. */
  readonly shown: KeptConfig | null;
  /** Null where the step was passed over. */
  readonly outcome: Outcome | null;
  /** What a dry run does not know of it. */
  readonly note?: string | undefined;
}

/** `toText` masks what went wrong. */
export function toStepTrace(record: StepRecord, unshown: Unshown, toText: (text: string) => string): StepTrace {
  const { step, startedAtMs, durationMs, attempts, shown, outcome, note } = record;
  const failure = outcome?.kind === "failed" ? outcome : null;
  return {
    toolId: step.toolId,
    name: step.name,
    status: outcome === null ? "skipped" : (failure?.status ?? "ok"),
    startedAt: isoTime(startedAtMs),
    durationMs,
    attempts,
    outputBytes: outcome === null || outcome.kind === "failed" ? null : outcome.bytes,
    error: failure === null ? null : toText(failure.message),
    rule: failure?.rule ?? null,
    input: shown === null ? null : traceValue(shown.value, unshown, shown.chars),
    output: traceOutput(outcome, unshown),
    ...(note === undefined ? {} : { note }),
  };
}

function traceOutput(outcome: Outcome | null, unshown: Unshown): Json {
  if (outcome === null || outcome.kind === "failed") return null;
  return traceValue(outcome.kind === "output" ? outcome.value : (outcome.answer.body ?? null), unshown);
}
