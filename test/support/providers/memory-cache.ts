import { type Clock, systemClock } from "../../../src/core/clock.ts";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { createClaims } from "../../../src/storage/shared-state/claims.ts";
import type { SharedState } from "../../../src/storage/shared-state/shared-state.ts";
import { consultInParts, createMemorySharedState } from "../memory-shared-state.ts";

export interface MemoryCache extends SharedState {
  readonly entries: Map<string, string>;
  /** In milliseconds, as last written: how long an entry may be kept. */
  readonly lifetimes: Map<string, number>;
  readonly reads: string[];
  /** `up` answers, `down` throws `StorageUnavailable`, `hung` never answers. */
  state: "up" | "down" | "hung";
}

const MAX_CLAIMS = 100_000;

/** A shared cache in memory that can be taken away. Entries outlive their lifetimes: readers must not trust the store. */
export function createMemoryCache(clock: Clock = systemClock): MemoryCache {
  const entries = new Map<string, string>();
  const lifetimes = new Map<string, number>();
  const freshUntil = new Map<string, number>();
  const claims = createClaims(MAX_CLAIMS);
  const others = createMemorySharedState(clock);
  const { admit } = others;
  const cache: MemoryCache = {
    ...others,
    entries,
    lifetimes,
    reads: [],
    state: "up",
    consult: (consultation) => consultInParts({ ...cache, admit }, consultation),
    async cacheLookup(key, claim) {
      await reach();
      cache.reads.push(key);
      const value = entries.get(key) ?? null;
      const isFresh = value !== null && (freshUntil.get(key) ?? 0) > clock.now();
      return { value, claim: claim === undefined || isFresh ? "none" : claims.take(key, claim, clock.now()) };
    },
    async cacheStore(key, value, { freshMs, keepMs, claimToken }) {
      await reach();
      entries.set(key, value);
      lifetimes.set(key, keepMs);
      freshUntil.set(key, clock.now() + freshMs);
      if (claimToken !== undefined) claims.end(key, claimToken, clock.now());
    },
    async cacheRelease(key, token) {
      await reach();
      claims.end(key, token, clock.now());
    },
    async cacheDelete(key) {
      await reach();
      entries.delete(key);
    },
    async cacheClear() {
      await reach();
      const gone = entries.size;
      entries.clear();
      return gone;
    },
  };
  async function reach(): Promise<void> {
    if (cache.state === "down") throw new StorageUnavailable("the shared cache is down");
    if (cache.state === "hung") await new Promise(() => {});
  }
  return cache;
}
