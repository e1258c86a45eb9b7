import type { CacheEntry } from "./cache-entry.ts";
import { L1_ENTRY_OVERHEAD_BYTES } from "./limits.ts";

/** Answers in this isolate's memory, of at most `maxBytes`; the least recently used go first. */
export interface L1Cache {
  /** Null when absent; an entry past its freshness is gone. */
  get(key: string, nowMs: number): CacheEntry | null;
  /** `chars` is the length of the entry as JSON. One that is larger than the whole cache is not kept. */
  set(key: string, entry: CacheEntry, chars: number): void;
  size(): { readonly entries: number; readonly bytes: number };
}

interface Slot {
  readonly entry: CacheEntry;
  readonly bytes: number;
}

export function createL1Cache(maxBytes: number): L1Cache {
  // A Map keeps the order of insertion: reading moves an entry to the end, so the first is the least recently used.
  const slots = new Map<string, Slot>();
  let bytes = 0;

  function drop(key: string): void {
    bytes -= slots.get(key)?.bytes ?? 0;
    slots.delete(key);
  }

  return {
    get(key, nowMs) {
      const slot = slots.get(key);
      if (slot === undefined) return null;
      slots.delete(key);
      if (nowMs >= slot.entry.freshUntil) {
        bytes -= slot.bytes;
        return null;
      }
      slots.set(key, slot);
      return slot.entry;
    },
    set(key, entry, chars) {
      drop(key);
      const size = sizeOf(key, chars);
      if (size > maxBytes) return;
      slots.set(key, { entry, bytes: size });
      bytes += size;
      for (const oldest of slots.keys()) {
        if (bytes <= maxBytes) break;
        drop(oldest);
      }
    },
    size: () => ({ entries: slots.size, bytes }),
  };
}

/** A string costs up to two bytes a character in memory. */
function sizeOf(key: string, chars: number): number {
  return 2 * (key.length + chars) + L1_ENTRY_OVERHEAD_BYTES;
}
