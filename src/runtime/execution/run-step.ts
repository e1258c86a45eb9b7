import { type AtOnce, goOn } from "../../core/at-once.ts";
import type { Json } from "../../core/json.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { Expression } from "../expressions/expression.ts";
import type { Scope } from "../graph/references.ts";
import type { PlannedStep } from "../graph/step.ts";
import { isSpent, type RunWork, WORK_SPENT } from "../run-work.ts";
import type { ActiveRun, Ending } from "./active-run.ts";
import { foundBug, type Progress, runAttempts } from "./attempts.ts";
import type { Canceller } from "./canceller.ts";
import { keepConfig } from "./kept-config.ts";
import { answerWithout, noteOf, noteOfUntried, notKnownToCondition, notKnownToConfig } from "./not-known.ts";
import { type Failure, failed, type Outcome } from "./outcome.ts";

/** What a step means for the run. */
export interface StepEnd {
  readonly toolId: string;
  /** What later steps read. */
  readonly value: Json;
  /** What failed, where the run goes on all the same. */
  readonly failure: { readonly what: Failure; readonly goTo: number | null } | null;
  /** How the run ends with this step; null where it goes on. */
  readonly ending: Ending | null;
}

/** Runs one step and writes down how it went. `canceller` ends it: the caller, or its group. */
export function runStep(run: ActiveRun, step: PlannedStep, canceller: Canceller): AtOnce<StepEnd> {
  const startedAtMs = run.deps.clock.now();
  if (isSpent(run.context.family.work)) return failSpent(run, step, startedAtMs);
  const untold = run.notKnown.size === 0 ? NOTHING : notKnownToCondition(run, step);
  if (untold.length > 0) return passUntried(run, step, untold);
  const condition = readCondition(step.when, run.scope, run.context.family.work);
  if (condition.ok && !condition.value) {
    noteSkipped(run, step);
    return { toolId: step.toolId, value: null, failure: null, ending: null };
  }
  const missing = run.notKnown.size === 0 ? NOTHING : notKnownToConfig(run, step);
  if (missing.length > 0 && step.name !== "response") return passUntried(run, step, missing);
  const begun: BegunStep = {
    run,
    step,
    place: run.steps.push(null) - 1,
    startedAtMs,
    missing,
    progress: { attempts: 0, shown: null },
  };
  const ended = condition.ok
    ? runSoundly(run, step, canceller, begun.progress)
    : failed(run, step, `its condition: ${condition.error}`);
  return goOn(ended, (outcome) => endStep(begun, outcome));
}

/** Whatever its `onError` says: what would go on has nothing left to compute with. */
function failSpent(run: ActiveRun, step: PlannedStep, startedAtMs: number): StepEnd {
  const outcome: Outcome = { ...failed(run, step, WORK_SPENT), isFinal: true };
  run.steps.push({ step, startedAtMs, durationMs: 0, attempts: 0, shown: null, outcome });
  return toEnd(step, outcome);
}

interface BegunStep {
  readonly run: ActiveRun;
  readonly step: PlannedStep;
  /** Among the records of the run. */
  readonly place: number;
  readonly startedAtMs: number;
  /** Steps that its config reads and whose outputs a dry run does not know. */
  readonly missing: readonly string[];
  readonly progress: Progress;
}

function endStep({ run, step, place, startedAtMs, missing, progress }: BegunStep, ended: Outcome): StepEnd {
  const durationMs = run.deps.clock.now() - startedAtMs;
  const outcome = missing.length > 0 ? answerWithout(run, step, ended, progress) : ended;
  const note = run.notKnown.size === 0 ? undefined : noteOf(run, step, missing);
  const { attempts, shown } = progress;
  run.steps[place] = {
    step,
    startedAtMs,
    durationMs,
    attempts,
    shown: shown === null ? null : keepConfig(shown),
    outcome,
    note,
  };
  if (step.effect === "write" && attempts > 0) run.writesEnded += 1;
  return toEnd(step, outcome);
}

/** A bug fails the step. */
function runSoundly(run: ActiveRun, step: PlannedStep, canceller: Canceller, progress: Progress): AtOnce<Outcome> {
  const orBug = (thrown: unknown) => foundBug(run, step, thrown);
  try {
    const outcome = runAttempts(run, step, canceller, progress);
    return outcome instanceof Promise ? outcome.catch(orBug) : outcome;
  } catch (thrown) {
    return orBug(thrown);
  }
}

function readCondition(when: Expression | null, scope: Scope, work: RunWork): Result<boolean, string> {
  if (when === null) return ALWAYS;
  const value = when.evaluate(scope, work);
  if (!value.ok) return value;
  return typeof value.value === "boolean" ? ok(value.value) : err("it gives neither true nor false");
}

const ALWAYS = ok(true);
const NOTHING: readonly string[] = [];

function toEnd({ toolId, onError }: PlannedStep, outcome: Outcome): StepEnd {
  switch (outcome.kind) {
    case "output":
      return { toolId, value: outcome.value, failure: null, ending: null };
    case "answer":
      return { toolId, value: null, failure: null, ending: { result: ok(outcome.answer), isCancelled: false } };
    case "failed": {
      const { error, isFinal, status } = outcome;
      if (isFinal || onError.kind === "fail") {
        const ending = { result: err(error), isCancelled: status === "cancelled" };
        return { toolId, value: null, failure: null, ending };
      }
      const goTo = onError.kind === "goTo" ? onError.stage : null;
      return { toolId, value: null, failure: { what: outcome, goTo }, ending: null };
    }
  }
}

/** In a dry run, a step that reads what is not known. Nobody knows then what would come of it either. */
function passUntried(run: ActiveRun, step: PlannedStep, missing: readonly string[]): StepEnd {
  noteSkipped(run, step, noteOfUntried(step, missing));
  run.notKnown.add(step.toolId);
  if (step.name === "response") run.mayHaveEndedAt ??= step.toolId;
  return { toolId: step.toolId, value: null, failure: null, ending: null };
}

/** A step that is passed over: its condition does not hold, or the run goes on at a later one. */
export function noteSkipped(run: ActiveRun, step: PlannedStep, note?: string): void {
  const startedAtMs = run.deps.clock.now();
  run.steps.push({ step, startedAtMs, durationMs: 0, attempts: 0, shown: null, outcome: null, note });
}
