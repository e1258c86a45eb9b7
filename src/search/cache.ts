import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { runWithin } from "../core/deadline.ts";
import { StorageUnavailable } from "../core/errors.ts";
import type { RandomBytes } from "../core/ids.ts";
import type { Defer, Logger } from "../core/logger.ts";
import type { SharedCache } from "../storage/shared-state/shared-state.ts";
import { type CachedAnswer, type CacheEntry, decodeEntry, encodeEntry } from "./cache-entry.ts";
import type { SearchRequest } from "./contract.ts";
import { createL1Cache } from "./l1-cache.ts";
import { CACHE_ENTRY_MAX_BYTES, NOTHING_FOUND_TTL_MS, SHARED_CACHE_TIMEOUT_MS, TTL_JITTER } from "./limits.ts";

export interface CacheHit extends CacheEntry {
  readonly level: "l1" | "l2";
}

/** Answers that any caller may get, kept in this isolate and in the shared store. A lost store only costs time. */
export interface SearchCache {
  read(key: string): Promise<CacheHit | null>;
  /** At once in this isolate, in the shared store after the answer has left. */
  write(key: string, request: SearchRequest, value: CachedAnswer): void;
}

export interface SearchCacheOptions {
  readonly config: Pick<Config, "CACHE_TTL_SECONDS" | "CACHE_TTL_NEWS_SECONDS" | "CACHE_L1_MAX_BYTES">;
  readonly shared: SharedCache;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger: Logger;
  readonly defer: Defer;
}

export function createSearchCache({ config, shared, clock, random, logger, defer }: SearchCacheOptions): SearchCache {
  const l1 = createL1Cache(config.CACHE_L1_MAX_BYTES);
  const maxTtlMs = Math.max(config.CACHE_TTL_SECONDS, config.CACHE_TTL_NEWS_SECONDS) * 1_000;
  let sharedIsDown = false;

  /** The first failure is logged, and the first answer after it: not every search in between. */
  function noteShared(error: Error | null): void {
    if (error !== null && !sharedIsDown) logger.warn("search_cache_unavailable", { error });
    if (error === null && sharedIsDown) logger.info("search_cache_available");
    sharedIsDown = error !== null;
  }

  async function withShared<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      const outcome = await runWithin(clock, SHARED_CACHE_TIMEOUT_MS, undefined, work);
      if (outcome.kind !== "done") throw new StorageUnavailable("the shared cache took too long");
      noteShared(null);
      return outcome.value;
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
      noteShared(error);
      return null;
    }
  }

  return {
    async read(key) {
      const near = l1.get(key, clock.now());
      if (near !== null) return { ...near, level: "l1" };
      const text = await withShared(() => shared.cacheGet(key));
      const entry = text === null ? null : decodeEntry(text, clock.now(), maxTtlMs);
      if (text === null || entry === null || clock.now() >= entry.freshUntil) return null;
      l1.set(key, entry, text.length);
      return { ...entry, level: "l2" };
    },
    write(key, request, value) {
      const ttlMs = ttlOf(request, value, config, random);
      const storedAt = clock.now();
      const entry = { value, storedAt, freshUntil: storedAt + ttlMs };
      const text = encodeEntry(entry);
      l1.set(key, entry, text.length);
      if (new TextEncoder().encode(text).length > CACHE_ENTRY_MAX_BYTES) return;
      defer(
        "search_cache_write",
        withShared(() => shared.cacheSet(key, text, ttlMs)),
      );
    },
  };
}

function ttlOf(
  request: SearchRequest,
  value: CachedAnswer,
  config: SearchCacheOptions["config"],
  random: RandomBytes,
): number {
  const seconds = request.topic === "news" ? config.CACHE_TTL_NEWS_SECONDS : config.CACHE_TTL_SECONDS;
  const longestMs = value.results.length === 0 ? Math.min(NOTHING_FOUND_TTL_MS, seconds * 1_000) : seconds * 1_000;
  const fraction = (random(1)[0] ?? 0) / 255;
  return Math.round(longestMs * (1 - TTL_JITTER * fraction));
}
