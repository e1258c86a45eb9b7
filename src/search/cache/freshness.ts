import type { Config } from "../../config/config.ts";
import type { RandomBytes } from "../../core/ids.ts";
import type { SearchRequest } from "../contract.ts";
import { NOTHING_FOUND_TTL_MS, TTL_JITTER } from "../limits.ts";

/** RFC 5861, in epoch milliseconds; each is at or after the one before. */
export interface Freshness {
  readonly storedAt: number;
  /** Answers by itself until here. */
  readonly freshUntil: number;
  /** Answers until here while it is refreshed. */
  readonly staleUntil: number;
  /** Answers until here where every provider failed. */
  readonly errorUntil: number;
}

export type FreshnessConfig = Pick<
  Config,
  "CACHE_TTL_SECONDS" | "CACHE_TTL_NEWS_SECONDS" | "CACHE_STALE_SECONDS" | "CACHE_ERROR_SECONDS"
>;

/**
 * `fresh`: answers. `stale`: answers, and is refreshed. `expired`: answers only when nobody else can. `gone`: never.
 */
export function stageOf(entry: Freshness, nowMs: number): "fresh" | "stale" | "expired" | "gone" {
  if (nowMs < entry.freshUntil) return "fresh";
  if (nowMs < entry.staleUntil) return "stale";
  return nowMs < entry.errorUntil ? "expired" : "gone";
}

/**
 * The lifetimes of an answer stored now. That nothing was found is known for under a minute and never served stale.
 * Lifetimes are shortened by up to a tenth, so that what was stored together does not run out together.
 */
export function freshnessFrom(
  { topic }: Pick<SearchRequest, "topic">,
  foundNothing: boolean,
  config: FreshnessConfig,
  nowMs: number,
  random: RandomBytes,
): Freshness {
  const fullMs = (topic === "news" ? config.CACHE_TTL_NEWS_SECONDS : config.CACHE_TTL_SECONDS) * MS_PER_SECOND;
  const fraction = (random(1)[0] ?? 0) / 255;
  const longestMs = foundNothing ? Math.min(NOTHING_FOUND_TTL_MS, fullMs) : fullMs;
  const freshUntil = nowMs + Math.round(longestMs * (1 - TTL_JITTER * fraction));
  if (foundNothing) return { storedAt: nowMs, freshUntil, staleUntil: freshUntil, errorUntil: freshUntil };
  const staleUntil = freshUntil + config.CACHE_STALE_SECONDS * MS_PER_SECOND;
  const errorUntil = Math.max(staleUntil, freshUntil + config.CACHE_ERROR_SECONDS * MS_PER_SECOND);
  return { storedAt: nowMs, freshUntil, staleUntil, errorUntil };
}

/** The longest that an entry of ours can be kept: what claims more was not made by us. */
export function longestLifeMs(config: FreshnessConfig): number {
  const freshSeconds = Math.max(config.CACHE_TTL_SECONDS, config.CACHE_TTL_NEWS_SECONDS);
  return (freshSeconds + Math.max(config.CACHE_STALE_SECONDS, config.CACHE_ERROR_SECONDS)) * MS_PER_SECOND;
}

const MS_PER_SECOND = 1_000;
