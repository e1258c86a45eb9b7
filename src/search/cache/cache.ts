import type { Config } from "../../config/config.ts";
import type { Clock } from "../../core/clock.ts";
import { unlessUnavailable } from "../../core/errors.ts";
import type { RandomBytes } from "../../core/ids.ts";
import type { Defer } from "../../core/logger.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { CacheLookup, Claim, SharedCache } from "../../storage/shared-state/shared-state.ts";
import type { BulletinSource } from "../bulletin.ts";
import type { SearchRequest } from "../contract.ts";
import { BULLETIN_EVERY_MS, CACHE_ENTRY_MAX_CHARS } from "../limits.ts";
import { pack, unpack } from "./cache-codec.ts";
import { type CachedAnswer, type CacheEntry, decodeEntry, encodeEntry } from "./cache-entry.ts";
import { type FreshnessConfig, freshnessFrom, longestLifeMs, stageOf } from "./freshness.ts";
import { createL1Cache, type L1Stats } from "./l1-cache.ts";

/** What the shared cache knows of a question, and whether this caller is to find out more. */
export interface Stored {
  /** Never one that is gone. */
  readonly entry: CacheEntry | null;
  readonly claim: CacheLookup["claim"];
}

/** Where a question's answer is kept: `id` in this isolate, `key` for all. */
export interface CachePlace {
  readonly id: string;
  readonly key: string;
}

/** Answers that any caller may get, in this isolate's memory and in the shared store. A lost write throws nothing. */
export interface SearchCache {
  /** From memory; never one that is gone. */
  near(id: string): CacheEntry | null;
  /** Checks what a look-up gave, and remembers it here. */
  take(place: CachePlace, lookup: CacheLookup | null): Promise<Stored>;
  /** Throws `StorageUnavailable` where the store does not answer. */
  look(place: CachePlace, claim?: Claim): Promise<Stored>;
  /** The shared entry, which then takes no room in memory. Throws `StorageUnavailable` where the store does not answer. */
  peek(place: CachePlace): Promise<CacheEntry | null>;
  /** At once in memory; in the shared store after the answer has left, which ends the claim. */
  keep(place: CachePlace, request: SearchRequest, value: CachedAnswer, claimToken: string | null): void;
  /** Nothing was made: the claim is free for the next who asks. */
  release(key: string, claimToken: string): void;
  /** Forgets every answer here and in the store at once, and in other isolates within BULLETIN_EVERY_MS. Throws where the store is down. */
  purge(): Promise<{ readonly entries: number | null }>;
  readonly purges: BulletinSource;
  stats(): L1Stats;
}

export interface SearchCacheOptions {
  readonly config: FreshnessConfig & Pick<Config, "CACHE_L1_MAX_BYTES">;
  readonly shared: SharedCache;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly metrics: Metrics;
  readonly defer: Defer;
}

/** When every answer was last forgotten, in epoch milliseconds. */
const PURGED_KEY = "search:purged-at";

/** A cache that knows nothing, or does not answer. */
export const NOTHING: Stored = { entry: null, claim: "none" };

export function createSearchCache({ config, shared, clock, random, metrics, defer }: SearchCacheOptions): SearchCache {
  const l1 = createL1Cache(config.CACHE_L1_MAX_BYTES);
  const maxLifeMs = longestLifeMs(config);
  let displaced = 0;

  const forgetHere = () => l1.clear();
  const purges = createPurgeWatch({ clock, maxLifeMs, onPurge: forgetHere });

  function remember(id: string, entry: CacheEntry, chars: number): void {
    l1.set(id, entry, chars);
    const { entries, bytes, evictions } = l1.size();
    metrics.gauge("orchestrix_cache_l1_entries", entries);
    metrics.gauge("orchestrix_cache_l1_bytes", bytes);
    if (evictions > displaced) metrics.count("orchestrix_cache_evictions_total", undefined, evictions - displaced);
    displaced = evictions;
  }

  /** Null for what may answer nobody any more. */
  async function open(value: string | null): Promise<{ readonly entry: CacheEntry; readonly chars: number } | null> {
    const text = value === null ? null : await unpack(value);
    const entry = text === null ? null : decodeEntry(text, clock.now(), maxLifeMs);
    if (text === null || entry === null || stageOf(entry, clock.now()) === "gone") return null;
    return entry.storedAt > purges.purgedAt() ? { entry, chars: text.length } : null;
  }

  async function take(place: CachePlace, lookup: CacheLookup | null): Promise<Stored> {
    if (lookup === null) return NOTHING;
    const opened = await open(lookup.value);
    if (opened !== null) remember(place.id, opened.entry, opened.chars);
    return { entry: opened?.entry ?? null, claim: lookup.claim };
  }

  async function store(key: string, text: string, entry: CacheEntry, claimToken: string | null): Promise<void> {
    const packed = await pack(text);
    const claim = claimToken === null ? {} : { claimToken };
    if (packed.length > CACHE_ENTRY_MAX_CHARS) {
      if (claimToken !== null) await shared.cacheRelease(key, claimToken);
      return;
    }
    const freshMs = entry.freshUntil - entry.storedAt;
    await shared.cacheStore(key, packed, { freshMs, keepMs: entry.errorUntil - entry.storedAt, ...claim });
  }

  return {
    near: (id) => l1.get(id, clock.now()),
    take,
    peek: async ({ key }) => (await open((await shared.cacheLookup(key)).value))?.entry ?? null,
    look: async (place, claim) => take(place, await shared.cacheLookup(place.key, claim)),
    keep({ id, key }, request, value, claimToken) {
      const freshness = freshnessFrom(request, value.results.length === 0, config, clock.now(), random);
      const entry: CacheEntry = { value, ...freshness };
      const text = encodeEntry(entry);
      remember(id, entry, text.length);
      // A write that is lost only costs another question to a provider.
      defer("search_cache_write", unlessUnavailable(store(key, text, entry, claimToken), undefined));
    },
    release(key, claimToken) {
      defer("search_cache_release", unlessUnavailable(shared.cacheRelease(key, claimToken), undefined));
    },
    async purge() {
      const purgedAt = clock.now();
      forgetHere();
      purges.note(purgedAt);
      await shared.cacheStore(PURGED_KEY, String(purgedAt), { freshMs: maxLifeMs, keepMs: maxLifeMs });
      const entries = await shared.cacheClear();
      // The mark went with the rest, and the others still have to see it.
      await shared.cacheStore(PURGED_KEY, String(purgedAt), { freshMs: maxLifeMs, keepMs: maxLifeMs });
      return { entries: entries === null ? null : Math.max(0, entries - 1) };
    },
    purges,
    stats: l1.stats,
  };
}

/** Sees purges that were made elsewhere. */
function createPurgeWatch(deps: {
  readonly clock: Clock;
  readonly maxLifeMs: number;
  readonly onPurge: () => void;
}): BulletinSource & { purgedAt(): number; note(purgedAt: number): void } {
  const { clock, maxLifeMs, onPurge } = deps;
  let purgedAt = 0;
  let readAt = 0;
  return {
    purgedAt: () => purgedAt,
    note(at) {
      purgedAt = at;
    },
    syncKey: () => (clock.now() - readAt >= BULLETIN_EVERY_MS ? PURGED_KEY : null),
    absorb(text) {
      readAt = clock.now();
      const at = text !== null && /^\d{1,16}$/.test(text) ? Number(text) : 0;
      // A mark from the future would forget everything for as long: it is not ours.
      if (at <= purgedAt || at > clock.now() + maxLifeMs) return;
      purgedAt = Math.min(at, clock.now());
      onPurge();
    },
  };
}
