import { L1_ENTRY_OVERHEAD_BYTES } from "../limits.ts";
import type { CacheEntry } from "./cache-entry.ts";

/** Answers in this isolate's memory, of at most `maxBytes`; the least recently used go first. */
export interface L1Cache {
  /** Null when absent; one that may not even answer in an emergency any more is gone. */
  get(id: string, nowMs: number): CacheEntry | null;
  /** `chars` is the length of the entry as JSON. One that is larger than the whole cache is not kept. */
  set(id: string, entry: CacheEntry, chars: number): void;
  clear(): void;
  size(): Pick<L1Stats, "entries" | "bytes" | "evictions">;
  /** Walks all entries. */
  stats(): L1Stats;
}

export interface L1Stats {
  readonly entries: number;
  readonly bytes: number;
  readonly maxBytes: number;
  /** Entries that others displaced, since the isolate began. */
  readonly evictions: number;
  /** Epoch milliseconds; null when empty. */
  readonly oldestStoredAt: number | null;
}

interface Slot {
  readonly entry: CacheEntry;
  readonly bytes: number;
}

export function createL1Cache(maxBytes: number): L1Cache {
  // A Map keeps the order of insertion: reading moves an entry to the end, so the first is the least recently used.
  const slots = new Map<string, Slot>();
  let bytes = 0;
  let evictions = 0;

  function drop(id: string): void {
    bytes -= slots.get(id)?.bytes ?? 0;
    slots.delete(id);
  }

  return {
    get(id, nowMs) {
      const slot = slots.get(id);
      if (slot === undefined) return null;
      slots.delete(id);
      if (nowMs >= slot.entry.errorUntil) {
        bytes -= slot.bytes;
        return null;
      }
      slots.set(id, slot);
      return slot.entry;
    },
    set(id, entry, chars) {
      drop(id);
      const size = sizeOf(id, chars);
      if (size > maxBytes) return;
      slots.set(id, { entry, bytes: size });
      bytes += size;
      for (const oldest of slots.keys()) {
        if (bytes <= maxBytes) break;
        drop(oldest);
        evictions++;
      }
    },
    clear() {
      slots.clear();
      bytes = 0;
    },
    size: () => ({ entries: slots.size, bytes, evictions }),
    stats() {
      let oldestStoredAt: number | null = null;
      for (const { entry } of slots.values()) oldestStoredAt = Math.min(oldestStoredAt ?? Infinity, entry.storedAt);
      return { entries: slots.size, bytes, maxBytes, evictions, oldestStoredAt };
    },
  };
}

/** A string costs up to two bytes a character in memory. */
function sizeOf(id: string, chars: number): number {
  return 2 * (id.length + chars) + L1_ENTRY_OVERHEAD_BYTES;
}
