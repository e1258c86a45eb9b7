import { ADMISSION_PAUSE_MS, ADMISSION_TIMEOUT_MS, LOCAL_ADMISSION_MAX_SUBJECTS } from "../config/limits.ts";
import type { Clock } from "../core/clock.ts";
import { runWithin } from "../core/deadline.ts";
import { toError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { Admission, Admissions, Tier } from "../storage/shared-state/shared-state.ts";
import { type Buckets, takeTokens } from "../storage/shared-state/token-buckets.ts";

/**
 * Admission that never takes the service down: while the shared limiter is slow or silent, this isolate counts by
 * itself. That admits up to the limit per isolate, and says so in the log.
 */
export function createAdmission(deps: {
  readonly shared: Admissions;
  readonly clock: Clock;
  readonly log: Logger;
}): (subject: string, tiers: readonly Tier[]) => Promise<Admission> {
  const { shared, clock, log } = deps;
  const local = createLocalLimiter(clock);
  let pausedUntil = 0;

  return async function admit(subject, tiers) {
    if (clock.now() < pausedUntil) return local(subject, tiers);
    try {
      const outcome = await runWithin(clock, ADMISSION_TIMEOUT_MS, undefined, () => shared.admit(subject, tiers));
      if (outcome.kind === "done") return outcome.value;
      log.warn("admission_degraded", { reason: "timeout", pauseMs: ADMISSION_PAUSE_MS });
    } catch (error) {
      log.warn("admission_degraded", {
        reason: "unavailable",
        pauseMs: ADMISSION_PAUSE_MS,
        error: toError(error),
      });
    }
    pausedUntil = clock.now() + ADMISSION_PAUSE_MS;
    return local(subject, tiers);
  };
}

function createLocalLimiter(clock: Clock): (subject: string, tiers: readonly Tier[]) => Admission {
  const subjects = new Map<string, Buckets>();
  return (subject, tiers) => {
    const { admission, buckets } = takeTokens(subjects.get(subject) ?? {}, tiers, 1, clock.now());
    subjects.delete(subject);
    subjects.set(subject, buckets);
    const oldest = subjects.size > LOCAL_ADMISSION_MAX_SUBJECTS ? subjects.keys().next() : undefined;
    if (oldest !== undefined && !oldest.done) subjects.delete(oldest.value);
    return admission;
  };
}
