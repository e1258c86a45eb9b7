import type { FailureReason } from "../providers/provider.ts";
import {
  COOL_DOWN_JITTER,
  FAULT_COOL_DOWN_MS,
  FAULT_LONGEST_COOL_DOWN_MS,
  IRRELEVANT_COOL_DOWN_MS,
  LONGEST_COOL_DOWN_MS,
  OPENS_AFTER_FAILURES,
  OPENS_AFTER_IRRELEVANT,
  QUOTA_COOL_DOWN_MS,
  RATE_LIMITED_COOL_DOWN_MS,
  RATE_LIMITED_LONGEST_COOL_DOWN_MS,
  SHORTEST_COOL_DOWN_MS,
  UNAUTHORIZED_COOL_DOWN_MS,
} from "./breaker-limits.ts";
import type { BreakerState } from "./breakers.ts";

/** A breaker as isolates tell each other of it. Times are epoch milliseconds. */
export interface Breaker {
  /** Failures in a row, of whatever reason. */
  readonly failures: number;
  /** Why it opened; null while closed. */
  readonly reason: FailureReason | null;
  /** End of the cool-down, after which it is half-open; null while closed. */
  readonly openUntil: number | null;
  /** How often it has opened since it was closed: each time for longer. */
  readonly trips: number;
  /** When it last opened or closed; 0: never. Of two copies, the one that changed later holds. */
  readonly changedAt: number;
}

export interface Failure {
  readonly reason: FailureReason;
  /** How long the provider asked to be left alone. */
  readonly retryAfterMs: number | null;
}

export const CLOSED: Breaker = { failures: 0, reason: null, openUntil: null, trips: 0, changedAt: 0 };

interface Rule {
  readonly opensAfter: number;
  readonly coolDownMs: number;
  /** What doubling stops at. */
  readonly growsToMs: number;
  /** True where a Retry-After decides; elsewhere it can only lengthen the cool-down, as far as that would grow. */
  readonly obeysWait: boolean;
}

const FAULT: Rule = {
  opensAfter: OPENS_AFTER_FAILURES,
  coolDownMs: FAULT_COOL_DOWN_MS,
  growsToMs: FAULT_LONGEST_COOL_DOWN_MS,
  obeysWait: false,
};

const RULES: Readonly<Record<FailureReason, Rule>> = {
  timeout: FAULT,
  server_error: FAULT,
  bad_response: FAULT,
  irrelevant: { ...FAULT, opensAfter: OPENS_AFTER_IRRELEVANT, coolDownMs: IRRELEVANT_COOL_DOWN_MS },
  rate_limited: {
    opensAfter: 1,
    coolDownMs: RATE_LIMITED_COOL_DOWN_MS,
    growsToMs: RATE_LIMITED_LONGEST_COOL_DOWN_MS,
    obeysWait: true,
  },
  quota: { opensAfter: 1, coolDownMs: QUOTA_COOL_DOWN_MS, growsToMs: LONGEST_COOL_DOWN_MS, obeysWait: true },
  unauthorized: {
    opensAfter: 1,
    coolDownMs: UNAUTHORIZED_COOL_DOWN_MS,
    growsToMs: LONGEST_COOL_DOWN_MS,
    obeysWait: false,
  },
};

export function phaseOf({ openUntil }: Breaker, nowMs: number): BreakerState["state"] {
  if (openUntil === null) return "closed";
  return nowMs < openUntil ? "open" : "half_open";
}

/** `fraction`, from 0 to 1, is chance. The same object comes back where nothing changes. */
export function recordFailure(breaker: Breaker, failure: Failure, nowMs: number, fraction: number): Breaker {
  const { reason } = failure;
  const rule = RULES[reason];
  const phase = phaseOf(breaker, nowMs);
  if (phase === "open") return lengthened(breaker, failure, nowMs, fraction);
  const failures = breaker.failures + 1;
  if (phase === "closed" && failures < rule.opensAfter) return { ...breaker, failures };
  const openUntil = nowMs + coolDownOf(rule, breaker.trips, failure.retryAfterMs, fraction);
  return { failures, reason, openUntil, trips: breaker.trips + 1, changedAt: laterThan(breaker, nowMs) };
}

/** A success during the cool-down is of an attempt that began before it: it says nothing about what opened it. */
export function recordSuccess(breaker: Breaker, nowMs: number): Breaker {
  const phase = phaseOf(breaker, nowMs);
  if (phase === "half_open") return closedAt(breaker, nowMs);
  return phase === "open" || breaker.failures === 0 ? breaker : { ...breaker, failures: 0 };
}

export function closedAt(breaker: Breaker, nowMs: number): Breaker {
  return { ...CLOSED, changedAt: laterThan(breaker, nowMs) };
}

/** Of two copies of a breaker: whether the first one holds. Of two that changed at once, the one that is open longer. */
export function isNewer(one: Breaker, other: Breaker): boolean {
  if (one.changedAt !== other.changedAt) return one.changedAt > other.changedAt;
  return (one.openUntil ?? 0) > (other.openUntil ?? 0);
}

export function longestCoolDownMs(reason: FailureReason): number {
  const { growsToMs, obeysWait } = RULES[reason];
  return obeysWait ? LONGEST_COOL_DOWN_MS : growsToMs;
}

/** While open, only what one answer proves counts, and only where it keeps the provider away for longer. */
function lengthened(breaker: Breaker, { reason, retryAfterMs }: Failure, nowMs: number, fraction: number): Breaker {
  const rule = RULES[reason];
  if (rule.opensAfter > 1 || reason === breaker.reason) return breaker;
  const openUntil = nowMs + coolDownOf(rule, 0, retryAfterMs, fraction);
  if (openUntil <= (breaker.openUntil ?? 0)) return breaker;
  return { ...breaker, failures: breaker.failures + 1, reason, openUntil, changedAt: laterThan(breaker, nowMs) };
}

function coolDownOf(rule: Rule, trips: number, retryAfterMs: number | null, fraction: number): number {
  const grownMs = Math.min(rule.coolDownMs * 2 ** trips, rule.growsToMs) * (1 - COOL_DOWN_JITTER * fraction);
  if (retryAfterMs === null) return Math.round(grownMs);
  if (rule.obeysWait) return Math.min(Math.max(retryAfterMs, SHORTEST_COOL_DOWN_MS), LONGEST_COOL_DOWN_MS);
  return Math.round(Math.max(grownMs, Math.min(retryAfterMs, rule.growsToMs)));
}

/** Two changes within a millisecond still have an order. */
function laterThan({ changedAt }: Breaker, nowMs: number): number {
  return Math.max(nowMs, changedAt + 1);
}
