import type { Clock } from "../../core/clock.ts";
import { runWithin } from "../../core/deadline.ts";

/** Gives null where it found nothing that ends the search. Ends at once when `signal` aborts. */
export type Runner<T> = (signal: AbortSignal) => Promise<T | null>;

export interface Race<T> {
  readonly clock: Clock;
  readonly hedgeMs: number;
  readonly parent: AbortSignal | undefined;
  readonly first: Runner<T>;
  /** Null where there is nobody to run beside the first. */
  startRival(): Runner<T> | null;
}

/**
 * Runs `first`, and where it has not ended after `hedgeMs` a rival beside it. The first that finds something wins and
 * the other is stopped; both have ended when this does. Null where neither found anything.
 */
export async function race<T>({ clock, hedgeMs, parent, first, startRival }: Race<T>): Promise<T | null> {
  const stop = new AbortController();
  const signal = parent === undefined ? stop.signal : AbortSignal.any([parent, stop.signal]);
  const asked = first(signal);
  const early = await runWithin(clock, hedgeMs, signal, () => asked);
  if (early.kind === "done") return early.value;
  const rival = early.kind === "timeout" ? startRival() : null;
  if (rival === null) return asked;
  const beside = rival(signal);
  const both = Promise.all([asked, beside]);
  const winner = (await Promise.race([asked, beside])) ?? (await both).find((value) => value !== null) ?? null;
  stop.abort();
  await both;
  return winner;
}
