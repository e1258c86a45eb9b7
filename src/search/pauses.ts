import type { Clock } from "../core/clock.ts";
import { createRecent } from "../core/recent.ts";

/** Keys that are left alone until their time is over. Bounded: the one that began longest ago is forgotten first. */
export interface Pauses {
  holds(key: string): boolean;
  begin(key: string, ms: number): void;
}

const MAX_PAUSES = 1_000;

export function createPauses(clock: Clock): Pauses {
  const until = createRecent<number>(MAX_PAUSES);
  return {
    holds: (key) => clock.now() < (until.get(key) ?? 0),
    begin: (key, ms) => until.set(key, clock.now() + ms),
  };
}
