import { RUNS_KEPT_PER_AGENT } from "../../config/limits.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import { createRecent } from "../../core/recent.ts";
import { runs } from "../../storage/documents/collections.ts";
import type { Documents, Filter, FindQuery } from "../../storage/documents/documents.ts";
import type { RunStats, RunTrace } from "../contract.ts";
import { CLEAN_UP_MAX_PRUNINGS, JOURNALLED_MAX_ENTRIES, PRUNE_RUNS, RUN_BATCH } from "./limits.ts";
import { type RunDocument, readTrace, toDocument } from "./run-document.ts";
import { createRunHeads, type RunHead, type RunHeads } from "./run-heads.ts";
import type { RunJournal } from "./run-journal.ts";
import { createRunRetention } from "./run-retention.ts";
import { type Amounts, createRunSums } from "./run-sums.ts";
import { createRunSweep } from "./run-sweep.ts";

/**
 * The traces of runs and their sums. A `keeper` is an agent's id, or `testRunsOf` a server for the tests of its graph.
 * A run that is dead (see RUN_DEAD_AFTER_MS) and still stands as running becomes `interrupted` when it is met.
 */
export interface RunHistory extends RunJournal {
  /**
   * Keeps the trace of a run that has ended and counts it, once however often and beside whatever this comes. A process
   * that ends between the two leaves it uncounted. The first end of a run stands; a true end stands over `interrupted`.
   * Now and then drops the runs that are too old or too many. `onStored` is called as soon as the run's end stands.
   */
  record(keeper: string, trace: RunTrace, onStored?: () => void): Promise<void>;
  /** Counts runs whose traces are not kept. */
  count(keeper: string, amounts: Amounts): Promise<void>;
  /** Newest first; `before` is the id of the last run already seen. */
  list(keeper: string, limit: number, before?: string, outcome?: RunTrace["outcome"]): Promise<readonly RunTrace[]>;
  /** The same without the traces, oldest first. */
  newestHeads(keeper: string, limit: number, outcome?: RunTrace["outcome"]): Promise<readonly RunHead[]>;
  /** Oldest first, those whose id is greater than `after`. */
  headsAfter(keeper: string, limit: number, after: string): Promise<RunHeads>;
  /** Those of these runs that are there, RUN_BATCH of them at most, oldest first. */
  findAll(keeper: string, runIds: readonly string[]): Promise<readonly RunTrace[]>;
  find(keeper: string, runId: string): Promise<RunTrace | null>;
  /** Of the runs that ended, interrupted ones as failed. */
  stats(keeper: string): Promise<RunStats>;
  /** Ends the runs whose process ended under them, some at a time. Returns how many. */
  sweepInterrupted(keeper: string): Promise<number>;
  /**
   * For the scheduled clean-up: sweeps, and removes what is too old or too many. Three calls of the store where
   * there is nothing to do, two hundred at most.
   */
  cleanUpRuns(keeper: string): Promise<{ readonly interrupted: number; readonly removed: number }>;
  /** Everything that is kept of a keeper; of runs only those with ids below `before` where there may be later ones to keep. */
  forget(keeper: string, before?: string): Promise<void>;
}

interface Reading {
  readonly limit: number;
  /** The id of the last run already read. */
  readonly from: string | undefined;
  readonly outcome?: RunTrace["outcome"] | undefined;
}

interface Page {
  readonly traces: readonly RunTrace[];
  /** Where the next page goes on; undefined where there is none. */
  readonly last: string | undefined;
}

export function createRunHistory(deps: {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly log: Logger;
  /** RUN_KEEP_DAYS. */
  readonly keepDays: number;
}): RunHistory {
  const { documents } = deps;
  const sums = createRunSums(deps);
  const { sweep, present } = createRunSweep({ ...deps, sums });
  const { removeOld, removeSurplus } = createRunRetention({ ...deps, sums });
  /** Spares the attempt to insert what this isolate has inserted; nothing depends on it. */
  const journalled = createRecent<true>(JOURNALLED_MAX_ENTRIES);

  async function readPage(keeper: string, query: FindQuery): Promise<Page> {
    const page = await documents.find(runs(keeper), query);
    const traces: RunTrace[] = [];
    for (const document of page) {
      const trace = await present(keeper, document);
      if (trace !== null) traces.push(trace);
    }
    return { traces, last: page.length < query.limit ? undefined : page.at(-1)?._id };
  }

  /** Reads on until enough of what is there are runs: what cannot be read hides none of the others. */
  async function readRuns(keeper: string, { limit, from, outcome }: Reading) {
    const found: RunTrace[] = [];
    const wanted: Filter = { agentId: keeper, ...(outcome === undefined ? {} : { outcome }) };
    let position = from;
    do {
      const rest = position === undefined ? {} : { _id: { $lt: position } };
      const batch = Math.min(RUN_BATCH, limit - found.length);
      const page = await readPage(keeper, { filter: { ...wanted, ...rest }, sort: { _id: -1 }, limit: batch });
      // One that was dead a moment ago is of another outcome now.
      found.push(...page.traces.filter((trace) => outcome === undefined || trace.outcome === outcome));
      position = page.last;
    } while (position !== undefined && found.length < limit);
    return found;
  }

  /**
   * Stores a run where nothing stands, or over what `over` matches. False where something else stands there, or
   * a run that was journalled here is gone.
   */
  async function store(keeper: string, document: RunDocument, over: Filter): Promise<boolean> {
    const { _id } = document;
    if (journalled.get(_id) === undefined) {
      if ((await documents.insertOne(runs(keeper), document)).ok) return true;
    }
    const replaced = await documents.replaceOne(runs(keeper), { _id, agentId: keeper, ...over }, document);
    return replaced.ok && replaced.value.matchedCount === 1;
  }

  /** What stands there of a run already came in before: an end of it, or that it was interrupted. */
  async function recordOver(keeper: string, document: RunDocument, trace: RunTrace): Promise<void> {
    const run = { _id: trace.runId, agentId: keeper };
    const late = { ...document, late: true };
    const replaced = await documents.replaceOne(runs(keeper), { ...run, outcome: "interrupted" }, late);
    if (replaced.ok && replaced.value.matchedCount === 1) return sums.countLateEnd(keeper, trace);
    const stored = await documents.findOne(runs(keeper), run);
    const standing = stored === null ? null : readTrace(stored);
    if (stored === null || standing === null) return;
    // Whoever stored it may have ended before it was counted.
    await (stored.late === true ? sums.countLateEnd(keeper, standing) : sums.countEnd(keeper, standing));
  }

  async function find(keeper: string, runId: string): Promise<RunTrace | null> {
    const found = await documents.findOne(runs(keeper), { _id: runId, agentId: keeper });
    return found === null ? null : present(keeper, found);
  }

  const readHeads = createRunHeads({ ...deps, find });
  const sweepInterrupted = async (keeper: string) => sweep(keeper, await sums.read(keeper));

  return {
    async write(keeper, trace) {
      const document = toDocument(keeper, trace);
      const { _id, stepCount, steps, durationMs } = document;
      // Steps that run at once write at once, and an earlier state may come in last.
      const older = { stepCount: { $lte: stepCount } };
      const stored = await store(keeper, document, { ...older, outcome: "running" });
      journalled.set(_id, true);
      if (stored) return;
      const interrupted = { _id, agentId: keeper, ...older, outcome: "interrupted" };
      await documents.updateOne(runs(keeper), interrupted, { $set: { stepCount, steps, durationMs } });
    },
    async record(keeper, trace, onStored) {
      const document = toDocument(keeper, trace);
      const stored = await store(keeper, document, { outcome: "running" });
      if (stored) onStored?.();
      await (stored ? sums.countEnd(keeper, trace) : recordOver(keeper, document, trace));
      if (!isPruningRun(trace.runId)) return;
      await removeOld(keeper);
      await removeSurplus(keeper);
    },
    async list(keeper, limit, before, outcome) {
      // By outcome only what is stored as such is found.
      if (outcome !== undefined) await sweepInterrupted(keeper);
      return readRuns(keeper, { limit, from: before, outcome });
    },
    async newestHeads(keeper, limit, outcome) {
      if (outcome !== undefined) await sweepInterrupted(keeper);
      const { heads } = await readHeads(keeper, -1, limit, outcome === undefined ? {} : { outcome });
      return heads.filter((head) => outcome === undefined || head.outcome === outcome).toReversed();
    },
    headsAfter: (keeper, limit, after) => readHeads(keeper, 1, limit, { _id: { $gt: after } }),
    async findAll(keeper, runIds) {
      const filter = { agentId: keeper, _id: { $in: [...runIds] } };
      return (await readPage(keeper, { filter, limit: RUN_BATCH })).traces;
    },
    find,
    count: (keeper, amounts) => sums.count(keeper, amounts),
    stats: (keeper) => sums.stats(keeper),
    sweepInterrupted,
    async cleanUpRuns(keeper) {
      const state = await sums.read(keeper);
      const interrupted = await sweep(keeper, state);
      let removed = await removeOld(keeper);
      if (state.kept + interrupted <= RUNS_KEPT_PER_AGENT) return { interrupted, removed };
      for (let round = 0; round < CLEAN_UP_MAX_PRUNINGS; round++) {
        const gone = await removeSurplus(keeper);
        removed += gone;
        if (gone < PRUNE_RUNS) break;
      }
      return { interrupted, removed };
    },
    async forget(keeper, before) {
      const kept = { agentId: keeper };
      if (before === undefined) {
        await documents.deleteMany(runs(keeper), kept);
        return sums.forget(keeper);
      }
      const { deletedCount } = await documents.deleteMany(runs(keeper), { ...kept, _id: { $lt: before } });
      if ((await documents.findOne(runs(keeper), kept)) === null) return sums.forget(keeper);
      if (deletedCount > 0) await sums.noteRemoved(keeper, deletedCount);
    },
  };
}

/** One run in 32, by the last random character of its id. */
function isPruningRun(runId: string): boolean {
  return runId.endsWith("0");
}
