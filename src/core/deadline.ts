import type { Clock } from "./clock.ts";

export type DeadlineOutcome<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "timeout" }
  | { readonly kind: "cancelled" };

/**
 * Runs `work` for at most `ms`. On time-out, or when `parent` aborts, the signal given to `work` aborts and the
 * outcome is returned at once, also when `work` ignores its signal; a later rejection of it is swallowed.
 * A rejection in time is passed on.
 */
export async function runWithin<T>(
  clock: Clock,
  ms: number,
  parent: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<DeadlineOutcome<T>> {
  if (parent?.aborted) return { kind: "cancelled" };
  if (ms <= 0) return { kind: "timeout" };
  const controller = new AbortController();
  let settle: (outcome: DeadlineOutcome<T>) => void = () => {};
  const stopped = new Promise<DeadlineOutcome<T>>((resolve) => {
    settle = resolve;
  });
  const stop = (kind: "timeout" | "cancelled") => {
    // Settled first: work that rejects on abort must not win the race with its own cancellation.
    settle({ kind });
    controller.abort(new DOMException(kind, kind === "timeout" ? "TimeoutError" : "AbortError"));
  };
  const onParentAbort = () => stop("cancelled");
  const cancelTimer = clock.after(ms, () => stop("timeout"));
  parent?.addEventListener("abort", onParentAbort, { once: true });
  try {
    const done = work(controller.signal).then((value): DeadlineOutcome<T> => ({ kind: "done", value }));
    done.catch(() => {});
    return await Promise.race([stopped, done]);
  } finally {
    cancelTimer();
    parent?.removeEventListener("abort", onParentAbort);
  }
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
