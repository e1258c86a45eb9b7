import type { Clock } from "../../core/clock.ts";
import { createRecent } from "../../core/recent.ts";
import type { Admission, Tier } from "../../storage/shared-state/shared-state.ts";
import { type Buckets, takeTokens } from "../../storage/shared-state/token-buckets.ts";
import { ADMISSION_MAX_SUBJECTS } from "./limits.ts";

/** This isolate's own count, for when the shared one does not answer: admits up to the limit per isolate. */
export function createLocalLimiter(clock: Clock): (subject: string, tiers: readonly Tier[]) => Admission {
  const subjects = createRecent<Buckets>(ADMISSION_MAX_SUBJECTS);
  return function takeLocally(subject, tiers) {
    const { admission, buckets } = takeTokens(subjects.get(subject) ?? {}, tiers, 1, clock.now());
    subjects.set(subject, buckets);
    return admission;
  };
}
