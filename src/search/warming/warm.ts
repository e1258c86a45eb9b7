import { StorageUnavailable } from "../../core/errors.ts";
import type { JobOptions } from "../../jobs.ts";
import type { SearchRequest } from "../contract.ts";
import type { WarmerOptions, WarmReport, WarmStop } from "./warm-contract.ts";
import { createHold, type Hold, orUnavailable, UNAVAILABLE } from "./warm-hold.ts";
import {
  WARM_LEASE_RENEW_MS,
  WARM_LEASE_SPARE_MS,
  WARM_LOOKS_AT_ONCE,
  WARM_REFRESH_GRACE_MS,
  WARM_RUN_MAX_MS,
} from "./warm-limits.ts";
import { isDue, type Looked, oldestFirst, readFixedList, withoutRepeats, worthWarming } from "./warm-plan.ts";
import { forEachUntilStopped, NO_WORK, refreshAll } from "./warm-refresh.ts";

const LEASE_NAME = "job:warm-cache";

/**
 * Refreshes what is asked often before it goes stale: the fixed list, and the most asked. A run is bounded in time and
 * in what it asks of providers; of runs at once, wherever they are, one works, by a lease that ends when the run dies.
 * `thorough` counts what this isolate noted first, and passes over nothing for being asked too seldom or having failed.
 */
export function createWarmer(options: WarmerOptions): (job: JobOptions) => Promise<WarmReport> {
  const { config, leases, logger } = options;
  const leaseMs = config.SEARCH_DEADLINE_MS + WARM_REFRESH_GRACE_MS + WARM_LEASE_RENEW_MS + WARM_LEASE_SPARE_MS;

  return async function warmCache({ thorough }) {
    const taken = await orUnavailable(leases.acquireLease(LEASE_NAME, leaseMs));
    if (taken === null) return { ...NOTHING_DONE, skipped: true };
    if (taken === UNAVAILABLE) return { ...NOTHING_DONE, skipped: true, stopped: "storage_unavailable" };
    const hold = createHold(options, taken, leaseMs);
    try {
      return await runOnce(options, hold, thorough);
    } finally {
      // Where this fails the lease ends by itself.
      const released = await orUnavailable(leases.releaseLease(hold.lease));
      if (released === UNAVAILABLE) logger.warn("warm_lease_not_released");
    }
  };
}

const NOTHING_DONE = {
  skipped: false,
  fixed: 0,
  popular: 0,
  fresh: 0,
  refreshed: 0,
  failed: 0,
  left: 0,
  stopped: null,
};

async function runOnce(options: WarmerOptions, hold: Hold, thorough: boolean): Promise<WarmReport> {
  const { config, clock, metrics } = options;
  const endAt = clock.now() + WARM_RUN_MAX_MS;
  const fixed = withoutRepeats(readFixedList(config.WARM_QUERIES));
  const asked = await readPopular(options, thorough);
  const popular = withoutRepeats(asked ?? [], fixed);

  const looks = await lookAtAll(options, hold, [...fixed, ...popular], endAt);
  const due = oldestFirst(looks.looked.filter((one) => isDue(one, config)));
  const fresh = looks.looked.length - due.length;
  const hasWork = looks.stopped === null && due.length > 0;
  const work = hasWork ? await refreshAll(options, { hold, endAt, thorough }, due) : NO_WORK;
  const left = fixed.length + popular.length - fresh - work.refreshed - work.failed;

  const { refreshed, failed } = work;
  for (const [outcome, by] of Object.entries({ fresh, refreshed, failed, skipped: left })) {
    if (by > 0) metrics.count("orchestrix_warm_total", { outcome }, by);
  }
  return {
    skipped: false,
    fixed: fixed.length,
    popular: asked === null ? null : popular.length,
    fresh,
    refreshed,
    failed,
    left,
    stopped: looks.stopped ?? work.stopped,
  };
}

/** Null where the counts did not answer. */
async function readPopular(options: WarmerOptions, thorough: boolean): Promise<SearchRequest[] | null> {
  const { config, popularity, logger } = options;
  if (config.WARM_TOP_QUERIES === 0) return [];
  try {
    if (thorough) await popularity.flush();
    const top = await popularity.top(config.WARM_TOP_QUERIES);
    return (thorough ? top : worthWarming(top, config)).map(({ request }) => request);
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    logger.warn("warm_popularity_unavailable", { error });
    return null;
  }
}

async function lookAtAll(
  { search, clock }: WarmerOptions,
  hold: Hold,
  requests: readonly SearchRequest[],
  endAt: number,
): Promise<{ readonly looked: readonly Looked[]; readonly stopped: WarmStop | null }> {
  const looked: Looked[] = [];
  const stopped = await forEachUntilStopped(requests, WARM_LOOKS_AT_ONCE, async (request) => {
    if (clock.now() >= endAt) return "time";
    const lost = await hold.check();
    if (lost !== null) return lost;
    const age = await orUnavailable(search.ageOf(request));
    if (age === UNAVAILABLE) return "storage_unavailable";
    looked.push({ request, freshForMs: age?.freshForMs ?? Number.NEGATIVE_INFINITY });
    return null;
  });
  return { looked, stopped };
}
