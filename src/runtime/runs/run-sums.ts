import { runSums } from "../../storage/documents/collections.ts";
import type { Documents, StoredDocument } from "../../storage/documents/documents.ts";
import type { RunStats, RunTrace } from "../contract.ts";
import { bucketOf, percentile } from "./histogram.ts";

/** What is added to the sums, by their fields. */
export type Amounts = Readonly<Record<string, number>>;

/** Of a run that is counted and not kept. */
export function amountsOf({ outcome, durationMs }: Pick<RunTrace, "outcome" | "durationMs">): Amounts {
  return { total: 1, failed: outcome === "ok" ? 0 : 1, [`b${bucketOf(durationMs)}`]: 1 };
}

export function addAmounts(one: Amounts, other: Amounts): Amounts {
  const sums: Record<string, number> = { ...one };
  for (const [field, amount] of Object.entries(other)) sums[field] = (sums[field] ?? 0) + amount;
  return sums;
}

/** What is kept of a keeper's runs beside them: sums, and how far a sweep came. */
export interface SumsState {
  readonly total: number;
  /** Runs that are stored, those that run left out. */
  readonly kept: number;
  /** No run up to this id runs; empty before the first sweep. */
  readonly sweptTo: string;
  /** `total` at that time. */
  readonly sweptTotal: number;
}

/**
 * The sums of runs, one document for each keeper. Each `count…` may come any number of times for one run, and counts
 * once: the document names the last run that it counted in each of 32 slots, and a run's slot is the last character of
 * its id. A repeat that comes after another run of its slot counts again.
 */
export interface RunSums {
  countEnd(keeper: string, run: RunTrace): Promise<void>;
  /** As failed. Its duration is not known. */
  countInterrupted(keeper: string, runId: string): Promise<void>;
  /** The true end of a run that `countInterrupted` counts: makes up for that, whether it came already or not. */
  countLateEnd(keeper: string, run: RunTrace): Promise<void>;
  /** Runs that are not kept. A repeat counts again. */
  count(keeper: string, amounts: Amounts): Promise<void>;
  noteRemoved(keeper: string, count: number): Promise<void>;
  noteSwept(keeper: string, sweptTo: string, sweptTotal: number): Promise<void>;
  read(keeper: string): Promise<SumsState>;
  stats(keeper: string): Promise<RunStats>;
  forget(keeper: string): Promise<void>;
}

/** Buckets are fields of the one document of sums, so that a run is counted by one `$inc`. */
const BUCKET_FIELD = /^b(\d+)$/;

export function createRunSums({ documents }: { readonly documents: Documents }): RunSums {
  /** Adds the amounts unless the run's slot holds one of `done`, the first of which it then holds. */
  async function countOnce(keeper: string, runId: string, done: readonly [string, ...string[]], amounts: Amounts) {
    const slot = `last_${runId.slice(-1)}`;

    const add = () =>
      documents.updateOne(
        runSums(keeper),
        { _id: keeper, [slot]: { $nin: done } },
        { $inc: amounts, $set: { [slot]: done[0] } },
      );
    const added = await add();
    if (added.ok && added.value.matchedCount === 1) return;
    const made = await documents.insertOne(runSums(keeper), { _id: keeper, ...amounts, [slot]: done[0] });
    // It is there already: it holds the run, or another first run has made it at this moment.
    if (!made.ok) await add();
  }

  async function countInterrupted(keeper: string, runId: string): Promise<void> {
    const done = [`${runId}:interrupted`, `${runId}:late`] as const;
    await countOnce(keeper, runId, done, { total: 1, failed: 1, kept: 1 });
  }

  const find = (keeper: string) => documents.findOne(runSums(keeper), { _id: keeper });

  return {
    async countEnd(keeper, { runId, outcome, durationMs }) {
      const failed = outcome === "ok" ? 0 : 1;
      await countOnce(keeper, runId, [runId], { total: 1, failed, kept: 1, [`b${bucketOf(durationMs)}`]: 1 });
    },
    countInterrupted,
    async countLateEnd(keeper, { runId, outcome, durationMs }) {
      await countInterrupted(keeper, runId);
      const failed = outcome === "ok" ? -1 : 0;
      await countOnce(keeper, runId, [`${runId}:late`], { failed, [`b${bucketOf(durationMs)}`]: 1 });
    },
    async count(keeper, amounts) {
      const sums = { _id: keeper };
      const counted = await documents.updateOne(runSums(keeper), sums, { $inc: amounts }, { upsert: true });
      // Two firsts at once may both insert; the second finds the first one's document.
      if (!counted.ok) await documents.updateOne(runSums(keeper), sums, { $inc: amounts });
    },
    async noteRemoved(keeper, count) {
      await documents.updateOne(runSums(keeper), { _id: keeper }, { $inc: { kept: -count } });
    },
    async noteSwept(keeper, sweptTo, sweptTotal) {
      await documents.updateOne(runSums(keeper), { _id: keeper }, { $set: { sweptTo, sweptTotal } });
    },
    async read(keeper) {
      const sums = await find(keeper);
      const sweptTo = sums?.sweptTo;
      return {
        total: numberIn(sums, "total"),
        kept: numberIn(sums, "kept"),
        sweptTo: typeof sweptTo === "string" ? sweptTo : "",
        sweptTotal: numberIn(sums, "sweptTotal"),
      };
    },
    async stats(keeper) {
      const sums = await find(keeper);
      const histogram = new Map<number, number>();
      for (const [field, amount] of Object.entries(sums ?? {})) {
        const [, bucket] = BUCKET_FIELD.exec(field) ?? [];
        if (bucket !== undefined && typeof amount === "number") histogram.set(Number(bucket), amount);
      }
      return {
        total: numberIn(sums, "total"),
        failed: numberIn(sums, "failed"),
        p50Ms: percentile(histogram, 0.5),
        p99Ms: percentile(histogram, 0.99),
      };
    },
    async forget(keeper) {
      await documents.deleteOne(runSums(keeper), { _id: keeper });
    },
  };
}

function numberIn(document: StoredDocument | null, field: string): number {
  const value = document?.[field];
  return typeof value === "number" ? value : 0;
}
