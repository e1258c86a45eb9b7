import type { PlannedStep } from "../graph/step.ts";
import type { ResolvedConfig } from "../graph/step-config.ts";
import type { ActiveRun } from "./active-run.ts";
import type { Outcome } from "./outcome.ts";

/**
 * What a dry run does not know: outputs of calls that it did not make, and all that would come of them. A step that reads
 * such an output is not tried, for it could only be tried on what nobody answered. A `response` answers all the same,
 * with null in their place. What was not called or not tried is taken to have gone well; but behind a `response` that was
 * not tried nobody knows whether the run comes that far.
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
  { shown }: { readonly shown: ResolvedConfig | null },
): Outcome {
  run.notKnown.add(toolId);
  // Without a config that could be shown, it failed because of what it reads of others.
  if (ended.kind !== "failed" || ended.status !== "failed" || shown === null) return ended;
  return { kind: "answer", answer: { status: 200, headers: {}, body: null }, bytes: null };
}

/** For the trace of a step that was not tried; `missing` is what it reads and nobody knows. */
export function noteOfUntried({ name }: PlannedStep, missing: readonly string[]): string {
  const end = name === "response" ? "; the run may end here" : "";
  return `not tried: a dry run does not know the output of ${missing.join(", ")}${end}`;
}

/** For the trace of a step that was tried; `missing` is what its config reads and nobody knows. */
export function noteOf(run: ActiveRun, { toolId }: PlannedStep, missing: readonly string[]): string | undefined {
  const end = run.mayHaveEndedAt;
  const notes = [
    ...(run.notKnown.has(toolId) ? [noteOfOutput(missing)] : []),
    ...(end === null ? [] : [`not known whether the run comes this far: it may have ended at ${end}`]),
  ];
  return notes.length === 0 ? undefined : notes.join("; ");
}

function noteOfOutput(missing: readonly string[]): string {
  return missing.length === 0
    ? "not known in a dry run: steps that read this output are not tried"
    : `a dry run does not know the output of ${missing.join(", ")}: null stands in its place`;
}

/** Whether the answer of a run that ended well is what the run would answer, and holds nothing that is not known. */
export function isAnswerKnown({ notKnown, mayHaveEndedAt, steps, plan }: ActiveRun): boolean {
  if (notKnown.size === 0) return true;
  if (mayHaveEndedAt !== null) return false;
  const answered = steps.find((record) => record?.outcome?.kind === "answer")?.step;
  const last = plan.stages.findLast(([first]) => first?.name !== "response") ?? [];
  const answering = answered === undefined ? last : [answered];
  return !answering.some(({ toolId }) => notKnown.has(toolId));
}
