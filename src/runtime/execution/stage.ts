import { type AtOnce, goOn } from "../../core/at-once.ts";
import type { Json } from "../../core/json.ts";
import type { PlannedStep } from "../graph/step.ts";
import { GROUP_MAX_PARALLEL } from "../limits.ts";
import { isBreakDue, takeBreak } from "../run-work.ts";
import type { ActiveRun, Ending } from "./active-run.ts";
import { tellFailure } from "./outcome.ts";
import { runStep, type StepEnd } from "./run-step.ts";

export interface StageEnd {
  /** In the order in which the stage lists its steps. */
  readonly outputs: readonly Json[];
  /** The stage at which the run goes on; null for the next. */
  readonly goTo: number | null;
  readonly ending: Ending | null;
}

/** Runs the steps of a stage at once. Of several endings the first one counts; it cancels the steps beside it. */
export function runStage(run: ActiveRun, stage: readonly PlannedStep[]): AtOnce<StageEnd> {
  const [only] = stage;
  if (stage.length !== 1 || only === undefined) return runGroup(run, stage);
  return goOn(runStep(run, only, run.order.asOwner), (end) => endAlone(run, end));
}

function endAlone(run: ActiveRun, end: StepEnd): StageEnd {
  const goTo = end.failure === null ? null : takeFailure(run, [end]);
  return { outputs: [end.value], goTo, ending: end.ending };
}

/** Of several failures the first one that leads elsewhere counts, else the first one. */
function takeFailure(run: ActiveRun, ends: readonly StepEnd[]): number | null {
  const failed = ends.filter((end) => end.failure !== null);
  const end = failed.find(({ failure }) => failure?.goTo !== null) ?? failed[0];
  if (!end?.failure) return null;
  tellFailure(run, end.toolId, end.failure.what);
  return end.failure.goTo;
}

async function runGroup(run: ActiveRun, group: readonly PlannedStep[]): Promise<StageEnd> {
  const signal = run.order.asOwner.signal?.();
  const controller = new AbortController();
  const canceller = { signal: () => controller.signal };
  const cancel = () => controller.abort(signal?.reason);
  if (signal?.aborted) cancel();
  else signal?.addEventListener("abort", cancel, { once: true });
  const waiting = group.entries();
  const outputs: Json[] = group.map(() => null);
  /** In the order in which they ended. */
  const ends: StepEnd[] = [];
  let ending: Ending | null = null;
  const { work: ofFamily } = run.context.family;
  async function work(): Promise<void> {
    for (const [i, step] of waiting) {
      while (isBreakDue(ofFamily)) await takeBreak(ofFamily, run.deps.clock);
      if (ending !== null) return;
      const end = await runStep(run, step, canceller);
      outputs[i] = end.value;
      ends.push(end);
      if (end.ending === null) continue;
      ending ??= end.ending;
      controller.abort(new DOMException("another step ended the run", "AbortError"));
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(group.length, GROUP_MAX_PARALLEL) }, work));
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
  return { outputs, goTo: ending === null ? takeFailure(run, ends) : null, ending };
}
