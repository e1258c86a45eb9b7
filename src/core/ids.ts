import type { Clock } from "./clock.ts";

const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_CHARS = 10;
const RANDOM_CHARS = 16;

/** Fills the array with random bytes and returns it. `crypto.getRandomValues` in production. */
export type RandomBytes = (length: number) => Uint8Array;

/** Few bytes come out of a pool: a call of the platform for each id costs more than all the rest of making one. */
export const systemRandom: RandomBytes = (length) =>
  length > POOLED_MAX_BYTES ? crypto.getRandomValues(new Uint8Array(length)) : takePooled(length);

const POOL_BYTES = 4_096;
const POOLED_MAX_BYTES = 64;
let pool = new Uint8Array();
let taken = 0;

function takePooled(length: number): Uint8Array {
  if (taken + length > pool.length) {
    pool = crypto.getRandomValues(new Uint8Array(POOL_BYTES));
    taken = 0;
  }
  const bytes = pool.slice(taken, taken + length);
  // Nothing stays behind of what may become a key.
  pool.fill(0, taken, taken + length);
  taken += length;
  return bytes;
}

export interface IdSource {
  /** `<prefix>_<26 chars>`: lower-case ULID, so ids made later sort later; within one millisecond and isolate too. */
  next(prefix: string): string;
}

export function createIdSource(clock: Clock, random: RandomBytes): IdSource {
  let lastTime = -1;
  let time = "";
  let digits: number[] = [];
  return {
    next(prefix) {
      const now = Math.max(clock.now(), lastTime);
      if (now === lastTime) increment(digits);
      else {
        digits = Array.from(random(RANDOM_CHARS), (byte) => byte & 31);
        time = encodeTime(now);
      }
      lastTime = now;
      let id = `${prefix}_${time}`;
      for (const digit of digits) id += CROCKFORD[digit];
      return id;
    },
  };
}

function increment(digits: number[]): void {
  for (let i = digits.length - 1; i >= 0; i--) {
    const next = ((digits[i] ?? 0) + 1) & 31;
    digits[i] = next;
    if (next !== 0) return;
  }
}

function encodeTime(epochMs: number): string {
  let rest = epochMs;
  let text = "";
  for (let i = 0; i < TIME_CHARS; i++) {
    text = CROCKFORD[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
