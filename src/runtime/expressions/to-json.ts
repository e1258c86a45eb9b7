import { RUN_OUTPUT_MAX_BYTES } from "../../config/limits.ts";
import type { Json } from "../../core/json.ts";
import { VALUE_MAX_DEPTH } from "../limits.ts";
import { Exhausted, Fault } from "./faults.ts";
import { durationText, timestampText } from "./time.ts";
import { type Dict, isDuration, isList, isOptional, isTimestamp, type Value } from "./values.ts";

/**
 * The value as JSON. What came in as JSON goes out as the same object. Counts characters as it goes: a value that shares
 * its parts can be small in memory and enormous as text.
 */
export function toJson(value: Value, counted: Counted = { parts: 0 }): Json {
  return convert(value, { chars: RUN_OUTPUT_MAX_BYTES, counted }, 0);
}

/** Values that were looked at. */
interface Counted {
  parts: number;
}

interface Room {
  chars: number;
  readonly counted: Counted;
}

function take(room: Room, chars: number): void {
  room.chars -= chars;
  if (room.chars < 0) throw new Exhausted(`the value is larger than ${RUN_OUTPUT_MAX_BYTES} bytes`);
}

function convert(value: Value, room: Room, depth: number): Json {
  if (depth > VALUE_MAX_DEPTH) throw new Exhausted(`the value nests deeper than ${VALUE_MAX_DEPTH} levels`);
  room.counted.parts += 1;
  // Brackets, or a comma and a digit.
  take(room, 2);
  if (typeof value === "string") {
    take(room, value.length);
    return value;
  }
  if (typeof value === "number") return numberOf(value);
  if (typeof value === "bigint") return intOf(value);
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return convertList(value, room, depth);
  if (value instanceof Uint8Array) {
    take(room, value.length * 2);
    return base64(value);
  }
  if (isTimestamp(value)) return timestampText(value);
  if (isDuration(value)) return durationText(value);
  if (isOptional(value)) return value.value === undefined ? null : convert(value.value, room, depth);
  return convertDict(value as Dict, room, depth);
}

function numberOf(value: number): number {
  if (!Number.isFinite(value)) throw new Fault("the value is no finite number, which JSON cannot hold");
  return value === 0 ? 0 : value;
}

function intOf(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Fault("the int is beyond 2^53, which JSON cannot hold: use string()");
  return number;
}

function convertList(items: readonly Value[], room: Room, depth: number): Json {
  let changed: Json[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const item = items[i] as Value;
    const converted = convert(item, room, depth + 1);
    if (changed === undefined && converted !== item) changed = items.slice(0, i) as Json[];
    changed?.push(converted);
  }
  return changed ?? (items as readonly Json[]);
}

function convertDict(dict: Dict, room: Room, depth: number): Json {
  const entries = Object.entries(dict);
  let changed = false;
  for (const entry of entries) {
    take(room, entry[0].length + 1);
    const converted = convert(entry[1], room, depth + 1);
    if (converted === entry[1]) continue;
    entry[1] = converted;
    changed = true;
  }
  return changed ? (Object.fromEntries(entries) as { [key: string]: Json }) : (dict as { [key: string]: Json });
}

const CHUNK_BYTES = 8_192;

/** In pieces: one call cannot take a million arguments. */
export function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES));
  }
  return btoa(binary);
}
