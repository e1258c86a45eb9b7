import { POPULARITY_HALF_LIFE_MS } from "./popularity-limits.ts";

/*
 * All scores halve in the same time, so their order never changes by waiting. What is kept is therefore not the score
 * but its logarithm as if it had never decayed, the heat: it stands still, and can be sorted and indexed.
 */

/** The heat after `count` more were asked. `heat` is null where none were before. */
export function heatAfter(heat: number | null, count: number, nowMs: number): number {
  return heatOf(count + (heat === null ? 0 : scoreAt(heat, nowMs)), nowMs);
}

export function heatOf(score: number, nowMs: number): number {
  return Math.log2(score) + nowMs / POPULARITY_HALF_LIFE_MS;
}

/** How often it was asked, with what is older counting less. */
export function scoreAt(heat: number, nowMs: number): number {
  return 2 ** (heat - nowMs / POPULARITY_HALF_LIFE_MS);
}

/** How often something with this score will be asked in a time, if things go on as they went. */
export function expectedAsks(score: number, durationMs: number): number {
  return (score * Math.LN2 * durationMs) / POPULARITY_HALF_LIFE_MS;
}
