import type { Clock } from "../../core/clock.ts";
import { StorageUnavailable } from "../../core/errors.ts";
import type { Defer, Logger } from "../../core/logger.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { ExecutionLog, NewLogEvent } from "../../servers/execution-log.ts";
import type { RunTrace } from "../contract.ts";
import { POOLED_KEEPERS_MAX, RECORD_WINDOW_MS, RECORDS_PER_WINDOW } from "./limits.ts";
import type { RunHistory } from "./run-history.ts";
import { keeperOf } from "./run-ids.ts";
import { type Amounts, addAmounts, amountsOf } from "./run-sums.ts";

/** Keeps what happened in runs that have ended, behind their answers. */
export interface RunRecorder {
  /** `isJournalled`: something is stored of the run already, which must get its end. Never throws. */
  keep(run: { readonly trace: RunTrace; readonly event: NewLogEvent; readonly isJournalled: boolean }): void;
}

const UNTRACED_METRIC = "orchestrix_runs_untraced_total";
const RUNS_METRIC = "orchestrix_runs_total";

/**
 * Writing a trace costs more than a small run itself. So an isolate keeps RECORDS_PER_WINDOW traces of good runs, as many
 * of others, and those of all journalled runs in each RECORD_WINDOW_MS; of the runs beyond that the number, outcome and
 * duration are counted, many runs in one write. A process that ends loses what it has counted since the last write.
 */
export function createRunRecorder(deps: {
  readonly history: Pick<RunHistory, "record" | "count">;
  readonly executionLog: Pick<ExecutionLog, "append">;
  readonly clock: Clock;
  readonly defer: Defer;
  readonly metrics: Metrics;
  readonly log: Logger;
}): RunRecorder {
  const { history, executionLog, clock, defer, metrics, log } = deps;
  const pooled = new Map<string, Amounts>();
  let windowEndsAt = 0;
  let kept = { good: 0, other: 0 };
  /** Whoever flushes may be broken off by the platform: others wait for it no longer than this. */
  let flushingUntil = 0;

  function isWithinMeans(trace: RunTrace): boolean {
    const now = clock.now();
    if (now >= windowEndsAt) {
      windowEndsAt = now + RECORD_WINDOW_MS;
      kept = { good: 0, other: 0 };
    }
    const kind = trace.outcome === "ok" ? "good" : "other";
    return ++kept[kind] <= RECORDS_PER_WINDOW;
  }

  function pool(keeper: string, amounts: Amounts): void {
    const sums = pooled.get(keeper);
    if (sums === undefined && pooled.size >= POOLED_KEEPERS_MAX) log.warn("runs_not_counted", { keeper });
    else pooled.set(keeper, sums === undefined ? amounts : addAmounts(sums, amounts));
  }

  async function flush(): Promise<void> {
    const counted = [...pooled];
    pooled.clear();
    for (const [keeper, amounts] of counted) {
      try {
        await history.count(keeper, amounts);
      } catch (error) {
        if (!(error instanceof StorageUnavailable)) throw error;
        pool(keeper, amounts);
      }
    }
  }

  async function flushLater(): Promise<void> {
    await new Promise<void>((resolve) => clock.after(RECORD_WINDOW_MS, resolve));
    try {
      await flush();
    } finally {
      flushingUntil = 0;
    }
  }

  return {
    keep({ trace, event, isJournalled }) {
      if (isJournalled || isWithinMeans(trace)) {
        defer("run_event", executionLog.append(event));
        defer("run_trace", history.record(trace));
        return;
      }
      metrics.count(UNTRACED_METRIC);
      // Otherwise its event counts it.
      metrics.count(RUNS_METRIC, { outcome: trace.outcome === "ok" ? "ok" : "failed" });
      pool(keeperOf(trace), amountsOf(trace));
      const now = clock.now();
      if (now < flushingUntil) return;
      flushingUntil = now + FLUSH_MAX_MS;
      defer("count_runs", flushLater());
    },
  };
}

/** Longer than any flush: as long as the platform lets work go on behind an answer. */
const FLUSH_MAX_MS = 30_000;
