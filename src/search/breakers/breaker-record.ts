import * as z from "zod";
import { parseUntrustedJson } from "../../core/json.ts";
import { ATTEMPT_REASONS } from "../contract.ts";
import {
  BREAKER_NAME_MAX_CHARS,
  BREAKER_RECORD_KEEP_MS,
  BREAKER_RECORD_MAX_CHARS,
  BREAKER_RECORD_MAX_DEPTH,
  BREAKER_RECORD_MAX_ITEMS,
  CLOCK_SKEW_MS,
} from "./breaker-limits.ts";
import { type Breaker, longestCoolDownMs } from "./breaker-states.ts";

const recordSchema = z.object({ breakers: z.array(z.unknown()).max(BREAKER_RECORD_MAX_ITEMS) });

const count = z.int().min(0);

const itemSchema = z.object({
  /** Printable ASCII: names of providers, with what tells one credential from the next. */
  name: z
    .string()
    .max(BREAKER_NAME_MAX_CHARS)
    .regex(/^[\x21-\x7e]+$/),
  failures: count,
  reason: z.enum(ATTEMPT_REASONS).exclude(["empty", "circuit_open", "not_configured", "deadline"]).nullable(),
  openUntil: count.nullable(),
  trips: count,
  changedAt: count,
});

/** The shared record's text: what opened or closed last, as far as it can still count. */
export function writeBreakers(breakers: Iterable<readonly [string, Breaker]>, nowMs: number): string {
  const items = Array.from(breakers, ([name, breaker]) => ({ name, ...breaker }))
    .filter(({ changedAt }) => changedAt > nowMs - BREAKER_RECORD_KEEP_MS)
    .sort((a, b) => b.changedAt - a.changedAt)
    .slice(0, BREAKER_RECORD_MAX_ITEMS);
  return JSON.stringify({ breakers: items });
}

/** What of a record can be true: nothing from the future, no cool-down longer than its reason allows. */
export function readBreakers(text: string | null, nowMs: number): ReadonlyMap<string, Breaker> {
  const breakers = new Map<string, Breaker>();
  if (text === null || text.length > BREAKER_RECORD_MAX_CHARS) return breakers;
  const json = parseUntrustedJson(text, BREAKER_RECORD_MAX_DEPTH);
  const record = recordSchema.safeParse(json.ok ? json.value : null);
  for (const item of record.success ? record.data.breakers : []) {
    const parsed = itemSchema.safeParse(item);
    if (!parsed.success || parsed.data.changedAt > nowMs + CLOCK_SKEW_MS) continue;
    const { name, ...fields } = parsed.data;
    const breaker = plausible(fields);
    if (breaker !== null) breakers.set(name, breaker);
  }
  return breakers;
}

/** Measured from the change, not from now: read again and again, a lie does not grow. Null for what makes no sense. */
function plausible(breaker: Breaker): Breaker | null {
  const { reason, openUntil, changedAt } = breaker;
  if (reason === null && openUntil === null) return breaker;
  if (reason === null || openUntil === null) return null;
  return { ...breaker, openUntil: Math.min(openUntil, changedAt + longestCoolDownMs(reason)) };
}
