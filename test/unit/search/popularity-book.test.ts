import { expect, test } from "vitest";
import { type SearchRequest, searchRequest } from "../../../src/search/contract.ts";
import {
  POPULARITY_HALF_LIFE_MS,
  POPULARITY_LISTED_MAX_ROWS,
  POPULARITY_SALT_LIFE_MS,
  POPULARITY_WAITING_MAX_ROWS,
} from "../../../src/search/warming/popularity-limits.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createPopularStore } from "../../support/popular-store.ts";

function setUp() {
  const clock = createFakeClock();
  const store = createPopularStore(clock);
  let sequence = 0;
  return {
    clock,
    store,
    ask: (queries: readonly string[], callers: readonly string[], count: number = callers.length) =>
      store.add({
        isolate: "one",
        sequence: ++sequence,
        entries: queries.map((query) => {
          return { key: `key of ${query}`, request: JSON.stringify(searchRequest.parse({ query })), count, callers };
        }),
      }),
    scores: async () => (await store.top(10)).map(({ request, score }) => [request.query, Math.round(score * 10) / 10]),
  };
}

const THREE = ["a", "b", "c"];
const numbered = (what: string, count: number) => Array.from({ length: count }, (_, i) => `${what} ${i}`);

test("a score halves in a half-life, and what is asked now overtakes what was asked then", async () => {
  const { clock, ask, scores } = setUp();
  await ask(["old"], THREE, 40);
  await ask(["steady"], THREE, 12);
  expect(await scores()).toEqual([
    ["old", 40],
    ["steady", 12],
  ]);
  await clock.advance(POPULARITY_HALF_LIFE_MS);
  await ask(["steady"], ["a"], 12);
  expect(await scores()).toEqual([
    ["old", 20],
    ["steady", 18],
  ]);
  await clock.advance(POPULARITY_HALF_LIFE_MS);
  await ask(["steady"], ["a"], 12);
  expect(await scores()).toEqual([
    ["steady", 21],
    ["old", 10],
  ]);
});

test("what nobody asks any more is forgotten", async () => {
  const { clock, ask, store } = setUp();
  await ask(["past"], THREE);
  await clock.advance(6 * POPULARITY_HALF_LIFE_MS);
  expect(await store.top(10)).toEqual([]);
  await ask(["present"], ["a"]);
  expect(store.dump()).not.toContain("past");
});

test("callers cannot be told by what is kept of them: not from query to query, and not once it is listed", async () => {
  const { ask, store } = setUp();
  await ask(["one", "other"], ["same"]);
  const digests = [...store.dump().matchAll(/\[\\"([\w-]{43})\\"\]/g)].map(([, digest]) => digest);
  expect(new Set(digests).size).toBe(2);
  await ask(["one", "other"], THREE);
  expect(store.dump()).not.toMatch(/\[\\"/);
});

test("when the salt changes, those who wait for a third caller begin anew; who is listed stays", async () => {
  const { clock, ask, store, scores } = setUp();
  await ask(["listed"], THREE, 100);
  await ask(["waiting"], ["a", "b"]);
  const before = store.dump();
  await clock.advance(POPULARITY_SALT_LIFE_MS);
  await ask(["waiting"], ["c"]);
  expect((await scores()).map(([query]) => query)).toEqual(["listed"]);
  expect(store.book.describe()).toEqual({ queries: 2, listed: 1 });
  const secret = /"secret":"([^"]+)"/;
  expect(secret.exec(store.dump())?.[1]).not.toBe(secret.exec(before)?.[1]);
});

test("the clean-up forgets what is past its time, and says when to come again while anything is left", async () => {
  const { clock, ask, store } = setUp();
  await ask(["listed"], THREE, 100);
  await ask(["waiting"], ["a"]);
  expect(store.book.cleanUp()).toBe(store.book.saltEndsAt());
  await clock.advance(POPULARITY_SALT_LIFE_MS);
  expect(store.book.cleanUp()).toBe(clock.now() + POPULARITY_SALT_LIFE_MS);
  expect(store.book.describe()).toEqual({ queries: 1, listed: 1 });
  expect(store.book.saltEndsAt()).toBeNull();
  for (let day = 0; day < 5; day++) {
    await clock.advance(POPULARITY_SALT_LIFE_MS);
    store.book.cleanUp();
  }
  expect(store.book.cleanUp()).toBeNull();
  expect(store.dump()).toBe("[[],[],[]]");
});

test("a flood of queries that one caller asks is bounded, and drives out none that is listed", async () => {
  const { ask, store } = setUp();
  await ask(["weather"], THREE);
  for (let n = 0; n < 12; n++) await ask(numbered(`flood ${n}`, 500), ["attacker"], 50);
  const { queries, listed } = store.book.describe();
  expect(listed).toBe(1);
  expect(queries).toBeLessThanOrEqual(POPULARITY_WAITING_MAX_ROWS + 1);
  expect(queries).toBeGreaterThan(POPULARITY_WAITING_MAX_ROWS * 0.9);
});

test("of too many listed queries the least asked go first", async () => {
  const { ask, store, scores } = setUp();
  await ask(["most asked"], THREE, 500);
  await ask(numbered("seldom", 600), THREE, 3);
  await ask(numbered("often", 600), THREE, 30);
  const { listed } = store.book.describe();
  expect(listed).toBeLessThanOrEqual(POPULARITY_LISTED_MAX_ROWS);
  expect((await scores())[0]).toEqual(["most asked", 500]);
  const kept = (await store.top(POPULARITY_LISTED_MAX_ROWS)).filter(({ request }) => request.query.startsWith("often"));
  expect(kept).toHaveLength(600);
});

test("batches at once all count, the first time they come", async () => {
  const { store } = setUp();
  const batchOf = (n: number) => ({
    isolate: `isolate ${n}`,
    sequence: 1,
    entries: [
      {
        key: "k",
        request: JSON.stringify(searchRequest.parse({ query: "weather" })),
        count: 2,
        callers: [`caller ${n % 4}`],
      },
    ],
  });
  const batches = numbered("", 20).map((_, n) => batchOf(n));
  await Promise.all([...batches, ...batches].map((batch) => store.add(batch)));
  expect((await store.top(1))[0]?.score).toBeCloseTo(40);
});

test("a stored request that this version does not understand is passed over", async () => {
  const { store, ask } = setUp();
  const request = { query: "weather", gone: true } as unknown as SearchRequest;
  const entries = [{ key: "k", request: JSON.stringify(request), count: 9, callers: THREE }];
  await store.add({ isolate: "another", sequence: 1, entries });
  await ask(["good"], THREE);
  expect((await store.top(5)).map(({ key }) => key)).toEqual(["key of good"]);
});
