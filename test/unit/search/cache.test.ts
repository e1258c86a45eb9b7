import { describe, expect, test } from "vitest";
import { createSearchCache, type SearchCache } from "../../../src/search/cache.ts";
import type { CachedAnswer } from "../../../src/search/cache-entry.ts";
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
const nothing: CachedAnswer = { results: [], answer: null, provider: "tavily" };

interface SetUp {
  readonly cache: SearchCache;
  readonly shared: MemoryCache;
  readonly clock: FakeClock;
  readonly logged: string[];
  readonly settle: () => Promise<unknown>;
}

function setUp(options: { shared?: MemoryCache; randomByte?: number; clock?: FakeClock } = {}): SetUp {
  const shared = options.shared ?? createMemoryCache();
  const clock = options.clock ?? createFakeClock();
  const logged: string[] = [];
  const deferred: Promise<unknown>[] = [];
  const log = (event: string) => void logged.push(event);
  const cache = createSearchCache({
    config: { CACHE_TTL_SECONDS: 3_600, CACHE_TTL_NEWS_SECONDS: 300, CACHE_L1_MAX_BYTES: 1_000_000 },
    shared,
    clock,
    random: (length) => new Uint8Array(length).fill(options.randomByte ?? 0),
    logger: { debug: log, info: log, warn: log, error: log },
    defer: (_what, work) => void deferred.push(work),
  });
  return { cache, shared, clock, logged, settle: () => Promise.all(deferred.splice(0)) };
}

describe("the cache of answers", () => {
  test("answers from memory, and from the shared store in another isolate, which then remembers it", async () => {
    const one = setUp();
    one.cache.write("k", requestOf("q"), answer);
    expect(await one.cache.read("k")).toMatchObject({ level: "l1", value: answer });
    await one.settle();
    const other = setUp({ shared: one.shared, clock: one.clock });
    expect(await other.cache.read("k")).toMatchObject({ level: "l2", value: answer });
    expect(await other.cache.read("k")).toMatchObject({ level: "l1", value: answer });
  });

  test("the shared store is written after the answer, with the entry's lifetime", async () => {
    const { cache, shared, settle } = setUp();
    cache.write("k", requestOf("q"), answer);
    expect(shared.entries.size).toBe(0);
    await settle();
    expect(shared.lifetimes.get("k")).toBe(3_600_000);
  });

  test.each([
    ["an answer", "general", answer, 0, 3_600_000],
    ["news", "news", answer, 0, 300_000],
    ["nothing found", "general", nothing, 0, 50_000],
    ["an answer at the shortest", "general", answer, 255, 3_240_000],
    ["an answer in between", "general", answer, 51, 3_528_000],
    ["nothing found at the shortest", "news", nothing, 255, 45_000],
  ] as const)(
    "%s stays for its time, shortened by up to a tenth",
    async (_name, topic, value, randomByte, expected) => {
      const { cache, shared, clock, settle } = setUp({ randomByte });
      cache.write("k", requestOf("q", { topic }), value);
      await settle();
      expect(shared.lifetimes.get("k")).toBe(expected);
      await clock.advance(expected - 1);
      expect(await cache.read("k")).not.toBeNull();
      await clock.advance(1);
      expect(await cache.read("k")).toBeNull();
    },
  );

  test("a poisoned entry is a miss", async () => {
    const { cache, shared } = setUp();
    shared.entries.set("k", '{"v":1,"value":{"results":[{"title":"<script>"}]}}');
    expect(await cache.read("k")).toBeNull();
  });

  test("an entry that the store forgot to forget is a miss", async () => {
    const { cache, shared, clock, settle } = setUp();
    cache.write("k", requestOf("q"), answer);
    await settle();
    await clock.advance(3_600_000);
    expect(shared.entries.has("k")).toBe(true);
    expect(await cache.read("k")).toBeNull();
  });

  test("a store that is down is a miss, logged once for each time it goes down", async () => {
    const { cache, shared, logged, settle } = setUp();
    shared.state = "down";
    expect(await cache.read("a")).toBeNull();
    cache.write("a", requestOf("q"), answer);
    await settle();
    expect(await cache.read("b")).toBeNull();
    expect(logged).toEqual(["search_cache_unavailable"]);
    shared.state = "up";
    await cache.read("b");
    await cache.read("b");
    shared.state = "down";
    await cache.read("b");
    expect(logged).toEqual(["search_cache_unavailable", "search_cache_available", "search_cache_unavailable"]);
    expect(await cache.read("a")).toMatchObject({ level: "l1" });
  });

  test("a store that hangs is given up soon", async () => {
    const { cache, shared, clock, logged } = setUp();
    shared.state = "hung";
    const pending = cache.read("a");
    await clock.advance(300);
    expect(await pending).toBeNull();
    expect(logged).toEqual(["search_cache_unavailable"]);
  });

  test("an answer too large for the shared store stays in memory alone", async () => {
    const { cache, shared, settle } = setUp();
    const rawContent = "x".repeat(20_000);
    const large = {
      ...answer,
      results: Array.from({ length: 20 }, () => ({ ...result, rawContent: `é${rawContent}` })),
    };
    cache.write("k", requestOf("q"), large);
    cache.write("huge", requestOf("q"), { ...large, results: [...large.results, ...large.results] });
    await settle();
    expect([...shared.entries.keys()]).toEqual(["k"]);
  });
});
