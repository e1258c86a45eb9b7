import { expect, test, vi } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { systemRandom } from "../../../src/core/ids.ts";
import { cacheKeyOf, canonicalQuestion } from "../../../src/search/cache/cache-key.ts";
import { type SearchRequest, searchRequest } from "../../../src/search/contract.ts";
import { createPopularity } from "../../../src/search/warming/popularity.ts";
import {
  POPULARITY_BUFFER_MAX_KEYS,
  POPULARITY_FLUSH_MS,
  POPULARITY_UNSENT_MAX_MS,
} from "../../../src/search/warming/popularity-limits.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { createPopularStore, type PopularStore } from "../../support/popular-store.ts";

const POLICY = ["tavily", "jina"];

function startIsolate(store: PopularStore, clock: FakeClock, enabled = true) {
  const deferred: Promise<unknown>[] = [];
  const failures: unknown[] = [];
  const popularity = createPopularity({
    store,
    clock,
    random: systemRandom,
    defer: (_what, work) => void deferred.push(work.catch((error: unknown) => failures.push(error))),
    enabled,
  });
  return {
    popularity,
    failures,
    note(query: string, caller: string, fields: Partial<SearchRequest> = {}) {
      const request = searchRequest.parse({ query, ...fields });
      popularity.note(canonicalQuestion(request, POLICY), request, caller);
    },
    settle: () => Promise.all(deferred),
  };
}

function setUp() {
  const clock = createFakeClock();
  const store = createPopularStore(clock);
  return { clock, store, ...startIsolate(store, clock) };
}

async function listed(store: PopularStore): Promise<string[]> {
  return (await store.top(100)).map(({ request }) => request.query);
}

test("a query is listed once three different callers asked it, with its cache key", async () => {
  const { store, note, popularity } = setUp();
  const request = searchRequest.parse({ query: "What is MCP?", topic: "news" });
  for (const caller of ["a", "b"]) note("What is MCP?", caller, { topic: "news" });
  await popularity.flush();
  expect(await popularity.top(5)).toEqual([]);
  note("what is  mcp?", "c", { topic: "news" });
  await popularity.flush();
  const [first] = await popularity.top(5);
  expect(first?.key).toBe(await cacheKeyOf(request, POLICY));
  expect(first?.request).toMatchObject({ topic: "news", maxResults: 5, cache: "default" });
  expect(first?.score).toBeCloseTo(3);
  expect(await popularity.describe()).toEqual({ queries: 1, listed: 1 });
  expect(store.sent.flatMap(({ entries }) => entries).every(({ key }) => !key.includes("mcp"))).toBe(true);
});

test("one caller who asks again and again, from many isolates and on many days, stays one caller", async () => {
  const { clock, store } = setUp();
  for (let day = 0; day < 5; day++) {
    for (let n = 0; n < 4; n++) {
      const { note, popularity } = startIsolate(store, clock);
      for (let i = 0; i < 50; i++) note("my strange question", "same");
      note("my strange question", "another");
      await popularity.flush();
    }
    await clock.advance(86_400_000);
  }
  expect(await listed(store)).toEqual([]);
  expect(store.dump()).not.toContain("strange");
});

test("one caller's asking does not hide those who ask after", async () => {
  const { store, note, popularity } = setUp();
  for (const caller of ["a", "a", "a", "a", "b", "c"]) note("weather", caller);
  await popularity.flush();
  expect(await listed(store)).toEqual(["weather"]);
});

test("callers in different isolates add up", async () => {
  const { clock, store } = setUp();
  for (const caller of ["a", "b", "c"]) {
    const { note, popularity } = startIsolate(store, clock);
    note("weather", caller);
    await popularity.flush();
  }
  expect(await listed(store)).toEqual(["weather"]);
});

test("what it keeps of two callers' query shows neither the query nor the callers", async () => {
  const { store, note, popularity } = setUp();
  for (const caller of ["key_alice", "key_bob"]) note("a rather telling question", caller);
  for (const caller of ["key_alice", "key_bob", "key_carol"]) note("weather", caller);
  await popularity.flush();
  expect(await popularity.describe()).toEqual({ queries: 2, listed: 1 });
  expect(store.dump()).toContain("weather");
  expect(store.dump()).not.toMatch(/telling|alice|bob|carol/);
});

test("only plain requests are counted, and none where counting is off", async () => {
  const { clock, store, note, popularity } = setUp();
  for (const caller of ["a", "b", "c"]) {
    note("one", caller, { cache: "bypass" });
    note("two", caller, { cache: "only" });
  }
  await popularity.flush();
  const off = startIsolate(store, clock, false);
  for (const caller of ["a", "b", "c"]) off.note("three", caller);
  await off.popularity.flush();
  expect(store.sent).toEqual([]);
});

test("a query with an address or a secret in it never leaves the isolate", async () => {
  const { store, note, popularity } = setUp();
  const secret = "who is jane.doe@example.com";
  for (const caller of ["a", "b", "c", "d"]) {
    note(secret, caller);
    note("why does tvly-abcdef1234567890 fail", caller);
    note("plain", caller);
  }
  await popularity.flush();
  expect(JSON.stringify(store.sent)).not.toMatch(/jane|tvly/);
  expect(await listed(store)).toEqual(["plain"]);
});

test("hands on what it noted at once, then at most every half minute", async () => {
  const { clock, store, note, settle } = setUp();
  note("one", "a");
  await settle();
  expect(store.sent).toHaveLength(1);
  for (let second = 1; second < POPULARITY_FLUSH_MS / 1_000; second++) {
    await clock.advance(1_000);
    note("two", "a");
  }
  await settle();
  expect(store.sent).toHaveLength(1);
  await clock.advance(1_000);
  note("three", "a");
  await settle();
  expect(store.sent.map(({ entries }) => entries.map(({ count }) => count))).toEqual([[1], [29, 1]]);
});

test("a full memory is handed on before its time; while that fails, only what is new is lost", async () => {
  const { store, note, settle, clock } = setUp();
  note("first", "a");
  await settle();
  for (let i = 0; i < POPULARITY_BUFFER_MAX_KEYS; i++) note(`query ${i}`, "a");
  await settle();
  expect(store.sent.map(({ entries }) => entries.length)).toEqual([1, POPULARITY_BUFFER_MAX_KEYS]);

  store.mode = "down";
  for (let i = 0; i < 4 * POPULARITY_BUFFER_MAX_KEYS; i++) note(`question ${i}`, "a");
  await settle();
  expect(store.sent).toHaveLength(3);
  store.mode = "up";
  await clock.advance(POPULARITY_FLUSH_MS);
  note("question 1500", "b");
  await settle();
  expect(await store.describe()).toEqual({ queries: 1 + 3 * POPULARITY_BUFFER_MAX_KEYS, listed: 0 });
});

test("what could not be handed on is handed on later, once", async () => {
  const { clock, store, note, settle, failures } = setUp();
  store.mode = "down";
  for (const caller of ["a", "b"]) note("weather", caller);
  await settle();
  expect(failures).toHaveLength(1);
  expect(failures[0]).toBeInstanceOf(StorageUnavailable);
  store.mode = "up";
  await clock.advance(POPULARITY_FLUSH_MS);
  note("weather", "c");
  await settle();
  expect((await store.top(1))[0]?.score).toBeCloseTo(3, 1);
});

test("a batch whose answer was lost is not counted twice", async () => {
  const { clock, store, note, settle } = setUp();
  store.mode = "mute";
  for (const caller of ["a", "b", "c"]) note("weather", caller);
  await settle();
  for (let i = 0; i < 3; i++) {
    await clock.advance(POPULARITY_FLUSH_MS);
    note("other", "a");
    await settle();
  }
  store.mode = "up";
  await clock.advance(POPULARITY_FLUSH_MS);
  note("other", "b");
  await settle();
  const { book } = store;
  expect(book.describe()).toEqual({ queries: 2, listed: 1 });
  expect(book.top(1)[0]?.score).toBeCloseTo(3, 1);
});

test("two flushes at once count once", async () => {
  const { store, note, popularity } = setUp();
  for (const caller of ["a", "b", "c"]) note("weather", caller);
  await Promise.all([popularity.flush(), popularity.flush(), popularity.flush()]);
  expect((await store.top(1))[0]?.score).toBeCloseTo(3);
});

test("of flushes that overtake each other none loses what another has under way", async () => {
  const clock = createFakeClock();
  const store = createPopularStore(clock);
  const waiting: { readonly sequence: number; readonly end: (arrives: boolean) => void }[] = [];
  const add = store.add;
  store.add = (batch) =>
    new Promise((resolve, reject) => {
      const end = (arrives: boolean) => {
        if (arrives) resolve(add(batch));
        else reject(new StorageUnavailable("lost"));
      };
      waiting.push({ sequence: batch.sequence, end });
    });
  const { note, popularity } = startIsolate(store, clock);
  const flush = () => popularity.flush().catch(() => {});
  const waitFor = (count: number) => vi.waitUntil(() => waiting.length === count, { timeout: 20_000 });

  // One after the other: keys are hashed on other threads, so calls of one moment arrive in any order.
  note("one", "a");
  await waitFor(1);
  const slow = flush();
  await waitFor(2);
  const quick = flush();
  await waitFor(3);
  note("two", "a");
  waiting[1]?.end(true);
  await waitFor(4);
  note("three", "a");
  for (const late of [0, 2]) waiting[late]?.end(true);
  await quick;
  waiting[3]?.end(false);
  await slow;

  const last = flush();
  await waitFor(5);
  waiting[4]?.end(true);
  await waitFor(6);
  waiting[5]?.end(true);
  await last;
  expect(waiting.map(({ sequence }) => sequence)).toEqual([1, 1, 1, 2, 2, 3]);
  expect(await store.describe()).toEqual({ queries: 3, listed: 0 });
});

test("a flush that never ends does not keep the next from counting", async () => {
  const clock = createFakeClock();
  const store = createPopularStore(clock);
  let hang = true;
  const add = store.add;
  store.add = (batch) => (hang ? new Promise(() => {}) : add(batch));
  const { note, settle: _, popularity } = startIsolate(store, clock);
  for (const caller of ["a", "b", "c"]) note("weather", caller);
  hang = false;
  await clock.advance(POPULARITY_FLUSH_MS);
  await popularity.flush();
  expect(await listed(store)).toEqual(["weather"]);
});

test("what could not be handed on for an hour is given up", async () => {
  const { clock, store, note, settle } = setUp();
  store.mode = "down";
  for (const caller of ["a", "b", "c"]) note("old", caller);
  await settle();
  await clock.advance(POPULARITY_UNSENT_MAX_MS + 1);
  store.mode = "up";
  for (const caller of ["a", "b", "c"]) note("new", caller);
  await settle();
  expect(await listed(store)).not.toContain("old");
});
