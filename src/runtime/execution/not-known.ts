import type { JsonObject } from "../../core/json.ts";
import type { PlannedStep } from "../graph/step.ts";
import type { ActiveRun } from "./active-run.ts";
import type { Outcome } from "./outcome.ts";

/**
 * What a dry run does not know: outputs of calls that it did not make, and all that would come of them. A step that reads
 * such an output is not tried, for it could only be tried on what nobody answered. A `response` answers all the same,
 * with null in their place.
 */
export function notKnownToCondition(run: ActiveRun, { when }: PlannedStep): readonly string[] {
  return when === null ? [] : notKnownAmong(run, (id) => when.roots.includes(id));
}

export function notKnownToConfig(run: ActiveRun, { reads }: PlannedStep): readonly string[] {
  return notKnownAmong(run, (id) => reads?.has(id) ?? true);
}

/** Steps beside this one, in its own group, are nothing that it reads. */
function notKnownAmong({ notKnown, scope }: ActiveRun, isRead: (id: string) => boolean): readonly string[] {
  return [...notKnown].filter((id) => scope.has(id) && isRead(id));
}

/** How a response ends whose config is not all known: where nulls do not fit it, with an answer that says nothing. */
export function answerWithout(
  run: ActiveRun,
  { toolId }: PlannedStep,
  ended: Outcome,
  { shown }: { readonly shown: JsonObject | null },
): Outcome {
  run.notKnown.add(toolId);
  // Without a config that could be shown, it failed because of what it reads of others.
  if (ended.kind !== "failed" || ended.status !== "failed" || shown === null) return ended;
  return { kind: "answer", answer: { status: 200, headers: {}, body: null }, bytes: null };
}

/** For the trace of a step that was tried; `missing` is what its config reads and nobody knows. */
export function noteOf(missing: readonly string[]): string {
  return missing.length === 0
    ? "not known in a dry run: steps that read this output are not tried"
    : `a dry run does not know the output of ${missing.join(", ")}: null stands in its place`;
}

/** Whether the answer of a run that ended well holds, or is, what is not known. */
export function isAnswerKnown({ notKnown, steps, plan }: ActiveRun): boolean {
  if (notKnown.size === 0) return true;
  const answered = steps.find((record) => record?.outcome?.kind === "answer")?.step;
  const last = answered === undefined ? (plan.stages.at(-1) ?? []) : [answered];
  return !last.some(({ toolId }) => notKnown.has(toolId));
}
