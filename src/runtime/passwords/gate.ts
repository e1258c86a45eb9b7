import type { Clock } from "../../core/clock.ts";

/** Runs the work when a slot is free. Stops waiting, by throwing the signal's reason, when the signal aborts. */
export type Gate = <T>(work: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

/**
 * At most `slots` at once. A request that the platform ends in the middle of its work never gives its slot back, and
 * nothing of one request may wake another: so slots are leases, and those who wait look again on timers of their own.
 */
export function createGate(
  clock: Clock,
  options: { readonly slots: number; readonly leaseMs: number; readonly pollMs: number },
): Gate {
  const leases = new Map<symbol, number>();
  const isFull = () => {
    const now = clock.now();
    for (const [holder, end] of leases) if (end <= now) leases.delete(holder);
    return leases.size >= options.slots;
  };
  return async (work, signal) => {
    while (isFull()) {
      await new Promise<void>((resolve) => clock.after(options.pollMs, resolve));
      signal?.throwIfAborted();
    }
    const holder = Symbol();
    leases.set(holder, clock.now() + options.leaseMs);
    try {
      return await work();
    } finally {
      leases.delete(holder);
    }
  };
}
