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

/** The id of another prefix that was made at the same moment: it sorts among its kind as this one does among its own. */
export function withPrefix(prefix: string, id: string): string {
  return prefix + id.slice(id.indexOf("_"));
}

export function createIdSource(clock: Clock, random: RandomBytes): IdSource {
  let lastTime = -1;
  /** Digits in base 32: the time, then what is random at first and counts on within one millisecond. */
  const digits = new Uint8Array(TIME_CHARS + RANDOM_CHARS);
  const codes = new Array<number>(digits.length).fill(0);
  return {
    next(prefix) {
      const now = Math.max(clock.now(), lastTime);
      if (now === lastTime) increment(digits);
      else {
        writeTime(digits, now);
        digits.set(random(RANDOM_CHARS), TIME_CHARS);
      }
      lastTime = now;
      for (let i = 0; i < codes.length; i++) codes[i] = CROCKFORD.charCodeAt((digits[i] ?? 0) & 31);
      // In one go: an id of single characters, added to each other, leaves much garbage behind.
      return `${prefix}_${String.fromCharCode(...codes)}`;
    },
  };
}

function increment(digits: Uint8Array): void {
  for (let i = digits.length - 1; i >= TIME_CHARS; i--) {
    const next = ((digits[i] ?? 0) + 1) & 31;
    digits[i] = next;
    if (next !== 0) return;
  }
}

function writeTime(digits: Uint8Array, epochMs: number): void {
  let rest = epochMs;
  for (let i = TIME_CHARS - 1; i >= 0; i--) {
    digits[i] = rest % 32;
    rest = Math.floor(rest / 32);
  }
}
