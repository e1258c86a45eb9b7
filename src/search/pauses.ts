import type { Clock } from "../core/clock.ts";

/** Keys that are left alone until their time is over. Bounded: the one that began longest ago is forgotten first. */
export interface Pauses {
  holds(key: string): boolean;
  begin(key: string, ms: number): void;
}

const MAX_PAUSES = 1_000;

export function createPauses(clock: Clock): Pauses {
  const until = new Map<string, number>();
  return {
    holds(key) {
      const end = until.get(key);
      if (end === undefined) return false;
      if (clock.now() < end) return true;
      until.delete(key);
      return false;
    },
    begin(key, ms) {
      until.delete(key);
      until.set(key, clock.now() + ms);
      const oldest = until.size > MAX_PAUSES ? until.keys().next() : undefined;
      if (oldest !== undefined && !oldest.done) until.delete(oldest.value);
    },
  };
}
