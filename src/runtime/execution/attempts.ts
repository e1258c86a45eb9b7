import { StorageUnavailable, toError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { err } from "../../core/result.ts";
import type { Hides } from "../graph/references.ts";
import { isSecret, isSensitive } from "../graph/secrets.ts";
import type { PlannedStep } from "../graph/step.ts";
import type { BoundTool } from "../graph/step-config.ts";
import type { BoundStep, StepContext } from "../tool.ts";
import { type ActiveRun, scopeFor } from "./active-run.ts";
import { admitCall } from "./call-policy.ts";
import { callWithin } from "./call-within.ts";
import type { Canceller } from "./canceller.ts";
import { writeJournal } from "./journal.ts";
import { cancelled, failed, type Outcome, policyRefused, settle, timedOut, unavailable } from "./outcome.ts";
import { pause, pauseMs } from "./pause.ts";
import { maskThrown } from "./secret-mask.ts";

/** What of a step is known while it is tried, should it end in the middle. */
export interface Progress {
  /** Attempts that began. */
  attempts: number;
  /** The config as it may be shown; null before its references are resolved. */
  shown: JsonObject | null;
}

/** Runs a step as often as its `retry` allows, and tells how the last attempt ended. Throws bugs alone. */
export async function runAttempts(
  run: ActiveRun,
  step: PlannedStep,
  canceller: Canceller,
  progress: Progress,
): Promise<Outcome> {
  const config = step.resolve(scopeFor(run, step), run.secrets);
  if (!config.ok) return failed(run, step, config.error);
  // A mask may be longer than what it hides: a config that was just not too large can be so with it, and is not shown.
  progress.shown = step.isSensitive ? withoutValues(run, step, isSensitive) : config.value;
  const tool = step.bind(config.value);
  if (!tool.ok) return failed(run, step, tool.error);
  for (;;) {
    const outcome = await attempt(run, step, { config: config.value, tool: tool.value }, canceller, progress);
    const isOver = outcome.kind !== "failed" || !outcome.isPassing || progress.attempts >= step.maxAttempts;
    if (isOver) return outcome;
    const leftMs = run.context.deadlineAtMs - run.deps.clock.now();
    const ms = Math.min(leftMs, pauseMs(run.deps.random, step.backoffMs, progress.attempts));
    await pause(run.deps.clock, ms, canceller.signal);
  }
}

/** The config with the values of some references masked; null where it grew too large with that. */
function withoutValues(run: ActiveRun, step: PlannedStep, hides: Hides): JsonObject | null {
  const config = step.resolve(scopeFor(run, step), run.secrets, hides);
  return config.ok ? config.value : null;
}

interface Prepared {
  readonly config: JsonObject;
  readonly tool: BoundTool;
}

async function attempt(
  run: ActiveRun,
  step: PlannedStep,
  { config, tool }: Prepared,
  canceller: Canceller,
  progress: Progress,
): Promise<Outcome> {
  const stopped = stoppedBefore(run, step, canceller, progress);
  if (stopped !== null) return stopped;
  const refusal = admitCall(run, step, () => shownToRules(run, step, config));
  if (refusal !== null) return policyRefused(run, step, refusal);
  const isWrite = step.effect === "write";
  if (isWrite && !run.order.dryRun && progress.attempts === 0) {
    const isWritten = await writeJournal(run);
    const late = stoppedBefore(run, step, canceller, progress);
    if (late !== null) return late;
    if (!isWritten) return { ...unavailable("the run's journal cannot be written"), isFinal: true, isPassing: false };
  }
  progress.attempts += 1;
  return call(run, step, isWrite && run.order.dryRun ? tool.preview : tool.run, canceller);
}

/** What a caller sent, whatever its name, is the rules' business; secrets are not. */
function shownToRules(run: ActiveRun, step: PlannedStep, config: JsonObject): JsonObject | null {
  const shown = step.secretNames.length === 0 ? config : withoutValues(run, step, isSecret);
  return run.mask === null || shown === null ? shown : (run.mask.value(shown) as JsonObject);
}

/** A step that only computes is over before anybody could stop it, unless it waited to be tried again. */
function stoppedBefore(
  run: ActiveRun,
  step: PlannedStep,
  canceller: Canceller,
  { attempts }: Progress,
): Outcome | null {
  const isWorthAsking = step.effect !== "none" || attempts > 0;
  if (isWorthAsking && canceller.signal?.aborted) return cancelled(run, step);
  return run.context.deadlineAtMs <= run.deps.clock.now() ? timedOut(run, step, null) : null;
}

async function call(run: ActiveRun, step: PlannedStep, tool: BoundStep, canceller: Canceller): Promise<Outcome> {
  const { clock } = run.deps;
  const leftMs = run.context.deadlineAtMs - clock.now();
  const ms = Math.min(step.timeoutMs, leftMs);
  try {
    const done = await callWithin(clock, ms, canceller, (own) => tool(contextOf(run, step, own)));
    if (done.kind === "done") return settle(run, step, done.value);
    if (done.kind === "cancelled") return cancelled(run, step);
    return timedOut(run, step, leftMs <= step.timeoutMs ? null : ms);
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    run.deps.log.warn("step_storage_unavailable", { ...about(run, step), error: maskThrown(error, run.mask) });
    return unavailable("the documents store does not answer");
  }
}

function contextOf({ plan, order, deps, context, scope }: ActiveRun, step: PlannedStep, signal: () => AbortSignal) {
  const { toolId, expressions } = step;
  const given: StepContext = {
    services: deps.services,
    run: context,
    agentId: context.agentId,
    ownerId: context.ownerId,
    toolId,
    isHostSecret: step.isHostSecret,
    stepKey: `${context.runId}:${toolId}`,
    input: order.request.input,
    inputSchema: plan.inputSchema,
    scope,
    evaluate: (path) => expressions.get(path)?.evaluate(scope) ?? err(`there is no expression at ${path}`),
    get requestHeaders() {
      return order.request.headers;
    },
    asOwner: order.asOwner,
    // Made when it is asked for.
    get signal() {
      return signal();
    },
  };
  return given;
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
