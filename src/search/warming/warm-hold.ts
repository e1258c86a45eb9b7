import { unlessUnavailable } from "../../core/errors.ts";
import type { Lease } from "../../storage/shared-state/shared-state.ts";
import type { WarmerOptions, WarmStop } from "./warm-contract.ts";
import { WARM_LEASE_RENEW_MS } from "./warm-limits.ts";

/** The lease while the run has it. */
export interface Hold {
  readonly lease: Lease;
  /** Renews it where that is due. Null while it is held. */
  check(): Promise<WarmStop | null>;
}

export function createHold({ leases, clock }: WarmerOptions, lease: Lease, leaseMs: number): Hold {
  let renewAt = clock.now() + WARM_LEASE_RENEW_MS;
  return {
    lease,
    async check() {
      if (clock.now() < renewAt) return null;
      const renewed = await orUnavailable(leases.renewLease(lease, leaseMs));
      if (renewed === UNAVAILABLE) return "storage_unavailable";
      if (renewed === null) return "lease_lost";
      renewAt = clock.now() + WARM_LEASE_RENEW_MS;
      return null;
    },
  };
}

export const UNAVAILABLE = Symbol("the store did not answer");

/** A store that does not answer is expected here: a value, not an error. */
export function orUnavailable<T>(asked: Promise<T>): Promise<T | typeof UNAVAILABLE> {
  return unlessUnavailable(asked, UNAVAILABLE);
}
