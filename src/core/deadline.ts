import type { Clock } from "./clock.ts";

export type DeadlineOutcome<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "timeout" }
  | { readonly kind: "cancelled" };

/** Ends one piece of work. Its AbortController is made when somebody asks for the signal: much work never does. */
export class Stopper {
  #controller: AbortController | null = null;
  #stopped: DOMException | null = null;

  signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#stopped !== null) this.#controller.abort(this.#stopped);
    return this.#controller.signal;
  }

  stop(reason: DOMException): void {
    this.#stopped = reason;
    this.#controller?.abort(reason);
  }
}

/**
 * Waits at most `ms` for work that goes by the signal of `stopper`. On time-out, or when `parent` aborts, it is told to
 * stop and the outcome is returned at once, also when it ignores that; a later rejection of it is swallowed. A rejection
 * in time is passed on.
 */
export async function waitWithin<T>(
  clock: Clock,
  ms: number,
  parent: AbortSignal | undefined,
  work: Promise<T>,
  stopper: Stopper,
): Promise<DeadlineOutcome<T>> {
  let settle: (outcome: DeadlineOutcome<T>) => void = () => {};
  const stopped = new Promise<DeadlineOutcome<T>>((resolve) => {
    settle = resolve;
  });
  const stop = (kind: "timeout" | "cancelled") => {
    // Settled first: work that rejects on abort must not win the race with its own cancellation.
    settle({ kind });
    stopper.stop(new DOMException(kind, kind === "timeout" ? "TimeoutError" : "AbortError"));
  };
  const onParentAbort = () => stop("cancelled");
  const cancelTimer = clock.after(ms, () => stop("timeout"));
  if (parent?.aborted) onParentAbort();
  parent?.addEventListener("abort", onParentAbort, { once: true });
  try {
    const done = work.then((value): DeadlineOutcome<T> => ({ kind: "done", value }));
    done.catch(() => {});
    return await Promise.race([stopped, done]);
  } finally {
    cancelTimer();
    parent?.removeEventListener("abort", onParentAbort);
  }
}

/** Begins `work`, unless it is too late for it or `parent` has aborted, and waits for it as above. */
export async function runWithin<T>(
  clock: Clock,
  ms: number,
  parent: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<DeadlineOutcome<T>> {
  if (parent?.aborted) return { kind: "cancelled" };
  if (ms <= 0) return { kind: "timeout" };
  const stopper = new Stopper();
  return waitWithin(clock, ms, parent, work(stopper.signal()), stopper);
}

/**
 * Waits at most `ms` for work that cannot be told to stop; null when it takes longer. It goes on then, and a later
 * rejection of it is swallowed; a rejection in time is passed on. Costs a timer and no more. The work may be another
 * request's: what is awaited here is a promise derived from it. One whose `resolve` the work calls made the waiting
 * request go on as the other, now and then and under load alone (workerd, "I/O on behalf of a different request").
 */
export async function waitAtMost<T>(clock: Clock, ms: number, work: Promise<T>): Promise<{ readonly value: T } | null> {
  if (ms <= 0) {
    work.catch(() => {});
    return null;
  }
  let cancelTimer = () => {};
  const late = new Promise<null>((resolve) => {
    cancelTimer = clock.after(ms, () => resolve(null));
  });
  try {
    return await Promise.race([late, work.then((value) => ({ value }))]);
  } finally {
    // Here, where the waiting request goes on: the work may be another request's, and timers belong to their own.
    cancelTimer();
  }
}
