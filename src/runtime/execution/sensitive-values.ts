import type { Json, JsonObject } from "../../core/json.ts";
import { isMaskedName } from "../../core/mask.ts";

/** Shorter ones would be found everywhere. */
const VALUE_MIN_CHARS = 4;
/** Shorter ones are counts (`total_tokens`) and times more often than passwords, and stand in dates. */
const NUMBER_MIN_CHARS = 6;
/** More passwords and tokens than a form or a list of accounts holds. */
const VALUES_MAX = 64;
/** Of all together: compiling their mask stays within a few milliseconds. The largest private keys fit. */
const VALUES_MAX_CHARS = 8_192;
/** Values looked at, in the order in which they stand: some milliseconds for a hostile input. */
const LOOKS_MAX = 10_000;

/** `Bearer` and its like, before the credentials themselves. */
const SCHEME = /^[A-Za-z][\w-]{0,31} +(?=\S)/;

interface Search {
  readonly found: Set<string>;
  /** As JSON writes them. */
  readonly numbers: Set<string>;
  chars: number;
  looks: number;
}

/**
 * Texts and numbers that stand under names that secrets have (`isMaskedName`), at any depth, and what stands behind the
 * scheme of such a header. Bounded in number and size: those that come last are left out, and so is one that is too
 * long. Numbers come behind all texts: under such names they are counts and times more often than secrets.
 */
export function findSensitiveValues(values: Iterable<Json>): readonly string[] {
  const search: Search = { found: new Set(), numbers: new Set(), chars: 0, looks: 0 };
  for (const value of values) if (!isOver(search)) look(value, false, search);
  for (const written of search.numbers) keep(written, search);
  return [...search.found];
}

function look(value: Json, isSensitive: boolean, search: Search): void {
  search.looks++;
  if (typeof value === "string") {
    if (isSensitive) for (const text of [value, value.replace(SCHEME, "")]) keep(text.trim(), search);
  } else if (typeof value === "number") {
    if (isSensitive) addNumber(String(value), search);
  } else if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) {
      if (isOver(search)) return;
      look(item, isSensitive, search);
    }
  } else if (typeof value === "object" && value !== null) {
    lookInto(value as JsonObject, isSensitive, search);
  }
}

function lookInto(object: JsonObject, isSensitive: boolean, search: Search): void {
  for (const name in object) {
    if (isOver(search)) return;
    const inner = Object.hasOwn(object, name) ? object[name] : undefined;
    if (inner !== undefined) look(inner, isSensitive || isMaskedName(name), search);
  }
}

function addNumber(written: string, { numbers }: Search): void {
  if (written.length >= NUMBER_MIN_CHARS && numbers.size < VALUES_MAX) numbers.add(written);
}

function isOver({ looks, found }: Search): boolean {
  return looks >= LOOKS_MAX || found.size >= VALUES_MAX;
}

function keep(text: string, search: Search): void {
  if (text.length < VALUE_MIN_CHARS || search.found.has(text)) return;
  if (search.chars + text.length > VALUES_MAX_CHARS || search.found.size >= VALUES_MAX) return;
  search.chars += text.length;
  search.found.add(text);
}
