import type { CachedText, CacheRows, Lifetime } from "./cache-rows.ts";
import { CACHE_BUFFER_MAX_CHARS, CACHE_WRITE_BEHIND_MS } from "./limits.ts";

interface Waiting extends Lifetime {
  readonly text: string;
}

/**
 * Cache entries written to their rows many in one transaction: the first at once, what comes soon after at most once in
 * CACHE_WRITE_BEHIND_MS. A crash loses what came since the last write, which only costs making it again.
 */
export function createBufferedRows(rows: CacheRows, inOneWrite: (work: () => void) => void): CacheRows {
  const waiting = new Map<string, Waiting>();
  let chars = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function write(): void {
    if (waiting.size === 0) return;
    const entries = [...waiting];
    waiting.clear();
    chars = 0;
    inOneWrite(() => {
      for (const [key, { text, ...lifetime }] of entries) rows.set(key, text, lifetime);
    });
  }

  function writeInTurn(): void {
    timer = undefined;
    if (waiting.size === 0) return;
    timer = setTimeout(writeInTurn, CACHE_WRITE_BEHIND_MS);
    write();
  }

  return {
    get(key, nowMs): CachedText | null {
      const entry = waiting.get(key);
      if (entry === undefined) return rows.get(key, nowMs);
      return entry.expiresAtMs > nowMs ? { text: entry.text, isFresh: entry.freshUntilMs > nowMs } : null;
    },
    set(key, text, lifetime) {
      waiting.set(key, { text, ...lifetime });
      chars += key.length + text.length;
      // What is too large for a row is found out, and dropped, where it is written.
      if (timer === undefined) writeInTurn();
      else if (chars >= CACHE_BUFFER_MAX_CHARS) write();
    },
    delete(key) {
      waiting.delete(key);
      rows.delete(key);
    },
    clear() {
      write();
      return rows.clear();
    },
    sweep(nowMs) {
      write();
      return rows.sweep(nowMs);
    },
    forget() {
      clearTimeout(timer);
      timer = undefined;
      waiting.clear();
      chars = 0;
      rows.forget();
    },
  };
}
