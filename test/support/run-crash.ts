import type { RunTrace } from "../../src/runtime/contract.ts";

/** A graph that writes several times. */
export interface CrashGraph {
  readonly name: string;
  /** Its steps that change something; those of one stage run at once. */
  readonly stages: readonly (readonly string[])[];
  readonly definition: {
    readonly name: string;
    readonly tools: readonly object[];
    readonly executionOrder: readonly (string | readonly string[])[];
  };
}

/** The step that asks somebody else's service; the others store a document in a collection of their own name. */
export const CALL = "call";

const INPUT = { toolId: "input", name: "input" };
const RESPONSE = { toolId: "response", name: "response", config: { body: { mark: "{{input.mark}}" } } };

function insert(toolId: string) {
  const document = { run: "{{run.id}}", mark: "{{input.mark}}", round: "{{input.round}}" };
  return { toolId, name: "dbInsert", config: { collection: toolId, document } };
}

function ask(url: string) {
  return { toolId: CALL, name: "httpRequest", config: { url, method: "POST", body: { mark: "{{input.mark}}" } } };
}

/** Writes one after the other. */
export function chainGraph(url: string): CrashGraph {
  return {
    name: "chain",
    stages: [["first"], [CALL], ["last"]],
    definition: {
      name: "Chain API",
      tools: [INPUT, insert("first"), ask(url), insert("last"), RESPONSE],
      executionOrder: ["input", "first", CALL, "last", "response"],
    },
  };
}

/** Writes at once, one of which is tried again, and once more behind them. */
export function groupGraph(url: string): CrashGraph {
  const asked = { ...ask(url), retry: { attempts: 3, backoffMs: 5 } };
  return {
    name: "group",
    stages: [["left", CALL, "right"], ["end"]],
    definition: {
      name: "Group API",
      tools: [INPUT, insert("left"), asked, insert("right"), insert("end"), RESPONSE],
      executionOrder: ["input", ["left", CALL, "right"], "end", "response"],
    },
  };
}

export const COLLECTIONS = ["first", "last", "left", "right", "end"] as const;

/** Answers with the documents of a round, as `{ <collection>: [documents] }`. */
export const READER_GRAPH = {
  name: "Reader API",
  tools: [
    INPUT,
    ...COLLECTIONS.map((collection) => ({
      toolId: collection,
      name: "dbFind",
      config: { collection, filter: { round: "{{input.round}}" }, limit: 100 },
    })),
  ],
  executionOrder: ["input", COLLECTIONS],
};

/** A run that a caller asked for. `runId` is null where no answer came. */
export interface AskedRun {
  readonly mark: string;
  readonly runId: string | null;
}

/** What is found afterwards. */
export interface Evidence {
  readonly traces: readonly RunTrace[];
  /** By the collection's name. */
  readonly documents: Readonly<Record<string, readonly { readonly run: string; readonly mark: string }[]>>;
  /** How often the service was asked, by `Idempotency-Key`. */
  readonly calls: ReadonlyMap<string, number>;
}

/** How many runs … */
export interface Counts {
  /** … stand with their end. */
  ended: number;
  /** … stand as running or interrupted. */
  open: number;
  /** … left nothing at all. */
  absent: number;
  /** Writes that happened and are in no trace. */
  unmarked: number;
}

export function noCounts(): Counts {
  return { ended: 0, open: 0, absent: 0, unmarked: 0 };
}

/** Holds what is found of the runs of one graph against what their traces say. */
export function judge(graph: CrashGraph, asked: readonly AskedRun[], evidence: Evidence) {
  const counts = noCounts();
  const faults = strangers(graph, evidence);
  for (const run of asked) {
    const kept = evidence.traces.filter((trace) => markOf(trace) === run.mark);
    const [trace] = kept;
    if (kept.length > 1) faults.push(`${run.mark}: ran ${kept.length} times`);
    if (run.runId !== null && trace?.runId !== run.runId) faults.push(`${run.mark}: answered, and not in the history`);
    if (trace === undefined) counts.absent++;
    else faults.push(...judgeRun(graph, run, trace, evidence, counts).map((fault) => `${run.mark}: ${fault}`));
  }
  return { faults, counts };
}

function strangers({ stages }: CrashGraph, { traces, documents }: Evidence): string[] {
  const known = new Set(traces.map(({ runId }) => runId));
  return stages
    .flat()
    .flatMap((step) => documents[step] ?? [])
    .filter(({ run }) => !known.has(run))
    .map(({ mark }) => `${mark}: wrote, and is not in the history`);
}

function judgeRun(graph: CrashGraph, run: AskedRun, trace: RunTrace, evidence: Evidence, counts: Counts) {
  const steps = graph.stages.flat();
  const isAnswered = run.runId !== null;
  const isOpen = trace.outcome === "running" || trace.outcome === "interrupted";
  const missing = isAnswered ? steps.filter((step) => countEffects(step, trace, evidence) === 0) : [];
  const { faults, unmarked } = judgeSteps(graph, trace, evidence);
  counts.unmarked += unmarked;
  counts[isOpen ? "open" : "ended"]++;
  const ofAnswer = missing.map((step) => `answered without ${step}`);
  if (isOpen && isAnswered) ofAnswer.push(`answered, and stands as ${trace.outcome}`);
  return [...faults, ...ofAnswer, ...(isOpen ? [] : endFaults(steps, trace))];
}

function judgeSteps({ stages }: CrashGraph, trace: RunTrace, evidence: Evidence) {
  const attempts = attemptsOf(trace);
  const unfinished = trace.steps.filter(({ status }) => status !== "ok");
  const faults = unfinished.map(({ toolId, status }) => `${toolId} is ${status}`);
  let unmarked = 0;
  let isBehind = false;
  for (const stage of stages) {
    for (const step of stage) {
      const count = countEffects(step, trace, evidence);
      if (count > 0 && !attempts.has(step)) unmarked++;
      if (count > 0 && isBehind) faults.push(`${step} happened, and a step before it is not marked done`);
      faults.push(...effectFaults(step, count, attempts.get(step)));
    }
    isBehind ||= stage.some((step) => !attempts.has(step));
  }
  return { faults, unmarked };
}

/** `attempts` of a step that is marked done. */
function effectFaults(step: string, count: number, attempts: number | undefined): readonly string[] {
  // A document is stored once; the service knows a repeat by its key, and the trace must tell of it.
  const most = step === CALL ? (attempts ?? Number.POSITIVE_INFINITY) : 1;
  if (count > most) return [`${step} happened ${count} times`];
  return attempts !== undefined && count === 0 ? [`${step} is marked done, and is lost`] : [];
}

function endFaults(steps: readonly string[], trace: RunTrace): readonly string[] {
  const attempts = attemptsOf(trace);
  const missing = steps.filter((step) => !attempts.has(step)).map((step) => `ended without ${step}`);
  return trace.outcome === "ok" ? missing : [...missing, `ended as ${trace.outcome}: ${trace.error}`];
}

function countEffects(step: string, { runId }: RunTrace, { documents, calls }: Evidence): number {
  if (step === CALL) return calls.get(`${runId}:${CALL}`) ?? 0;
  return (documents[step] ?? []).filter(({ run }) => run === runId).length;
}

/** Of the steps that the trace marks done. */
function attemptsOf({ steps }: RunTrace): ReadonlyMap<string, number> {
  return new Map(steps.filter(({ status }) => status === "ok").map(({ toolId, attempts }) => [toolId, attempts]));
}

/** By which a caller knows the run. */
export function markOf({ steps }: RunTrace): string {
  const output = steps.find(({ toolId }) => toolId === "input")?.output;
  const mark = typeof output === "object" && output !== null && "mark" in output ? output.mark : null;
  return typeof mark === "string" ? mark : "";
}
