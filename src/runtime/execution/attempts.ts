import { type AtOnce, goOn } from "../../core/at-once.ts";
import { Stopper, waitWithin } from "../../core/deadline.ts";
import { describeFieldErrors, StorageUnavailable, toError } from "../../core/errors.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import type { Hides } from "../graph/references.ts";
import { isSecret, isSensitive } from "../graph/secrets.ts";
import type { PlannedStep } from "../graph/step.ts";
import type { ResolvedConfig } from "../graph/step-config.ts";
import { CONFIG_BYTES_PER_STEP } from "../limits.ts";
import { type BoundTool, refuse, type ToolResult } from "../tool.ts";
import { type ActiveRun, scopeFor } from "./active-run.ts";
import { AttemptContext } from "./attempt-context.ts";
import { admitCall, type PolicyRefusal } from "./call-policy.ts";
import type { Canceller } from "./canceller.ts";
import { writeJournal } from "./journal.ts";
import { cancelled, failed, type Outcome, policyRefused, settle, timedOut, unavailable } from "./outcome.ts";
import { pause, pauseMs } from "./pause.ts";
import { maskThrown } from "./secret-mask.ts";
import { settledConfig } from "./settled-config.ts";

/** What of a step is known while it is tried, should it end in the middle. */
export interface Progress {
  /** Attempts that began. */
  attempts: number;
  /** The config as it may be shown; null before its references are resolved. */
  shown: ResolvedConfig | null;
}

/** Runs a step as often as its `retry` allows, and tells how the last attempt ended. Throws and rejects for bugs alone. */
export function runAttempts(
  run: ActiveRun,
  step: PlannedStep,
  canceller: Canceller,
  progress: Progress,
): AtOnce<Outcome> {
  const errors = step.nullEqualities(scopeFor(run, step));
  if (errors.length > 0) {
    return settle(run, step, refuse({ code: "VALIDATION_FAILED", detail: describeFieldErrors(errors), errors }));
  }
  const config = step.resolve(scopeFor(run, step), run.secrets, null, run.notKnown);
  if (!config.ok) return failed(run, step, config.error);
  run.context.family.work.left -= config.value.bytes / CONFIG_BYTES_PER_STEP;
  // A mask may be longer than what it hides: a config that was just not too large can be so with it, and is not shown.
  progress.shown = step.isSensitive ? withoutValues(run, step, isSensitive) : config.value;
  const tool = step.bind(config.value.value);
  if (!tool.ok) return failed(run, step, tool.error);
  const attempting: Attempting = { run, step, config: config.value.value, tool: tool.value, canceller, progress };
  return goOn(attempt(attempting), (first) => (isLast(first, attempting) ? first : tryAgain(attempting)));
}

/** What attempts at one step share. */
interface Attempting {
  readonly run: ActiveRun;
  readonly step: PlannedStep;
  readonly config: JsonObject;
  readonly tool: BoundTool;
  readonly canceller: Canceller;
  readonly progress: Progress;
}

function isLast(outcome: Outcome, { step, progress }: Attempting): boolean {
  return outcome.kind !== "failed" || !outcome.isPassing || progress.attempts >= step.maxAttempts;
}

async function tryAgain(attempting: Attempting): Promise<Outcome> {
  const { run, step, canceller, progress } = attempting;
  for (;;) {
    const leftMs = run.context.deadlineAtMs - run.deps.clock.now();
    const ms = Math.min(leftMs, pauseMs(run.deps.random, step.backoffMs, progress.attempts));
    await pause(run.deps.clock, ms, canceller.signal?.());
    const outcome = await attempt(attempting);
    if (isLast(outcome, attempting)) return outcome;
  }
}

/** The config with the values of some references masked; null where it grew too large with that. */
function withoutValues(run: ActiveRun, step: PlannedStep, hides: Hides): ResolvedConfig | null {
  const config = step.resolve(scopeFor(run, step), run.secrets, hides, run.notKnown);
  return config.ok ? config.value : null;
}

function attempt(attempting: Attempting): AtOnce<Outcome> {
  const { run, step, config, tool } = attempting;
  const stopped = stoppedBefore(attempting);
  if (stopped !== null) return stopped;
  const admitted = admitCall(run, step, () => shownToRules(run, step, config, tool));
  if (!(admitted instanceof Promise)) return callOrRefuse(attempting, admitted);
  return admitted.then((refusal) => stoppedBefore(attempting) ?? callOrRefuse(attempting, refusal));
}

function callOrRefuse(attempting: Attempting, refusal: PolicyRefusal | null): AtOnce<Outcome> {
  const { run, step, progress } = attempting;
  if (refusal !== null) return policyRefused(run, step, refusal);
  const isFirstWrite = step.effect === "write" && !run.order.dryRun && progress.attempts === 0;
  return isFirstWrite ? journalAndCall(attempting) : call(attempting);
}

async function journalAndCall(attempting: Attempting): Promise<Outcome> {
  const isWritten = await writeJournal(attempting.run);
  const late = stoppedBefore(attempting);
  if (late !== null) return late;
  if (!isWritten) return { ...unavailable("the run's journal cannot be written"), isFinal: true, isPassing: false };
  return call(attempting);
}

/** What a caller sent, whatever its name, is the rules' business, and so is what the tool takes by itself; secrets are not. */
function shownToRules(run: ActiveRun, step: PlannedStep, config: JsonObject, { settings }: BoundTool): Json {
  const shown = step.secretNames.length === 0 ? config : (withoutValues(run, step, isSecret)?.value ?? null);
  if (shown === null) return null;
  const settled = settledConfig(config, shown, settings);
  return run.mask === null ? settled : run.mask.value(settled);
}

/** A step that only computes is over before anybody could stop it, unless it waited to be tried again. */
function stoppedBefore({ run, step, canceller, progress }: Attempting): Outcome | null {
  const isWorthAsking = step.effect !== "none" || progress.attempts > 0;
  if (isWorthAsking && canceller.signal?.()?.aborted) return cancelled(run, step);
  return run.context.deadlineAtMs <= run.deps.clock.now() ? timedOut(run, step, null) : null;
}

/** One that gives its result at once costs no timer and no signal: most steps of a graph are such. */
function call(attempting: Attempting): AtOnce<Outcome> {
  const { run, step, tool, progress } = attempting;
  progress.attempts += 1;
  const perform = step.effect === "write" && run.order.dryRun ? tool.preview : tool.run;
  const leftMs = run.context.deadlineAtMs - run.deps.clock.now();
  const own = new Stopper();
  try {
    const given = perform(new AttemptContext(run, step, own));
    return given instanceof Promise ? waitFor(attempting, given, own, leftMs) : settle(run, step, given);
  } catch (error) {
    return orUnavailable(run, step, error);
  }
}

async function waitFor(
  { run, step, canceller }: Attempting,
  given: Promise<ToolResult>,
  own: Stopper,
  leftMs: number,
): Promise<Outcome> {
  const ms = Math.min(step.timeoutMs, leftMs);
  try {
    const done = await waitWithin(run.deps.clock, ms, canceller.signal?.(), given, own);
    if (done.kind === "done") return settle(run, step, done.value);
    if (done.kind === "cancelled") return cancelled(run, step);
    return timedOut(run, step, leftMs <= step.timeoutMs ? null : ms);
  } catch (error) {
    return orUnavailable(run, step, error);
  }
}

function orUnavailable(run: ActiveRun, step: PlannedStep, error: unknown): Outcome {
  if (!(error instanceof StorageUnavailable)) throw error;
  run.deps.log.warn("step_storage_unavailable", { ...about(run, step), error: maskThrown(error, run.mask) });
  return unavailable("the documents store does not answer");
}

/** For the log. */
function about({ context }: ActiveRun, { toolId, name }: PlannedStep) {
  return { runId: context.runId, agentId: context.agentId, step: toolId, tool: name };
}

/** A step that threw: told to the caller as no more than that. */
export function foundBug(run: ActiveRun, step: PlannedStep, thrown: unknown): Outcome {
  run.deps.log.error("step_bug", { ...about(run, step), error: maskThrown(toError(thrown), run.mask) });
  return failed(run, step, "internal error");
}
