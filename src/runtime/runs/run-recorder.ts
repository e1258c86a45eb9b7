import { type Clock, sleep } from "../../core/clock.ts";
import { waitAtMost } from "../../core/deadline.ts";
import { StorageUnavailable } from "../../core/errors.ts";
import type { Defer, Logger } from "../../core/logger.ts";
import type { Metrics } from "../../core/metrics.ts";
import { createOneAtATime } from "../../core/one-at-a-time.ts";
import type { ExecutionLog, NewLogEvent } from "../../servers/execution-log.ts";
import type { RunTrace } from "../contract.ts";
import type { RunSummary } from "../execution/active-run.ts";
import {
  BUSY_RUNS_PER_SECOND,
  BUSY_TRACE_EVERY_MS,
  COUNT_EVERY_MS,
  COUNTING_MAX_MS,
  COUNTS_AT_ONCE,
  END_WAIT_MS,
  POOLED_KEEPERS_MAX,
  RECORD_PAUSES_MS,
  TRACE_EVERY_MS,
  TRACES_AT_ONCE,
} from "./limits.ts";
import type { RunHistory } from "./run-history.ts";
import { type Amounts, addAmounts, amountsOf } from "./run-sums.ts";

export interface EndedRun {
  /** Under which name it is kept: see `keeperOf`. */
  readonly keeper: string;
  readonly summary: RunSummary;
  /** This and the event are asked for where the run's trace is kept. */
  readonly trace: () => RunTrace;
  readonly event: (trace: RunTrace) => NewLogEvent;
  /** Something is stored of the run already, which must get its end. */
  readonly isJournalled: boolean;
}

/** Keeps what happened in runs that have ended. */
export interface RunRecorder {
  /**
   * To be called while the request runs; it goes on behind the answer. Of a journalled run it resolves once its end
   * stands, so that a process that dies after the answer leaves no answered run as interrupted; but no store makes
   * anybody wait longer than END_WAIT_MS. Never throws.
   */
  keep(run: EndedRun): Promise<void> | null;
}

const UNTRACED_METRIC = "orchestrix_runs_untraced_total";
const RUNS_METRIC = "orchestrix_runs_total";

/**
 * Writing a trace costs more than a small run itself. So an isolate keeps the traces of TRACES_AT_ONCE good runs and then
 * of one in each TRACE_EVERY_MS (BUSY_TRACE_EVERY_MS where it is busy), the same of others, and those of all journalled
 * runs. Of the rest number, outcome and duration are counted, many runs in one write, and so many writes in a time,
 * however many agents there are. A process that ends loses what it has counted since the last write.
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
  const means = { good: createMeans(clock), other: createMeans(clock) };
  /** The keeper that has waited longest comes first. */
  const pooled = new Map<string, Amounts>();
  /** Runs that were pooled so far. */
  let arrivals = 0;
  const countSoon = createOneAtATime({ clock, defer }, "count_runs", COUNTING_MAX_MS);

  function pool(keeper: string, amounts: Amounts): void {
    const sums = pooled.get(keeper);
    if (sums === undefined && pooled.size >= POOLED_KEEPERS_MAX) log.warn("runs_not_counted", { keeper });
    else pooled.set(keeper, sums === undefined ? amounts : addAmounts(sums, amounts));
  }

  /** False where the store does not answer: what was to be counted waits on. */
  async function countFirst(max: number): Promise<boolean> {
    let left = max;
    for (const [keeper, amounts] of pooled) {
      if (left-- === 0) return true;
      pooled.delete(keeper);
      try {
        await history.count(keeper, amounts);
      } catch (error) {
        if (!(error instanceof StorageUnavailable)) throw error;
        pool(keeper, amounts);
        return false;
      }
    }
    return true;
  }

  /** While runs come, COUNTS_AT_ONCE in each COUNT_EVERY_MS; once they have stopped, all that is left. */
  async function countAll(): Promise<void> {
    const endAtMs = clock.now() + COUNTING_MAX_MS;
    while (pooled.size > 0 && clock.now() < endAtMs) {
      const before = arrivals;
      await sleep(clock, COUNT_EVERY_MS);
      if (!(await countFirst(arrivals === before ? Number.POSITIVE_INFINITY : COUNTS_AT_ONCE))) return;
    }
  }

  /** Writes an end again while the store does not answer, which counts it once however often. */
  async function write(end: WrittenEnd, pausesMs: readonly number[] = RECORD_PAUSES_MS): Promise<void> {
    const [pauseMs, ...later] = pausesMs;
    try {
      await history.record(end.keeper, end.trace, end.onStored);
      // Or there is nothing left to wait for: its agent is gone, and all that was kept of it.
      end.onStored();
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
      if (pauseMs === undefined) return end.giveUp(error);
      defer(
        "run_trace_again",
        sleep(clock, pauseMs).then(() => write(end, later)),
      );
    }
  }

  /** What has changed something stands as running, and will as interrupted, until its end is written. */
  async function recordEnd(keeper: string, trace: RunTrace): Promise<void> {
    const { runId, agentId } = trace;
    let stand = () => {};
    const stands = new Promise<void>((resolve) => {
      stand = resolve;
    });
    const giveUp = (error: Error) => log.warn("run_end_not_recorded", { runId, agentId, error });
    defer("run_trace", write({ keeper, trace, onStored: stand, giveUp }));
    const isInTime = (await waitAtMost(clock, END_WAIT_MS, stands)) !== null;
    if (!isInTime) log.warn("run_end_not_recorded_yet", { runId, agentId });
  }

  function recordTrace(keeper: string, trace: RunTrace): void {
    const { runId, agentId } = trace;
    let isStored = false;
    const onStored = () => {
      isStored = true;
    };
    const giveUp = (error: Error) => {
      log.warn("run_trace_lost", { runId, agentId, error });
      if (!isStored) countLater(keeper, amountsOf(trace));
    };
    defer("run_trace", write({ keeper, trace, onStored, giveUp }));
  }

  function countLater(keeper: string, amounts: Amounts): void {
    arrivals++;
    pool(keeper, amounts);
    countSoon(countAll);
  }

  return {
    keep({ keeper, summary, trace, event, isJournalled }) {
      const isKept = isJournalled || means[summary.outcome === "ok" ? "good" : "other"].spend();
      if (isKept) {
        const written = trace();
        defer("run_event", executionLog.append(event(written)));
        if (isJournalled) return recordEnd(keeper, written);
        recordTrace(keeper, written);
        return null;
      }
      metrics.count(UNTRACED_METRIC);
      // Otherwise its event counts it.
      metrics.count(RUNS_METRIC, { outcome: summary.outcome === "ok" ? "ok" : "failed" });
      countLater(keeper, amountsOf(summary));
      return null;
    },
  };
}

interface WrittenEnd {
  readonly keeper: string;
  readonly trace: RunTrace;
  readonly onStored: () => void;
  readonly giveUp: (error: StorageUnavailable) => void;
}

/**
 * What may be spent: TRACES_AT_ONCE, and one more every TRACE_EVERY_MS, or BUSY_TRACE_EVERY_MS of who is busy. Spread, so
 * that no write waits behind others.
 */
function createMeans(clock: Clock): { spend(): boolean } {
  let left = TRACES_AT_ONCE;
  let filledAtMs = clock.now();
  let everyMs = TRACE_EVERY_MS;
  let second = { startMs: clock.now(), asked: 0 };

  function lookAtLoad(nowMs: number): void {
    second.asked++;
    if (nowMs - second.startMs < MS_PER_SECOND) return;
    everyMs = second.asked > BUSY_RUNS_PER_SECOND ? BUSY_TRACE_EVERY_MS : TRACE_EVERY_MS;
    second = { startMs: nowMs, asked: 0 };
  }

  return {
    spend() {
      const nowMs = clock.now();
      lookAtLoad(nowMs);
      const gained = Math.floor((nowMs - filledAtMs) / everyMs);
      if (gained > 0) {
        left = Math.min(TRACES_AT_ONCE, left + gained);
        filledAtMs += gained * everyMs;
      }
      if (left === 0) return false;
      left--;
      return true;
    },
  };
}

const MS_PER_SECOND = 1_000;
