import type { Clock } from "../../core/clock.ts";
import type { DeadlineOutcome } from "../../core/deadline.ts";
import type { Canceller } from "./canceller.ts";

/** Ends one call. Its AbortController is made when somebody asks for the signal, which most calls never do. */
export class Stopper implements Canceller {
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
 * Waits for a call that was made with `own` as its stopper: for `ms` at most, or until `parent` cancels it. The outcome
 * is given at once then, also when the call ignores its signal, and a later rejection of it is swallowed; a rejection in
 * time is passed on.
 */
export async function waitWithin<T>(
  clock: Clock,
  ms: number,
  parent: Canceller,
  given: Promise<T>,
  own: Stopper,
): Promise<DeadlineOutcome<T>> {
  const cancelled = parent.signal?.();
  let settle: (outcome: DeadlineOutcome<T>) => void = () => {};
  const stopped = new Promise<DeadlineOutcome<T>>((resolve) => {
    settle = resolve;
  });
  const end = (kind: "timeout" | "cancelled") => {
    // Settled first: work that rejects on abort must not win the race with its own cancellation.
    settle({ kind });
    own.stop(new DOMException(kind, kind === "timeout" ? "TimeoutError" : "AbortError"));
  };
  const onParentAbort = () => end("cancelled");
  const cancelTimer = clock.after(ms, () => end("timeout"));
  if (cancelled?.aborted) onParentAbort();
  cancelled?.addEventListener("abort", onParentAbort, { once: true });
  try {
    const done = given.then((value): DeadlineOutcome<T> => ({ kind: "done", value }));
    done.catch(() => {});
    return await Promise.race([stopped, done]);
  } finally {
    cancelTimer();
    cancelled?.removeEventListener("abort", onParentAbort);
  }
}
