import type { CacheHit } from "./cache.ts";
import type { CacheTrace } from "./cache-status.ts";
import type { Attempt, SearchAnswer, SearchRequest } from "./contract.ts";
import type { Found } from "./orchestrator.ts";

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
  stored: boolean,
  nowMs: number,
): SearchReply {
  const status = asked.request.cache === "bypass" ? "bypass" : "miss";
  return {
    answer: { ...answerOf(asked, found, nowMs), cache: { status, ageSeconds: 0 }, attempts: [...attempts] },
    trace: { status, ttlSeconds: 0, stored },
  };
}

/** Nobody was asked for it, so there are no attempts. */
export function replyFromCache(asked: Asked, hit: CacheHit, nowMs: number): SearchReply {
  const ageSeconds = Math.max(0, Math.floor((nowMs - hit.storedAt) / 1_000));
  const ttlSeconds = Math.ceil((hit.freshUntil - nowMs) / 1_000);
  const found = { ...hit.value, degraded: false };
  return {
    answer: { ...answerOf(asked, found, nowMs), cache: { status: hit.level, ageSeconds }, attempts: [] },
    trace: { status: hit.level, ttlSeconds, stored: false },
  };
}

function answerOf({ request, requestId, startedAt }: Asked, found: Found, nowMs: number) {
  return {
    query: request.query,
    results: [...found.results],
    answer: found.answer,
    provider: found.provider,
    degraded: found.degraded,
    requestId,
    tookMs: nowMs - startedAt,
  };
}
