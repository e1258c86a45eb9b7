import type { Json, JsonObject } from "../../core/json.ts";
import { VALUE_MAX_DEPTH } from "../limits.ts";
import { type Budget, Exhausted, spend } from "./budget.ts";
import { KEY_WORK, READ_CHARS_PER_UNIT, WRITE_WORK } from "./limits.ts";

/** Whether a value equals one of those that it was made for. */
export type Membership = (value: Json, budget: Budget) => boolean;

/** Texts and numbers are compared as they are, lists and objects by their text with sorted keys. */
export function createMembership(members: readonly Json[]): Membership {
  const plain = new Set<Json>();
  const texts = new Set<string>();
  const unbounded = { left: Number.POSITIVE_INFINITY };
  for (const member of members) {
    if (isPlain(member)) plain.add(member);
    else texts.add(writeSorted(member, unbounded, Number.POSITIVE_INFINITY) ?? "");
  }
  const longest = texts.values().reduce((most, text) => Math.max(most, text.length), 0);
  return (value, budget) => {
    if (isPlain(value)) return plain.has(value);
    if (texts.size === 0) return false;
    const text = writeSorted(value, budget, longest);
    return text !== null && texts.has(text);
  };
}

export function hasTwice(items: readonly Json[], budget: Budget): boolean {
  const plain = new Set<Json>();
  const texts = new Set<Json>();
  spend(budget, items.length);
  for (const item of items) {
    const key = isPlain(item) ? item : writeSorted(item, budget, Number.POSITIVE_INFINITY);
    const seen = isPlain(item) ? plain : texts;
    if (seen.has(key)) return true;
    if (typeof key === "string") spend(budget, key.length / READ_CHARS_PER_UNIT);
    seen.add(key);
  }
  return false;
}

function isPlain(value: Json): boolean {
  return typeof value !== "object" || value === null;
}

/** The value as JSON with sorted keys, the same for equal values; null where it gets longer than `maxChars`. */
function writeSorted(value: Json, budget: Budget, maxChars: number): string | null {
  const parts: string[] = [];
  const left = write(value, { parts, budget }, maxChars, 0);
  return left < 0 ? null : parts.join("");
}

interface Writing {
  readonly parts: string[];
  readonly budget: Budget;
}

/** Tells how many characters may follow: below 0, and it has given up. */
function write(value: Json, writing: Writing, left: number, depth: number): number {
  if (depth > VALUE_MAX_DEPTH) throw new Exhausted("the data nests too deep");
  spend(writing.budget, WRITE_WORK);
  if (typeof value === "string") return writeText(value, writing, left);
  if (typeof value !== "object" || value === null) return put(String(value === 0 ? 0 : value), writing, left);
  return Array.isArray(value)
    ? writeList(value, writing, left, depth)
    : writeObject(value as JsonObject, writing, left, depth);
}

function put(text: string, { parts }: Writing, left: number): number {
  parts.push(text);
  return left - text.length;
}

function writeText(text: string, writing: Writing, left: number): number {
  if (text.length > left) return -1;
  spend(writing.budget, text.length / READ_CHARS_PER_UNIT);
  return put(JSON.stringify(text), writing, left);
}

function writeList(items: readonly Json[], writing: Writing, left: number, depth: number): number {
  let rest = put("[", writing, left);
  for (const item of items) {
    if (rest < 0) return rest;
    rest = put(",", writing, write(item, writing, rest, depth + 1));
  }
  return put("]", writing, rest);
}

function writeObject(object: JsonObject, writing: Writing, left: number, depth: number): number {
  const keys = Object.keys(object);
  if (2 * keys.length > left) return -1;
  spend(writing.budget, keys.length * KEY_WORK);
  let rest = put("{", writing, left);
  for (const key of keys.sort()) {
    const value = object[key];
    if (rest < 0) return rest;
    if (value === undefined) continue;
    rest = put(":", writing, writeText(key, writing, rest));
    rest = put(",", writing, write(value, writing, rest, depth + 1));
  }
  return put("}", writing, rest);
}
