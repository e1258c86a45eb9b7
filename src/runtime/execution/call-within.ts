import type { Clock } from "../../core/clock.ts";
import type { DeadlineOutcome } from "../../core/deadline.ts";
import type { Canceller } from "./canceller.ts";

/**
 * Makes a call that may take `ms`, or until `parent` cancels it; the outcome is given at once then, also when the call
 * ignores its signal, and a later rejection of it is swallowed. One that gives its value at once costs no timer, and
 * one that never asks for its signal no AbortController: most steps of a graph are such. What it throws is passed on.
 */
export function callWithin<T extends object>(
  clock: Clock,
  ms: number,
  parent: Canceller,
  call: (signal: () => AbortSignal) => T | Promise<T>,
): DeadlineOutcome<T> | Promise<DeadlineOutcome<T>> {
  const stopper = createStopper();
  const given = call(stopper.signal);
  return given instanceof Promise
    ? waitWithin(clock, ms, parent.signal?.(), given, stopper)
    : { kind: "done", value: given };
}

interface Stopper {
  readonly signal: () => AbortSignal;
  readonly stop: (reason: DOMException) => void;
}

/** An AbortController that is made when somebody asks for its signal. */
function createStopper(): Stopper {
  let controller: AbortController | null = null;
  let stopped: DOMException | null = null;
  return {
    signal() {
      controller ??= new AbortController();
      if (stopped !== null) controller.abort(stopped);
      return controller.signal;
    },
    stop(reason) {
      stopped = reason;
      controller?.abort(reason);
    },
  };
}

async function waitWithin<T>(
  clock: Clock,
  ms: number,
  parent: AbortSignal | undefined,
  given: Promise<T>,
  { stop }: Stopper,
): Promise<DeadlineOutcome<T>> {
  let settle: (outcome: DeadlineOutcome<T>) => void = () => {};
  const stopped = new Promise<DeadlineOutcome<T>>((resolve) => {
    settle = resolve;
  });
  const end = (kind: "timeout" | "cancelled") => {
    // Settled first: work that rejects on abort must not win the race with its own cancellation.
    settle({ kind });
    stop(new DOMException(kind, kind === "timeout" ? "TimeoutError" : "AbortError"));
  };
  const onParentAbort = () => end("cancelled");
  const cancelTimer = clock.after(ms, () => end("timeout"));
  if (parent?.aborted) onParentAbort();
  parent?.addEventListener("abort", onParentAbort, { once: true });
  try {
    const done = given.then((value): DeadlineOutcome<T> => ({ kind: "done", value }));
    done.catch(() => {});
    return await Promise.race([stopped, done]);
  } finally {
    cancelTimer();
    parent?.removeEventListener("abort", onParentAbort);
  }
}
