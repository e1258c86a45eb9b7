import type { CacheTrace } from "./cache/cache-status.ts";
import type { Found } from "./chain/orchestrator.ts";
import type { Attempt, SearchAnswer, SearchRequest } from "./contract.ts";
import type { SharedAnswer } from "./shared-answer.ts";

/** An answer, and what the caches did for it. */
export interface SearchReply {
  readonly answer: SearchAnswer;
  readonly trace: CacheTrace;
}

/** What an answer says of the request that it answers. Times are the clock's. */
export interface Asked {
  readonly request: SearchRequest;
  readonly requestId: string;
  readonly startedAt: number;
}

export function replyFromProviders(
  asked: Asked,
  found: Found,
  attempts: readonly Attempt[],
  status: "miss" | "bypass" | "coalesced",
  nowMs: number,
  stored = false,
): SearchReply {
  return {
    answer: { ...answerOf(asked, found, nowMs), cache: { status, ageSeconds: 0 }, attempts: [...attempts] },
    trace: status === "coalesced" ? { status } : { status, stored },
  };
}

/** `attempts` are those that failed before a stale answer was taken; else nobody was asked. */
export function replyFromCache(
  asked: Asked,
  { entry, level, stale }: Extract<SharedAnswer, { kind: "kept" }>,
  nowMs: number,
  attempts: readonly Attempt[] = [],
): SearchReply {
  const ageSeconds = Math.max(0, Math.floor((nowMs - entry.storedAt) / 1_000));
  const ttlSeconds = Math.ceil((entry.freshUntil - nowMs) / 1_000);
  const status = stale ? "stale" : level;
  const found = { ...entry.value, degraded: false };
  const why = attempts.length > 0 ? "error" : "refresh";
  return {
    answer: { ...answerOf(asked, found, nowMs), cache: { status, ageSeconds }, attempts: [...attempts] },
    trace: stale ? { status: "stale", ttlSeconds, level, why } : { status: level, ttlSeconds },
  };
}

function answerOf({ request, requestId, startedAt }: Asked, found: Found, nowMs: number) {
  return {
    query: request.query,
    results: found.results,
    answer: found.answer,
    provider: found.provider,
    degraded: found.degraded,
    requestId,
    tookMs: nowMs - startedAt,
  };
}
