import type { Json, JsonObject } from "../../core/json.ts";
import { maskText, maskValue } from "../../core/mask.ts";
import { jsonSize } from "../json-size.ts";
import { TRACE_ERROR_MAX_CHARS, TRACE_VALUE_MAX_BYTES } from "../limits.ts";
import type { SecretMask } from "./secret-mask.ts";

/** Where a text is cut, what looks like a secret may be cut too: so much of the end is left out. */
const CUT_MARGIN_CHARS = 128;

const CUT_MARK = "…";
/** In UTF-8. */
const CUT_MARK_BYTES = 3;

/**
 * A value as a trace shows it: values under secret names, texts that look like secrets and the run's own secrets are
 * masked, and `credentials` of this Worker. Where its JSON has more than 4 KiB it is the beginning of that JSON, as a text that ends in "…". Of a large
 * value no more is looked at than is shown. `kept` is the characters of which `keepBeginning` made the value; null where
 * it is whole.
 */
export function traceValue(value: Json, { mask, credentials }: Unshown, kept: number | null = null): Json {
  const fits = kept === null && jsonSize(value, TRACE_VALUE_MAX_BYTES) !== null;
  const seen = fits ? value : takeBeginning(value, { mask, credentials }, kept);
  // Made of JSON, it stays JSON.
  const shown = maskValue(mask === null ? seen : mask.value(seen), credentials) as Json;
  if (fits && jsonSize(shown, TRACE_VALUE_MAX_BYTES) !== null) return shown;
  return cutText(JSON.stringify(shown));
}

/**
 * A message as a trace shows it, masked as values are. One that was cut loses so many more characters of its end as
 * the longest of `values`, texts that `mask` takes out, may have there.
 */
export function traceText(text: string, { mask, credentials }: Unshown, values: readonly string[] = []): string {
  const masked = maskText(mask?.text(text) ?? text, credentials);
  if (text.length <= TRACE_ERROR_MAX_CHARS || !text.endsWith(CUT_MARK)) return masked;
  const longest = Math.max(CUT_MARGIN_CHARS, ...[...values, ...credentials].map(({ length }) => length));
  return `${masked.slice(0, -longest - CUT_MARK.length)}${CUT_MARK}`;
}

/** What is never written: the run's own secrets, where it has any, and this Worker's credentials. */
export interface Unshown {
  readonly mask: SecretMask | null;
  readonly credentials: readonly string[];
}

interface Budget {
  chars: number;
  readonly marginChars: number;
  readonly mask: SecretMask | null;
}

function takeBeginning(value: Json, { mask, credentials }: Unshown, kept: number | null): Json {
  const marginChars = Math.max(CUT_MARGIN_CHARS, mask?.longestChars ?? 0, ...credentials.map(({ length }) => length));
  // The margin is to lie in what was kept: a secret that is longer leaves less to be shown.
  const most = kept === null ? Number.POSITIVE_INFINITY : Math.max(0, kept - marginChars);
  return take(value, { chars: Math.min(TRACE_VALUE_MAX_BYTES + marginChars, most), marginChars, mask });
}

/** A copy of a large value's beginning, up to `chars` of its JSON, that holds on to nothing of the rest. Nothing is masked. */
export function keepBeginning(value: Json, chars: number): Json {
  const taken = take(value, { chars, marginChars: 0, mask: null });
  // A part of a text keeps the whole text in memory; written and read again it is a text of its own.
  return JSON.parse(JSON.stringify(taken)) as Json;
}

/** A copy of what comes first in the value's JSON, up to the budget and a little over. */
function take(value: Json, budget: Budget): Json {
  if (typeof value === "string") return takeText(value, budget);
  if (typeof value !== "object" || value === null) {
    budget.chars -= String(value).length;
    return value;
  }
  return Array.isArray(value) ? takeList(value, budget) : takeObject(value as JsonObject, budget);
}

function takeText(text: string, budget: Budget): string {
  const { chars, marginChars, mask } = budget;
  budget.chars -= text.length + 2;
  if (text.length <= chars) return text;
  // A secret that the cut goes through is no longer known by its look: it lies in the margin, which is dropped.
  const begin = text.slice(0, Math.max(0, chars) + marginChars);
  const masked = mask?.text(begin) ?? begin;
  return masked.slice(0, Math.max(0, masked.length - marginChars));
}

function takeList(items: readonly Json[], budget: Budget): Json {
  const taken: Json[] = [];
  budget.chars -= 2;
  for (const item of items) {
    if (budget.chars <= 0) break;
    budget.chars -= 1;
    taken.push(take(item, budget));
  }
  return taken;
}

function takeObject(object: JsonObject, budget: Budget): Json {
  const taken: [string, Json][] = [];
  budget.chars -= 2;
  for (const name in object) {
    if (budget.chars <= name.length) break;
    const inner = Object.hasOwn(object, name) ? object[name] : undefined;
    if (inner === undefined) continue;
    budget.chars -= name.length + 4;
    taken.push([name, take(inner, budget)]);
  }
  return Object.fromEntries(taken);
}

const encoder = new TextEncoder();

/** At most so many bytes with its mark; no character is cut in two. */
function cutText(text: string): string {
  const room = new Uint8Array(TRACE_VALUE_MAX_BYTES - CUT_MARK_BYTES);
  const { read } = encoder.encodeInto(text, room);
  return `${text.slice(0, read)}${CUT_MARK}`;
}
