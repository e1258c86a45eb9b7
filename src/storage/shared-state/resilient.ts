import type { Clock } from "../../core/clock.ts";
import { waitAtMost } from "../../core/deadline.ts";
import { StorageUnavailable } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { Metrics } from "../../core/metrics.ts";
import {
  SHARED_STATE_OPERATOR_TIMEOUT_MS,
  SHARED_STATE_PAUSE_MS,
  SHARED_STATE_READ_TIMEOUT_MS,
  SHARED_STATE_WRITE_TIMEOUT_MS,
} from "./limits.ts";
import type { SharedState } from "./shared-state.ts";

interface ResilientDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Bounds what a slow or failing store costs this isolate. Calls are given little time; after one that failed, all fail at
 * once for a while, and then one goes through and decides. `ping` and `cacheClear` always go through and decide nothing:
 * who asks for them wants the store's own word. What is no `StorageUnavailable` passes through.
 */
export function createResilientSharedState(inner: SharedState, deps: ResilientDependencies): SharedState {
  const { clock } = deps;
  const health = createHealth(deps);

  async function bounded<T>(ms: number, work: () => Promise<T>): Promise<T> {
    const outcome = await waitAtMost(clock, ms, work());
    if (outcome !== null) return outcome.value;
    throw new TimedOut(`the shared state did not answer within ${ms} ms`);
  }

  async function guarded<T>(ms: number, work: () => Promise<T>): Promise<T> {
    const isTrial = health.enter(ms);
    try {
      const value = await bounded(ms, work);
      health.onAnswer(isTrial);
      return value;
    } catch (error) {
      if (error instanceof StorageUnavailable) health.onFailure(error, isTrial);
      throw error;
    }
  }

  const read = <T>(work: () => Promise<T>) => guarded(SHARED_STATE_READ_TIMEOUT_MS, work);
  const write = <T>(work: () => Promise<T>) => guarded(SHARED_STATE_WRITE_TIMEOUT_MS, work);

  return {
    consult: (consultation) => read(() => inner.consult(consultation)),
    admit: (...args) => read(() => inner.admit(...args)),
    giveBack: (...args) => write(() => inner.giveBack(...args)),
    cacheLookup: (...args) => read(() => inner.cacheLookup(...args)),
    cacheStore: (...args) => write(() => inner.cacheStore(...args)),
    cacheRelease: (...args) => write(() => inner.cacheRelease(...args)),
    cacheDelete: (key) => write(() => inner.cacheDelete(key)),
    cacheClear: () => bounded(SHARED_STATE_OPERATOR_TIMEOUT_MS, () => inner.cacheClear()),
    acquireLease: (...args) => read(() => inner.acquireLease(...args)),
    renewLease: (...args) => read(() => inner.renewLease(...args)),
    releaseLease: (lease) => read(() => inner.releaseLease(lease)),
    increment: (...args) => read(() => inner.increment(...args)),
    readCounter: (name) => read(() => inner.readCounter(name)),
    ping: () => bounded(SHARED_STATE_READ_TIMEOUT_MS, () => inner.ping()),
  };
}

class TimedOut extends StorageUnavailable {}

const UP = "orchestrix_shared_state_up";
const FAILURES = "orchestrix_shared_state_failures_total";

/** What this isolate knows of the store. */
function createHealth({ clock, logger, metrics }: ResilientDependencies) {
  let downSince: number | null = null;
  let pausedUntil = 0;
  let isUpTold = false;

  return {
    /** Whether this call is the one that tries again. Throws while the store is left alone. */
    enter(ms: number): boolean {
      if (downSince === null) return false;
      const now = clock.now();
      if (now < pausedUntil) throw new StorageUnavailable("the shared state failed a moment ago and is left alone");
      // As long as the trial may take, so that a request that is broken off while it tries blocks nobody for good.
      pausedUntil = now + ms;
      return true;
    },

    /** An answer to what was asked before the failure says nothing of now. */
    onAnswer(isTrial: boolean): void {
      if (downSince !== null && !isTrial) return;
      if (downSince !== null) logger.info("shared_state_available", { downMs: clock.now() - downSince });
      if (downSince !== null || !isUpTold) metrics.gauge(UP, 1);
      downSince = null;
      isUpTold = true;
    },

    onFailure(error: StorageUnavailable, isTrial: boolean): void {
      const reason = error instanceof TimedOut ? "timeout" : "unavailable";
      metrics.count(FAILURES, { reason });
      if (downSince !== null && !isTrial) return;
      pausedUntil = clock.now() + SHARED_STATE_PAUSE_MS;
      if (downSince !== null) return;
      downSince = clock.now();
      metrics.gauge(UP, 0);
      logger.warn("shared_state_unavailable", { reason, pauseMs: SHARED_STATE_PAUSE_MS, error });
    },
  };
}
