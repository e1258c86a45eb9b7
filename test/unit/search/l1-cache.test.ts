import { describe, expect, test } from "vitest";
import { createL1Cache } from "../../../src/search/cache/l1-cache.ts";

const entry = (provider: string, storedAt = 0) => ({
  value: { results: [], answer: null, provider },
  storedAt,
  freshUntil: 500,
  staleUntil: 800,
  errorUntil: 1_000,
});

/** 2 × (1 + 122) + 256 = 502 bytes. */
const CHARS = 122;
const BYTES = 502;

describe("the cache in memory", () => {
  test("gives back what was stored while it may answer at all", () => {
    const cache = createL1Cache(10_000);
    cache.set("a", entry("tavily"), CHARS);
    expect(cache.get("a", 999)?.value.provider).toBe("tavily");
    expect(cache.get("a", 1_000)).toBeNull();
    expect(cache.stats()).toMatchObject({ entries: 0, bytes: 0, oldestStoredAt: null });
  });

  test("stays within its bytes; what was used longest ago goes first", () => {
    const cache = createL1Cache(3 * BYTES);
    for (const key of ["a", "b", "c"]) cache.set(key, entry(key), CHARS);
    cache.get("a", 0);
    cache.set("d", entry("d"), CHARS);
    expect(["a", "b", "c", "d"].map((key) => cache.get(key, 0) !== null)).toEqual([true, false, true, true]);
    expect(cache.stats()).toMatchObject({ entries: 3, bytes: 3 * BYTES, maxBytes: 3 * BYTES, evictions: 1 });
  });

  test("a large entry displaces as many as it needs", () => {
    const cache = createL1Cache(4 * BYTES);
    for (const key of ["a", "b", "c", "d"]) cache.set(key, entry(key), CHARS);
    cache.set("e", entry("e"), CHARS * 5);
    expect(cache.get("e", 0)).not.toBeNull();
    expect(cache.stats().bytes).toBeLessThanOrEqual(4 * BYTES);
    expect(cache.get("d", 0)).not.toBeNull();
    expect(cache.get("a", 0)).toBeNull();
  });

  test("an entry larger than all is not kept and displaces nothing", () => {
    const cache = createL1Cache(2 * BYTES);
    cache.set("a", entry("a"), CHARS);
    cache.set("b", entry("b"), 10_000);
    expect(cache.get("b", 0)).toBeNull();
    expect(cache.get("a", 0)).not.toBeNull();
  });

  test("writing again replaces, and counts once", () => {
    const cache = createL1Cache(10_000);
    cache.set("a", entry("old"), CHARS);
    cache.set("a", entry("new"), CHARS);
    expect(cache.get("a", 0)?.value.provider).toBe("new");
    expect(cache.stats()).toMatchObject({ entries: 1, bytes: BYTES, evictions: 0 });
  });

  test("with no bytes it keeps nothing", () => {
    const cache = createL1Cache(0);
    cache.set("a", entry("a"), 1);
    expect(cache.get("a", 0)).toBeNull();
  });

  test("tells the age of its oldest entry, and forgets all at once", () => {
    const cache = createL1Cache(10_000);
    cache.set("a", entry("a", 20), CHARS);
    cache.set("b", entry("b", 10), CHARS);
    expect(cache.stats().oldestStoredAt).toBe(10);
    cache.clear();
    expect(cache.stats()).toMatchObject({ entries: 0, bytes: 0, oldestStoredAt: null });
    expect(cache.get("a", 0)).toBeNull();
  });
});
