import type { Clock } from "../../core/clock.ts";
import { unlessUnavailable } from "../../core/errors.ts";
import { runs } from "../../storage/documents/collections.ts";
import type { Documents, StoredDocument } from "../../storage/documents/documents.ts";
import type { RunTrace } from "../contract.ts";
import { RUN_BATCH, RUN_DEAD_AFTER_MS } from "./limits.ts";
import { readTrace } from "./run-document.ts";
import { runIdAt } from "./run-ids.ts";
import type { RunSums, SumsState } from "./run-sums.ts";

const INTERRUPTED = {
  outcome: "interrupted",
  status: null,
  error: "its process ended under the run; steps that are not listed may or may not have happened",
} as const;

export interface RunSweep {
  /** Ends a keeper's runs whose process ended under them, a batch at most. Returns how many. */
  sweep(keeper: string, state: SumsState): Promise<number>;
  /** A run as it stands: one that is dead is ended first. Null where the document is no run. */
  present(keeper: string, document: StoredDocument): Promise<RunTrace | null>;
}

/**
 * Which of several sweeps ends a run, or whether the run itself does, is decided by the update of its document. Until
 * an interrupted run is counted its document says `uncounted`, so that what breaks off here is made up for.
 */
export function createRunSweep(deps: {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly sums: RunSums;
}): RunSweep {
  const { documents, clock, sums } = deps;

  async function count(keeper: string, runId: string): Promise<void> {
    await sums.countInterrupted(keeper, runId);
    const counted = { _id: runId, agentId: keeper, uncounted: true };
    await documents.updateOne(runs(keeper), counted, { $unset: { uncounted: true } });
  }

  /** False where the run ended after all, or another sweep was first. */
  async function interrupt(keeper: string, runId: string): Promise<boolean> {
    const running = { _id: runId, agentId: keeper, outcome: "running" };
    const ended = await documents.updateOne(runs(keeper), running, { $set: { ...INTERRUPTED, uncounted: true } });
    if (!ended.ok || ended.value.modifiedCount === 0) return false;
    await count(keeper, runId);
    return true;
  }

  return {
    async sweep(keeper, { total, sweptTo, sweptTotal }) {
      const until = runIdAt(clock.now() - RUN_DEAD_AFTER_MS);
      const unsettled = { $or: [{ outcome: "running" }, { uncounted: true }] };
      const filter = { agentId: keeper, _id: { $gt: sweptTo, $lt: until }, ...unsettled };
      const dead = await documents.find(runs(keeper), { filter, sort: { _id: 1 }, limit: RUN_BATCH });
      let interrupted = 0;
      let isSettled = dead.length < RUN_BATCH;
      for (const { _id, outcome } of dead) {
        if (outcome !== "running") await count(keeper, _id);
        else if (await interrupt(keeper, _id)) interrupted++;
        // Another sweep was first, and may break off before it has counted the run.
        else isSettled = false;
      }
      if (isSettled && total + interrupted !== sweptTotal) await sums.noteSwept(keeper, until, total + interrupted);
      return interrupted;
    },
    async present(keeper, document) {
      const { _id, outcome, uncounted } = document;
      const trace = readTrace(document);
      if (trace === null) return null;
      if (uncounted === true) await unlessUnavailable(count(keeper, _id), null);
      if (outcome !== "running" || _id >= runIdAt(clock.now() - RUN_DEAD_AFTER_MS)) return trace;
      // Shown as what it is, also where that cannot be written now.
      if (await unlessUnavailable(interrupt(keeper, _id), true)) return { ...trace, ...INTERRUPTED };
      const now = await documents.findOne(runs(keeper), { _id, agentId: keeper });
      return now === null ? null : readTrace(now);
    },
  };
}
