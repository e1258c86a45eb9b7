import type { Clock } from "./clock.ts";
import type { Defer } from "./logger.ts";

/**
 * Work behind answers of which one is enough at a time. Gives what begins it, unless it is under way: for `maxMs` at most,
 * since the platform may break off whoever does it, and its end is then never heard of.
 */
export function createOneAtATime(deps: { readonly clock: Clock; readonly defer: Defer }, what: string, maxMs: number) {
  const { clock, defer } = deps;
  let underWayUntil = 0;
  return function begin(work: () => Promise<void>): void {
    const nowMs = clock.now();
    if (nowMs < underWayUntil) return;
    underWayUntil = nowMs + maxMs;
    const done = work().finally(() => {
      underWayUntil = 0;
    });
    defer(what, done);
  };
}
