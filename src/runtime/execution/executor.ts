import type { Call } from "../../core/actor.ts";
import { type AtOnce, goOn } from "../../core/at-once.ts";
import type { Clock } from "../../core/clock.ts";
import { waitAtMost } from "../../core/deadline.ts";
import { type AppError, StorageUnavailable, toError } from "../../core/errors.ts";
import type { RandomBytes } from "../../core/ids.ts";
import type { Json } from "../../core/json.ts";
import type { Logger } from "../../core/logger.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { RunTrace } from "../contract.ts";
import type { Plan } from "../graph/graph.ts";
import type { Secrets } from "../graph/references.ts";
import type { PlannedStep } from "../graph/step.ts";
import { jsonSize } from "../json-size.ts";
import { isBreakDue, takeBreak } from "../run-work.ts";
import type { RunJournal } from "../runs/run-journal.ts";
import type { RunSpan } from "../runs/run-tracing.ts";
import type { GraphAnswer, RunFamily, ToolServices } from "../tool.ts";
import {
  type ActiveRun,
  beginRun,
  type Ending,
  keepOutput,
  type RunSummary,
  summarize,
  takeSecrets,
  withSteps,
} from "./active-run.ts";
import { isAnswerKnown } from "./not-known.ts";
import { noteSkipped } from "./run-step.ts";
import { maskResult, maskThrown } from "./secret-mask.ts";
import { runStage, type StageEnd } from "./stage.ts";

/** What a graph may know of the request: header names in lower case, credentials that are ours left out. */
export interface RunRequest {
  readonly input: Json;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

export interface RunOrder {
  readonly runId: string;
  /** Who the steps speak as; in a test of an undeployed graph, who its agent would be. */
  readonly agentId: string;
  /** Who the tokens of the run are from. */
  readonly issuer: string;
  /** Whose run the trace says it is; null in a test of an undeployed graph. */
  readonly tracedAgentId: string | null;
  readonly ownerId: string;
  readonly serverId: string;
  readonly version: number;
  readonly requestId: string;
  /** Its place in a distributed trace; null where it has none. */
  readonly span: Pick<RunSpan, "traceId"> | null;
  readonly trigger: RunTrace["trigger"];
  /** Steps that would change something say what they would do instead, and nothing is journalled. */
  readonly dryRun: boolean;
  readonly request: RunRequest;
  /** As the policy's rules see who calls. */
  readonly caller: { readonly kind: string; readonly id: string };
  /** Agents that called each other down to this one, itself last. */
  readonly chain: readonly string[];
  readonly family: RunFamily;
  /** When the run that called this one ends. */
  readonly deadlineAtMs?: number;
  /** Who the run is to the rest of the Worker, and its place in a trace; its signal ends the run. */
  readonly asOwner: Call;
}

export interface Execution {
  /**
   * The graph's answer; a refusal by one of its steps; POLICY_REFUSED, RUN_FAILED, RUN_TIMEOUT or STORAGE_UNAVAILABLE.
   * Values of secrets are masked, as in the trace.
   */
  readonly result: Result<GraphAnswer>;
  /** False where a dry run's answer holds what it cannot know, or may not be the one. */
  readonly isKnown: boolean;
  /** False where a dry run does not know whether an earlier `response` would have answered. */
  readonly isEndKnown: boolean;
  /** Something is stored of the run, or may be: it was to be written before a step that changes something. */
  readonly isJournalled: boolean;
  /** What the trace says of the whole. */
  readonly summary: RunSummary;
  /** The run as its owner may see it, with the steps that began or were passed over; written out at each call. */
  readonly trace: () => RunTrace;
}

export interface ExecutorDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** For the jitter of pauses between attempts. */
  readonly random: RandomBytes;
  readonly services: ToolServices;
  readonly journal: RunJournal;
  /** Names that are not set are not in it. Called once in a run, and only where the graph refers to secrets. */
  readonly readSecrets: (ownerId: string, names: readonly string[]) => Promise<Secrets>;
  /** Of this Worker: exact values that no trace shows. */
  readonly credentials: readonly string[];
}

/**
 * Runs the stages of a plan in order, until a step ends the run. Never throws or rejects. A run whose steps only compute
 * is over at once.
 */
export function executePlan(plan: Plan, order: RunOrder, deps: ExecutorDeps): AtOnce<Execution> {
  const run = beginRun(plan, order, deps);
  return goOn(runToEnd(run), (ending) => conclude(run, ending));
}

function conclude(run: ActiveRun, { result: unmasked, isCancelled }: Ending): Execution {
  const result = run.mask === null ? unmasked : maskResult(unmasked, run.mask);
  const summary = summarize(run, { result, isCancelled });
  return {
    result,
    isKnown: isAnswerKnown(run),
    isEndKnown: run.mayHaveEndedAt === null,
    isJournalled: run.journalled !== null,
    summary,
    trace: () => withSteps(run, summary),
  };
}

function runToEnd(run: ActiveRun): AtOnce<Ending> {
  try {
    const ending = run.plan.secretNames.length === 0 ? runStages(run) : runWithSecrets(run);
    return ending instanceof Promise ? ending.catch((error: unknown) => breakOff(run, error)) : ending;
  } catch (error) {
    return breakOff(run, error);
  }
}

async function runWithSecrets(run: ActiveRun): Promise<Ending> {
  return (await readSecrets(run)) ? runStages(run) : withoutSecrets(run);
}

function breakOff({ order, deps, mask }: ActiveRun, error: unknown): Ending {
  const about = { runId: order.runId, agentId: order.agentId };
  if (error instanceof StorageUnavailable) {
    deps.log.warn("run_secrets_unavailable", { ...about, error });
    return failWith({ code: "STORAGE_UNAVAILABLE", detail: "the store of secrets does not answer" });
  }
  deps.log.error("run_bug", { ...about, error: maskThrown(toError(error), mask) });
  return failWith({ code: "INTERNAL", detail: "internal error" });
}

/** False where they do not come within the run's time. */
async function readSecrets(run: ActiveRun): Promise<boolean> {
  const { plan, order, deps, context } = run;
  const leftMs = context.deadlineAtMs - deps.clock.now();
  const read = await waitAtMost(deps.clock, leftMs, deps.readSecrets(order.ownerId, plan.secretNames));
  if (read !== null) takeSecrets(run, read.value);
  return read !== null;
}

function withoutSecrets({ plan, order }: ActiveRun): Ending {
  const step = plan.stages[0]?.[0]?.toolId ?? "";
  const detail = "the store of secrets did not answer in the run's time";
  return failWith({ code: "RUN_TIMEOUT", detail, runId: order.runId, step });
}

function failWith(error: AppError): Ending {
  return { result: err(error), isCancelled: false };
}

/** Where a run stands between two stages. */
interface Place {
  /** The next stage. */
  readonly at: number;
  /** What the run answers where no step does: the outputs of the stage before. */
  readonly last: Json;
}

const START: Place = { at: 0, last: null };

function runStages(run: ActiveRun, from: Place = START): AtOnce<Ending> {
  const { stages } = run.plan;
  const { work } = run.context.family;
  let place = from;
  for (let stage = stages[place.at]; stage !== undefined; stage = stages[place.at]) {
    const ended = runStage(run, stage);
    if (ended instanceof Promise) return waitForStage(run, place, ended);
    if (ended.ending !== null) return ended.ending;
    place = passStage(run, place, ended);
    if (isBreakDue(work)) return breakAndGoOn(run, place);
  }
  const { last } = place;
  // Outputs are bounded one by one; a group's come together only here.
  if (jsonSize(last, run.context.maxOutputBytes) === null) return tooLarge(run);
  return { result: ok({ status: 200, headers: {}, body: last }), isCancelled: false };
}

async function waitForStage(run: ActiveRun, place: Place, ended: Promise<StageEnd>): Promise<Ending> {
  const end = await ended;
  if (end.ending !== null) return end.ending;
  const next = passStage(run, place, end);
  return isBreakDue(run.context.family.work) ? breakAndGoOn(run, next) : runStages(run, next);
}

async function breakAndGoOn(run: ActiveRun, place: Place): Promise<Ending> {
  const { work } = run.context.family;
  while (isBreakDue(work)) await takeBreak(work, run.deps.clock);
  return runStages(run, place);
}

function passStage(run: ActiveRun, { at, last }: Place, { outputs, goTo }: StageEnd): Place {
  const stage = run.plan.stages[at] ?? [];
  stage.forEach((step, i) => {
    keepOutput(run, step, outputs[i] ?? null);
  });
  const next = goTo === null ? at + 1 : passOver(run, at + 1, goTo);
  // A response that was passed by is no output of anybody.
  return { at: next, last: stage[0]?.name === "response" ? last : outputOf(stage, outputs) };
}

/** Of a group, the outputs of all its steps by their ids. */
function outputOf(stage: readonly PlannedStep[], outputs: readonly Json[]): Json {
  if (stage.length === 1) return outputs[0] ?? null;
  return Object.fromEntries(stage.map(({ toolId }, i) => [toolId, outputs[i] ?? null]));
}

/** The run goes on at the stage `to`; the steps before it are skipped. */
function passOver(run: ActiveRun, from: number, to: number): number {
  for (const step of run.plan.stages.slice(from, to).flat()) {
    noteSkipped(run, step);
    keepOutput(run, step, null);
  }
  return to;
}

function tooLarge({ plan, order, context }: ActiveRun): Ending {
  const step = plan.stages.at(-1)?.[0]?.toolId ?? "";
  const detail = `the answer is larger than ${context.maxOutputBytes} bytes, or nests too deep`;
  return failWith({ code: "RUN_FAILED", detail, runId: order.runId, step });
}
