import { StorageUnavailable } from "../../../src/core/errors.ts";
import type { SharedCache } from "../../../src/storage/shared-state/shared-state.ts";

export interface MemoryCache extends SharedCache {
  readonly entries: Map<string, string>;
  /** In milliseconds, as last written. */
  readonly lifetimes: Map<string, number>;
  readonly reads: string[];
  /** `up` answers, `down` throws `StorageUnavailable`, `hung` never answers. */
  state: "up" | "down" | "hung";
}

/** A shared cache in memory that can be taken away. Entries outlive their lifetimes: readers must not trust the store. */
export function createMemoryCache(): MemoryCache {
  const entries = new Map<string, string>();
  const lifetimes = new Map<string, number>();
  const cache: MemoryCache = {
    entries,
    lifetimes,
    reads: [],
    state: "up",
    async cacheGet(key) {
      await reach();
      cache.reads.push(key);
      return entries.get(key) ?? null;
    },
    async cacheSet(key, value, ttlMs) {
      await reach();
      entries.set(key, value);
      lifetimes.set(key, ttlMs);
    },
    async cacheDelete(key) {
      await reach();
      entries.delete(key);
    },
  };
  async function reach(): Promise<void> {
    if (cache.state === "down") throw new StorageUnavailable("the shared cache is down");
    if (cache.state === "hung") await new Promise(() => {});
  }
  return cache;
}
