import type { RandomBytes } from "../core/ids.ts";
import type { Json } from "../core/json.ts";

/**
 * An owner's secrets each hold a number below the quota, unique in the store: that is the quota. Nothing counts, so
 * nothing can be left wrong by a crash; a deleted row's number is free with it.
 */

const SLOT_TEXT = /^(\d{1,6}):/;

/** With the owner, since a store without partitions holds all owners' rows together. */
export function slotText(slot: number, ownerId: string): string {
  return `${slot}:${ownerId}`;
}

/** Null where the row is damaged. */
export function slotOf(stored: Json | undefined): number | null {
  const digits = typeof stored === "string" ? SLOT_TEXT.exec(stored)?.[1] : undefined;
  return digits === undefined ? null : Number(digits);
}

/**
 * A free slot, or null where the rows, one for each of `taken`, are as many as may be. Drawn at random, so that creates
 * at once seldom meet; among as many of the lowest as there is room for, since rows may lie above a lowered quota.
 */
export function chooseSlot(taken: readonly (number | null)[], quota: number, random: RandomBytes): number | null {
  const room = quota - taken.length;
  const held = new Set(taken);
  const free: number[] = [];
  for (let slot = 0; slot < quota && free.length < room; slot++) {
    if (!held.has(slot)) free.push(slot);
  }
  return free[randomBelow(free.length, random)] ?? null;
}

const DRAW_BYTES = 4;

/** Even enough for spreading: the range is far above any quota. */
function randomBelow(end: number, random: RandomBytes): number {
  const drawn = random(DRAW_BYTES).reduce((number, byte) => number * 256 + byte, 0);
  return end === 0 ? 0 : drawn % end;
}
