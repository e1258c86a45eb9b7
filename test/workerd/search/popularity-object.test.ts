import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { searchRequest } from "../../../src/search/contract.ts";
import { createDurablePopularityStore } from "../../../src/search/warming/popularity-durable.ts";
import { POPULARITY_SALT_LIFE_MS, POPULARITY_WAITING_MAX_ROWS } from "../../../src/search/warming/popularity-limits.ts";
import type { PopularityObject } from "../../../src/search/warming/popularity-object.ts";
import type { PopularityEntry } from "../../../src/search/warming/popularity-store.ts";

const THREE = ["a", "b", "c"];

afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const name = crypto.randomUUID();
  const stub = () => env.POPULAR.getByName(name);
  const store = createDurablePopularityStore(env.POPULAR, name);
  return {
    store,
    stub,
    add: (...entries: PopularityEntry[]) => store.add({ isolate: crypto.randomUUID(), sequence: 1, entries }),
    listed: async () => (await store.top(10)).map(({ request }) => request.query),
    dump: () =>
      runInDurableObject(stub(), (_object, { storage }) => {
        const tables = storage.sql.exec(
          "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
        );
        return JSON.stringify(tables.toArray().map((row) => storage.sql.exec(`SELECT * FROM ${row.name}`).toArray()));
      }),
  };
}

/** As a cache key: shows nothing of the query. */
function keyOf(query: string): string {
  return `v2:search:${[...query].reduce((sum, char) => sum * 31 + (char.codePointAt(0) ?? 0), 0)}`;
}

function asked(query: string, callers: readonly string[], count: number = callers.length): PopularityEntry {
  return { key: keyOf(query), request: JSON.stringify(searchRequest.parse({ query })), count, callers };
}

test("counts outlive the object that took them in, most asked first", async () => {
  const { store, stub, add, listed } = setUp();
  await add(asked("often", THREE, 9), asked("seldom", THREE), asked("by two", ["a", "b"]));
  await evictDurableObject(stub());
  expect(await listed()).toEqual(["often", "seldom"]);
  await add(asked("by two", ["c"], 30));
  expect(await listed()).toEqual(["by two", "often", "seldom"]);
  expect(await store.describe()).toEqual({ queries: 3, listed: 3 });
});

test("nothing that it stores shows a query that two callers asked, or any caller", async () => {
  const { add, dump } = setUp();
  await add(asked("a rather telling question", ["key_alice", "key_bob", "key_alice"]));
  await add(asked("a rather telling question", ["key_alice"], 100));
  await add(asked("weather", ["key_alice", "key_bob", "key_carol"]));
  const stored = await dump();
  expect(stored).toContain("weather");
  expect(stored).not.toMatch(/telling|alice|bob|carol/);
});

test("batches that come at once all count, and each once", async () => {
  const { store } = setUp();
  const batches = Array.from({ length: 30 }, (_, n) => {
    return { isolate: `isolate ${n}`, sequence: 1, entries: [asked("weather", [`caller ${n % 5}`], 2)] };
  });
  await Promise.all([...batches, ...batches].map((batch) => store.add(batch)));
  expect((await store.top(1))[0]?.score).toBeCloseTo(60, 0);
  await store.add({ isolate: "isolate 1", sequence: 2, entries: [asked("weather", ["a"], 40)] });
  expect((await store.top(1))[0]?.score).toBeCloseTo(100, 0);
});

test("holds a bounded number, whatever comes", async () => {
  const { store, add, listed } = setUp();
  await add(asked("weather", THREE));
  const flood = (from: number) =>
    Array.from({ length: 1_000 }, (_, n) => ({ ...asked("x", ["attacker"], 50), key: `flood ${from + n}` }));
  for (let from = 0; from < 6_000; from += 1_000) await add(...flood(from));
  const { queries } = await store.describe();
  expect(queries).toBeLessThanOrEqual(POPULARITY_WAITING_MAX_ROWS + 1);
  expect(await listed()).toEqual(["weather"]);
});

test("the alarm forgets who asked, and what too few asked, once a day; and all that nobody asks any more", async () => {
  const { store, stub, add, dump, listed } = setUp();
  await add(asked("weather", THREE, 50), asked("lonely", ["a"], 50));
  expect(await runDurableObjectAlarm(stub())).toBe(true);
  expect(await store.describe()).toEqual({ queries: 2, listed: 1 });

  const start = Date.now();
  const passTime = (ms: number) => vi.useFakeTimers({ toFake: ["Date"], now: start + ms });
  passTime(POPULARITY_SALT_LIFE_MS + 1);
  expect(await runDurableObjectAlarm(stub())).toBe(true);
  expect(await store.describe()).toEqual({ queries: 1, listed: 1 });
  expect(await listed()).toEqual(["weather"]);
  passTime(10 * POPULARITY_SALT_LIFE_MS);
  expect(await runDurableObjectAlarm(stub())).toBe(true);
  expect(await dump()).toBe("[[],[],[]]");
  expect(await runDurableObjectAlarm(stub())).toBe(false);
});

test("an object that does not answer is unavailable storage", async () => {
  const broken = {
    getByName: () => ({ top: () => Promise.reject(new Error("overloaded")) }),
  } as unknown as DurableObjectNamespace<PopularityObject>;
  await expect(createDurablePopularityStore(broken).top(1)).rejects.toThrow(StorageUnavailable);
});
