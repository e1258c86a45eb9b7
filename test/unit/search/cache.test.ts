import { describe, expect, test } from "vitest";
import { createSearchCache, type SearchCache } from "../../../src/search/cache/cache.ts";
import type { CachedAnswer } from "../../../src/search/cache/cache-entry.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { requestOf } from "../../support/providers/harness.ts";
import { createMemoryCache, type MemoryCache } from "../../support/providers/memory-cache.ts";

const result = {
  title: "T",
  url: "https://a.example/",
  content: "C",
  score: 1,
  publishedDate: null,
  provider: "tavily",
};
const answer: CachedAnswer = { results: [result], answer: null, provider: "tavily" };
const CONFIG = {
  CACHE_TTL_SECONDS: 3_600,
  CACHE_TTL_NEWS_SECONDS: 300,
  CACHE_STALE_SECONDS: 600,
  CACHE_ERROR_SECONDS: 6_000,
  CACHE_L1_MAX_BYTES: 1_000_000,
};
const HOUR_MS = 3_600_000;
const PLACE = { id: "question", key: "k" };
const CLAIM = { token: "me", ttlMs: 10_000 };

interface Isolate {
  readonly cache: SearchCache;
  readonly counts: Map<string, number>;
  readonly settle: () => Promise<unknown>;
}

function startIsolate(shared: MemoryCache, clock: FakeClock, config: Partial<typeof CONFIG> = {}): Isolate {
  const deferred: Promise<unknown>[] = [];
  const counts = new Map<string, number>();
  const cache = createSearchCache({
    config: { ...CONFIG, ...config },
    shared,
    clock,
    random: (length) => new Uint8Array(length),
    metrics: {
      count: (name, _labels, by = 1) => counts.set(name, (counts.get(name) ?? 0) + by),
      observe() {},
      gauge() {},
    },
    defer: (_what, work) => void deferred.push(work),
  });
  return { cache, counts, settle: () => Promise.all(deferred.splice(0)) };
}

function setUp(config: Partial<typeof CONFIG> = {}) {
  const clock = createFakeClock();
  const shared = createMemoryCache(clock);
  return { clock, shared, ...startIsolate(shared, clock, config), another: () => startIsolate(shared, clock) };
}

describe("the cache of answers", () => {
  test("answers from memory, and from the shared store in another isolate, which then remembers it", async () => {
    const { cache, settle, another } = setUp();
    cache.keep(PLACE, requestOf("q"), answer, null);
    expect(cache.near("question")?.value).toEqual(answer);
    await settle();
    const other = another().cache;
    expect(other.near("question")).toBeNull();
    expect(await other.look(PLACE)).toMatchObject({ entry: { value: answer }, claim: "none" });
    expect(other.near("question")?.value).toEqual(answer);
  });

  test("writes to the shared store behind the answer, for as long as the entry may be of use", async () => {
    const { cache, shared, settle } = setUp();
    cache.keep(PLACE, requestOf("q"), answer, null);
    expect(shared.entries.size).toBe(0);
    await settle();
    expect(shared.lifetimes.get("k")).toBe(HOUR_MS + 6_000_000);
  });

  test("a write ends the claim of the one who was to make it", async () => {
    const { cache, settle } = setUp();
    expect((await cache.look(PLACE, CLAIM)).claim).toBe("held");
    expect((await cache.look(PLACE, { ...CLAIM, token: "other" })).claim).toBe("busy");
    cache.keep(PLACE, requestOf("q"), answer, "me");
    await settle();
    expect(await cache.look(PLACE, { ...CLAIM, token: "other" })).toMatchObject({
      claim: "none",
      entry: { value: answer },
    });
  });

  test("a claim that is given up is free at once", async () => {
    const { cache, settle } = setUp();
    await cache.look(PLACE, CLAIM);
    cache.release("k", "me");
    await settle();
    expect((await cache.look(PLACE, { ...CLAIM, token: "other" })).claim).toBe("held");
  });

  test("a stale entry comes with the claim to refresh it, for one", async () => {
    const { cache, settle, clock } = setUp();
    cache.keep(PLACE, requestOf("q"), answer, null);
    await settle();
    await clock.advance(HOUR_MS);
    expect(await cache.look(PLACE, CLAIM)).toMatchObject({ claim: "held", entry: { value: answer } });
    expect(await cache.look(PLACE, { ...CLAIM, token: "other" })).toMatchObject({
      claim: "busy",
      entry: { value: answer },
    });
  });

  test("a poisoned entry is a miss, and one that the store forgot to forget", async () => {
    const { cache, shared, clock, settle } = setUp();
    shared.entries.set("k", 'p{"v":2,"value":{"results":[{"title":"<script>"}]}}');
    expect(await cache.look(PLACE, CLAIM)).toEqual({ entry: null, claim: "held" });
    cache.keep(PLACE, requestOf("q"), answer, "me");
    await settle();
    await clock.advance(HOUR_MS + 6_000_000);
    expect(shared.entries.has("k")).toBe(true);
    expect((await cache.look(PLACE)).entry).toBeNull();
    expect(cache.near("question")).toBeNull();
  });

  test("a lost write throws nothing, a look into a lost store does", async () => {
    const { cache, shared, settle } = setUp();
    shared.state = "down";
    cache.keep(PLACE, requestOf("q"), answer, "me");
    cache.release("k", "me");
    await expect(settle()).resolves.toBeDefined();
    await expect(cache.look(PLACE)).rejects.toThrow("down");
    expect(cache.near("question")?.value).toEqual(answer);
  });

  test("an answer too large for the shared store stays in memory alone, and holds no claim", async () => {
    const { cache, shared, settle } = setUp({ CACHE_L1_MAX_BYTES: 10_000_000 });
    const noise = Array.from(crypto.getRandomValues(new Uint8Array(60_000)), (n) => String.fromCharCode(192 + n)).join(
      "",
    );
    const large = { ...answer, results: Array.from({ length: 20 }, () => ({ ...result, rawContent: noise })) };
    await cache.look(PLACE, CLAIM);
    cache.keep(
      PLACE,
      requestOf("q"),
      { ...large, results: large.results.map((r, i) => ({ ...r, content: noise.slice(i) })) },
      "me",
    );
    await settle();
    expect(shared.entries.has("k")).toBe(false);
    expect(cache.near("question")).not.toBeNull();
    expect((await cache.look(PLACE, { ...CLAIM, token: "other" })).claim).toBe("held");
  });

  test("counts what others displaced from memory", async () => {
    const { cache, counts } = setUp({ CACHE_L1_MAX_BYTES: 1_500 });
    for (const id of ["a", "b", "c"]) cache.keep({ id, key: id }, requestOf("q"), answer, null);
    expect(cache.stats().evictions).toBeGreaterThan(0);
    expect(counts.get("orchestrix_cache_evictions_total")).toBe(cache.stats().evictions);
  });
});

describe("forgetting all answers", () => {
  test("holds here and in the store at once, and in other isolates with their next look at the mark", async () => {
    const { cache, shared, settle, another, clock } = setUp();
    const other = another().cache;
    cache.keep(PLACE, requestOf("q"), answer, null);
    await settle();
    await other.look(PLACE);
    await clock.advance(1);
    expect(await cache.purge()).toEqual({ entries: 1 });
    expect([cache.near("question"), (await cache.look(PLACE)).entry]).toEqual([null, null]);
    expect(other.near("question")).not.toBeNull();

    const key = other.purges.syncKey();
    other.purges.absorb(shared.entries.get(key ?? "") ?? null);
    expect(other.near("question")).toBeNull();
    expect(other.purges.syncKey()).toBeNull();
    await clock.advance(10_000);
    expect(other.purges.syncKey()).toBe(key);
  });

  test("an answer that was made before and written after is not believed", async () => {
    const { cache, another, settle, clock } = setUp();
    const slow = another();
    slow.cache.keep(PLACE, requestOf("q"), answer, null);
    await clock.advance(5);
    await cache.purge();
    await slow.settle();
    await settle();
    expect((await cache.look(PLACE)).entry).toBeNull();
  });

  test.each(["x", "-1", "99999999999999999999", "1e9", "", String(Date.parse("2100-01-01"))])(
    "a mark that says %j forgets nothing",
    async (text) => {
      const { cache } = setUp();
      cache.keep(PLACE, requestOf("q"), answer, null);
      cache.purges.absorb(text);
      expect(cache.near("question")).not.toBeNull();
    },
  );
});
