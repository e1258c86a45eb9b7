import { waitAtMost } from "../../core/deadline.ts";
import { StorageUnavailable, toError } from "../../core/errors.ts";
import { canonicalQuestion, sharedKeyOf } from "../cache/cache-key.ts";
import type { SearchRequest } from "../contract.ts";
import type { WarmerOptions, WarmSearch, WarmStop } from "./warm-contract.ts";
import { type Hold, orUnavailable, UNAVAILABLE } from "./warm-hold.ts";
import {
  WARM_CONCURRENCY,
  WARM_FAILED_PAUSE_MS,
  WARM_MAX_FAILURES_IN_ROW,
  WARM_MAX_REFRESHES,
  WARM_MIN_QUOTA_LEFT,
  WARM_REFRESH_GRACE_MS,
} from "./warm-limits.ts";
import type { Looked } from "./warm-plan.ts";

export interface Work {
  readonly refreshed: number;
  readonly failed: number;
  readonly stopped: WarmStop | null;
}

export const NO_WORK: Work = { refreshed: 0, failed: 0, stopped: null };

/** Refreshes in the order given, a few at a time, until there is a reason to stop. */
export async function refreshAll(
  options: WarmerOptions,
  run: { readonly hold: Hold; readonly endAt: number; readonly thorough: boolean },
  due: readonly Looked[],
): Promise<Work> {
  if (await isQuotaLow(options)) return { ...NO_WORK, stopped: "quota" };
  const work = { refreshed: 0, failed: 0 };
  let begun = 0;
  let failedInRow = 0;

  async function step({ request }: Looked): Promise<WarmStop | null> {
    if (options.clock.now() >= run.endAt) return "time";
    const lost = await run.hold.check();
    if (lost !== null) return lost;
    if (begun >= WARM_MAX_REFRESHES) return "budget";
    // Counted before anything is waited for: the others look at it meanwhile.
    begun++;
    const pause = run.thorough ? NO_PAUSE : await beginPause(options, request);
    if (pause === null) {
      begun--;
      return null;
    }
    const outcome = await refreshOne(options, request);
    if (outcome !== "failed") await pause.end();
    return note(outcome);
  }

  function note(outcome: Outcome): WarmStop | null {
    switch (outcome) {
      case "refreshed":
        work.refreshed++;
        failedInRow = 0;
        return null;
      case "busy":
        return null;
      case "storage_unavailable":
        return outcome;
      case "degraded":
      case "limited":
        work.failed++;
        return outcome;
      case "failed":
        work.failed++;
        failedInRow++;
        return failedInRow >= WARM_MAX_FAILURES_IN_ROW ? "failing" : null;
    }
  }

  return { stopped: await forEachUntilStopped(due, WARM_CONCURRENCY, step), ...work };
}

/** Ended by nobody it ends by itself. */
interface Pause {
  end(): Promise<unknown>;
}

const NO_PAUSE: Pause = { end: async () => {} };

/**
 * What failed is left alone for a while by all runs: being oldest it would come first in each, and keep them from the
 * rest. Null where it failed lately. Where leases do not answer there is no pause: the run finds out by itself.
 */
async function beginPause({ leases }: WarmerOptions, request: SearchRequest): Promise<Pause | null> {
  const key = await sharedKeyOf(canonicalQuestion(request, []));
  const lease = await orUnavailable(leases.acquireLease(`warm-pause:${key}`, WARM_FAILED_PAUSE_MS));
  if (lease === UNAVAILABLE) return NO_PAUSE;
  return lease === null ? null : { end: () => orUnavailable(leases.releaseLease(lease)) };
}

/** A quota that cannot be read is no reason to stop: providers also say so when it is used up. */
async function isQuotaLow({ quotaLeft, logger }: WarmerOptions): Promise<boolean> {
  try {
    const left = await quotaLeft();
    return left !== null && left < WARM_MIN_QUOTA_LEFT;
  } catch (error) {
    logger.warn("warm_quota_unknown", { error: toError(error) });
    return false;
  }
}

type Outcome = Awaited<ReturnType<WarmSearch["refresh"]>> | "storage_unavailable";

/** One that cannot be refreshed, whatever happened, does not keep the others from it. */
async function refreshOne({ search, config, clock, logger }: WarmerOptions, request: SearchRequest): Promise<Outcome> {
  const limitMs = config.SEARCH_DEADLINE_MS + WARM_REFRESH_GRACE_MS;
  try {
    const outcome = await waitAtMost(clock, limitMs, search.refresh(request));
    return outcome === null ? "failed" : outcome.value;
  } catch (error) {
    if (error instanceof StorageUnavailable) return "storage_unavailable";
    logger.warn("warm_refresh_failed", { error: toError(error) });
    return "failed";
  }
}

/** Works on up to `width` items at once, in order, until one gives a reason to stop; what has begun then ends. */
export async function forEachUntilStopped<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<WarmStop | null>,
): Promise<WarmStop | null> {
  let stopped: WarmStop | null = null;
  const waiting = items.values();
  const workOn = async () => {
    for (const item of waiting) {
      const reason = await work(item);
      stopped ??= reason;
      if (stopped !== null) return;
    }
  };
  await Promise.all(Array.from({ length: width }, workOn));
  return stopped;
}
