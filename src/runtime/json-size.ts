import type { Json, JsonObject } from "../core/json.ts";
import { VALUE_MAX_DEPTH } from "./limits.ts";

const encoder = new TextEncoder();
/** Characters that JSON escapes or UTF-8 writes in more than one byte. */
const NOT_ONE_BYTE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;

/**
 * The size of a value as JSON in UTF-8 bytes, or null when it is above `maxBytes` or nests too deep. Stops counting
 * there: a value that shares its parts can be small in memory and enormous as text.
 */
export function jsonSize(value: Json, maxBytes: number): number | null {
  const left = countDown(value, maxBytes, 0);
  return left < 0 ? null : maxBytes - left;
}

function countDown(value: Json, left: number, depth: number): number {
  if (left < 0 || depth > VALUE_MAX_DEPTH) return -1;
  if (typeof value === "string") return left - textSize(value, left);
  if (typeof value !== "object" || value === null) return left - String(value).length;
  return Array.isArray(value) ? countList(value, left, depth) : countObject(value as JsonObject, left, depth);
}

function countList(items: readonly Json[], left: number, depth: number): number {
  let rest = left - 2 - Math.max(0, items.length - 1);
  for (const item of items) {
    rest = countDown(item, rest, depth + 1);
    if (rest < 0) return rest;
  }
  return rest;
}

function countObject(object: JsonObject, left: number, depth: number): number {
  const keys = Object.keys(object);
  let rest = left - 2 - Math.max(0, keys.length - 1);
  for (const key of keys) {
    const value = object[key];
    if (value === undefined) continue;
    rest = countDown(value, rest - textSize(key, rest) - 1, depth + 1);
    if (rest < 0) return rest;
  }
  return rest;
}

function textSize(text: string, left: number): number {
  if (text.length + 2 > left) return left + 1;
  return NOT_ONE_BYTE.test(text) ? encoder.encode(JSON.stringify(text)).length : text.length + 2;
}
