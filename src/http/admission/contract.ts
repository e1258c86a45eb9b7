import type { Result } from "../../core/result.ts";
import type { Admission, Consultation, Consulted, Tier } from "../../storage/shared-state/shared-state.ts";

/** `local`: the shared limiter did not answer, so this isolate counted by itself. */
export interface Admitted extends Admission {
  readonly local: boolean;
}

/** What is asked of the shared state in the same round trip. */
export type Alongside = Pick<Consultation, "lookup" | "also">;

export interface AdmissionControl {
  /**
   * What memory can say without asking anybody: admitted by tokens that this isolate paid for, or refused because the
   * caller is known to be blocked. Null: the shared limiter must be asked.
   */
  decide(subject: string, tiers: readonly Tier[]): Admitted | null;
  /** Asks the shared limiter, and whatever else in the same round trip. `consulted` is null where it did not answer. */
  ask(
    subject: string,
    tiers: readonly Tier[],
    alongside?: Alongside,
  ): Promise<{ readonly admitted: Admitted; readonly consulted: Consulted | null }>;
}

/**
 * What stands between a request and its work where the work begins with a look at the shared state: passing it admits
 * the request and looks, in one round trip. To be passed before anything is done that costs somebody something; with
 * nothing `alongside` where the look is not needed. Null: the shared state does not answer, go on without it.
 */
export type Gate = (alongside?: Alongside) => Promise<Result<Consulted | null>>;
