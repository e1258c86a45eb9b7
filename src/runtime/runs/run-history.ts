import { RUNS_KEPT_PER_AGENT } from "../../config/limits.ts";
import type { Logger } from "../../core/logger.ts";
import { runs } from "../../storage/documents/collections.ts";
import type { Documents, StoredDocument } from "../../storage/documents/documents.ts";
import { type RunStats, type RunTrace, runTraceSchema } from "../contract.ts";
import { PRUNE_BATCH_RUNS } from "../limits.ts";
import { bucketOf, percentile } from "./histogram.ts";

/** The traces of agents' runs and their sums. */
export interface RunHistory {
  /** Keeps the trace and counts it. Now and then drops the oldest ones beyond RUNS_KEPT_PER_AGENT. */
  record(trace: RunTrace): Promise<void>;
  /** Newest first; `before` is the id of the last run already seen. */
  list(agentId: string, limit: number, before?: string): Promise<readonly RunTrace[]>;
  find(agentId: string, runId: string): Promise<RunTrace | null>;
  stats(agentId: string): Promise<RunStats>;
  /** Everything that is kept of an agent. */
  forget(agentId: string): Promise<void>;
}

/** Buckets are fields of the one document of sums, so that a run is counted by one `$inc`. */
const BUCKET_FIELD = /^b(\d+)$/;

export function createRunHistory(deps: { readonly documents: Documents; readonly log: Logger }): RunHistory {
  const { documents, log } = deps;

  async function count(agentId: string, amounts: Readonly<Record<string, number>>): Promise<void> {
    const update = { $inc: amounts };
    const sums = { _id: statsId(agentId) };
    const counted = await documents.updateOne(runs(agentId), sums, update, { upsert: true });
    // Two first runs at once may both insert; the second finds the first one's document.
    if (!counted.ok) await documents.updateOne(runs(agentId), sums, update);
  }

  async function prune(agentId: string): Promise<void> {
    const sums = await documents.findOne(runs(agentId), { _id: statsId(agentId) });
    const surplus = numberIn(sums, "kept") - RUNS_KEPT_PER_AGENT;
    if (surplus <= 0) return;
    const oldest = await documents.find(runs(agentId), {
      filter: { agentId },
      sort: { _id: 1 },
      limit: Math.min(surplus, PRUNE_BATCH_RUNS),
    });
    const last = oldest.at(-1);
    if (last === undefined) return;
    const { deletedCount } = await documents.deleteMany(runs(agentId), { agentId, _id: { $lte: last._id } });
    await count(agentId, { kept: -deletedCount });
    log.debug("runs_pruned", { agentId, deletedCount });
  }

  return {
    async record(trace) {
      const { runId, agentId } = trace;
      await documents.insertOne(runs(agentId), { _id: runId, ...trace });
      const failed = trace.outcome === "ok" ? 0 : 1;
      await count(agentId, { total: 1, failed, kept: 1, [`b${bucketOf(trace.durationMs)}`]: 1 });
      if (isPruningRun(runId)) await prune(agentId);
    },
    async list(agentId, limit, before) {
      const found = await documents.find(runs(agentId), {
        filter: { agentId, ...(before === undefined ? {} : { _id: { $lt: before } }) },
        sort: { _id: -1 },
        limit,
      });
      return found.map((document) => runTraceSchema.parse(document));
    },
    async find(agentId, runId) {
      const found = await documents.findOne(runs(agentId), { _id: runId, agentId });
      return found === null ? null : runTraceSchema.parse(found);
    },
    async stats(agentId) {
      const sums = await documents.findOne(runs(agentId), { _id: statsId(agentId) });
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
    async forget(agentId) {
      await documents.deleteMany(runs(agentId), { agentId });
      await documents.deleteOne(runs(agentId), { _id: statsId(agentId) });
    },
  };
}

/** Has no field `agentId`, so that it is no run; an `_id` of its own among all agents' documents. */
function statsId(agentId: string): string {
  return `stats:${agentId}`;
}

/** One run in 32, by the last random character of its id. */
function isPruningRun(runId: string): boolean {
  return runId.endsWith("0");
}

function numberIn(document: StoredDocument | null, field: string): number {
  const value = document?.[field];
  return typeof value === "number" ? value : 0;
}
