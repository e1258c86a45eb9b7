import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import {
  createSearchHarness,
  type HarnessOptions,
  requestOf,
  type SearchHarness,
} from "../../support/providers/harness.ts";
import { createSearchHttp, type HttpReply } from "../../support/providers/http.ts";
import { startJina } from "../../support/providers/jina.ts";
import { createMemoryCache, type MemoryCache } from "../../support/providers/memory-cache.ts";
import type { StandIn } from "../../support/providers/stand-in.ts";
import { startTavily } from "../../support/providers/tavily.ts";
import { startTurnstile } from "../../support/providers/turnstile.ts";

/** What saves asking: one flight for all, ages, refreshing behind answers, older answers in an emergency. */

let tavily: StandIn;
let jina: StandIn;

beforeAll(async () => {
  tavily = await startTavily();
  jina = await startJina();
});

afterAll(async () => {
  await Promise.all([tavily.close(), jina.close()]);
});

afterEach(() => {
  tavily.always("ok");
  jina.always("ok");
});

const QUERY = "how do tides work";
const SECOND_MS = 1_000;
/** SEARCH_DEADLINE_MS where nothing is said. */
const DEADLINE_MS = 8_000;
/** Behind the defaults: fresh for an hour, stale for six more, of use in an emergency for a week. */
const STALE_MS = 3_601 * SECOND_MS;
const EXPIRED_MS = (3_600 + 21_601) * SECOND_MS;

interface Scene {
  readonly clock: FakeClock;
  readonly shared: MemoryCache;
  readonly one: SearchHarness;
  isolate(options?: HarnessOptions): SearchHarness;
}

function setUp(): Scene {
  const clock = createFakeClock();
  const shared = createMemoryCache(clock);
  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const isolate = (options: HarnessOptions = {}) =>
    createSearchHarness({ tavily: tavily.url, jina: jina.url, clock, cache: shared, random, ...options });
  return { clock, shared, one: isolate(), isolate };
}

const ask = (harness: SearchHarness, body: object = {}): Promise<HttpReply> =>
  createSearchHttp(harness.service).post("/search", { query: QUERY, ...body });

async function callsDuring(work: () => Promise<unknown>): Promise<number> {
  const before = tavily.calls.length;
  await work();
  return tavily.calls.length - before;
}

/** Lets time pass, as fast as it does, until the work is done: followers look again and again, and providers are real. */
async function whileTimePasses<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let done = false;
  void work.finally(() => {
    done = true;
  });
  while (!done) {
    await sleep(10);
    await clock.advance(10);
  }
  return work;
}

describe("many who ask the same at once", () => {
  test("are answered by one question to a provider, in one isolate", async () => {
    const { one } = setUp();
    const replies: HttpReply[] = [];
    const calls = await callsDuring(async () => {
      replies.push(...(await Promise.all(Array.from({ length: 100 }, () => ask(one)))));
    });
    expect(calls).toBe(1);
    const statuses = replies.map(({ body }) => body.cache.status);
    expect([statuses.filter((s) => s === "miss").length, statuses.filter((s) => s === "coalesced").length]).toEqual([
      1, 99,
    ]);
    expect(new Set(replies.map(({ body }) => JSON.stringify(body.results))).size).toBe(1);
    expect(replies[99]?.headers.get("cache-status")).toBe("orchestrix-l1; fwd=uri-miss; collapsed");
  });

  test("and over isolates that share a store", async () => {
    const { clock, one, isolate } = setUp();
    const isolates = [one, isolate(), isolate()];
    let replies: HttpReply[] = [];
    const calls = await callsDuring(async () => {
      const asked = Promise.all(isolates.flatMap((each) => Array.from({ length: 20 }, () => ask(each))));
      // The one that leads writes after its answer has left: only then the others find it.
      const kept = Promise.all(isolates.map((each) => whenIdle(each)));
      replies = await whileTimePasses(clock, asked);
      await kept;
    });
    expect(calls).toBe(1);
    expect(replies.every(({ status, body }) => status === 200 && body.results.length === 5)).toBe(true);
  });

  test("get the failure together when there is nobody to answer, and the next one asks anew", async () => {
    const { one } = setUp();
    tavily.always(400);
    jina.always(400);
    const calls = await callsDuring(async () => {
      const replies = await Promise.all(Array.from({ length: 10 }, () => ask(one)));
      expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 503));
    });
    expect(calls).toBe(1);
    await one.settle();
    tavily.always("ok");
    expect((await ask(one)).body).toMatchObject({ provider: "tavily", cache: { status: "miss" } });
  });

  test("do not wait for one that hangs longer than half the deadline", async () => {
    const { clock, shared, isolate } = setUp();
    const [one, other] = [isolate({ env: { PROVIDER_TIMEOUT_MS: `${DEADLINE_MS}` } }), isolate()];
    let reply: HttpReply | undefined;
    const calls = await callsDuring(async () => {
      const before = tavily.calls.length;
      tavily.script("hang");
      void ask(one).catch(() => {});
      await vi.waitFor(() => expect(tavily.calls.length).toBe(before + 1));
      const looks = shared.reads.length;
      const follower = ask(other);
      await vi.waitFor(() => expect(shared.reads.slice(0, looks)).toContain(shared.reads[looks]));
      const startedAt = clock.now();
      while (clock.now() - startedAt < DEADLINE_MS / 2 + 500) await clock.advance(20);
      // From here on no time passes but a provider's own: one that still waited would wait for ever.
      reply = await follower;
    });
    expect(reply?.body).toMatchObject({ provider: "tavily", results: expect.any(Array) });
    expect(calls).toBe(2);
  });
});

describe("an answer that has grown old", () => {
  test("is given at once while one new one is fetched behind it", async () => {
    const { clock, one } = setUp();
    await ask(one);
    await one.settle();
    await clock.advance(STALE_MS);
    let reply: HttpReply | undefined;
    const calls = await callsDuring(async () => {
      reply = await ask(one);
      await Promise.all(Array.from({ length: 20 }, () => ask(one)));
      await one.settle();
    });
    expect(reply?.body.cache).toEqual({ status: "stale", ageSeconds: 3_601 });
    expect(reply?.headers.get("age")).toBe("3601");
    expect(reply?.headers.get("cache-status")).toMatch(/^orchestrix-l1; hit; ttl=-\d+; detail=SWR$/);
    expect(reply?.headers.get("cache-control")).toBe("no-store");
    expect(calls).toBe(1);
    expect((await ask(one)).body.cache).toEqual({ status: "l1", ageSeconds: 0 });
  });

  test("is refreshed by one of several isolates", async () => {
    const { clock, one, isolate } = setUp();
    await ask(one);
    await one.settle();
    await clock.advance(STALE_MS);
    await using turnstile = await startTurnstile(tavily.url);
    turnstile.hold();
    const isolates = Array.from({ length: 4 }, () => isolate({ tavily: turnstile.url }));
    const calls = await callsDuring(async () => {
      const replies = await Promise.all(isolates.map((each) => ask(each)));
      expect(replies.map(({ body }) => body.cache.status)).toEqual(["stale", "stale", "stale", "stale"]);
      turnstile.letGo();
      for (const each of isolates) await each.settle();
    });
    expect(calls).toBe(1);
    expect((await ask(isolate())).body.cache.status).toBe("l2");
  });

  test("is left alone for a while when refreshing failed", async () => {
    const { clock, one } = setUp();
    await ask(one);
    await one.settle();
    await clock.advance(STALE_MS);
    tavily.always(400);
    jina.always(400);
    const calls = await callsDuring(async () => {
      for (let n = 0; n < 5; n++) {
        expect((await ask(one)).body.cache.status).toBe("stale");
        await one.settle();
      }
    });
    expect(calls).toBe(1);
  });

  test("that is older still answers only when every provider fails", async () => {
    const { clock, one } = setUp();
    await ask(one);
    await one.settle();
    await clock.advance(EXPIRED_MS);
    tavily.always(500);
    jina.always(400);
    const asked = whileTimePasses(clock, ask(one));
    const { body, headers } = await asked;
    expect(body).toMatchObject({ provider: "tavily", degraded: false, cache: { status: "stale", ageSeconds: 25_201 } });
    expect(body.attempts.map(({ provider, outcome }) => `${provider} ${outcome}`)).toContain("jina failed");
    expect(headers.get("cache-status")).toMatch(/ttl=-\d+; detail=SIE$/);
    await one.settle();
    tavily.always("ok");
    const fresh = await whileTimePasses(clock, ask(one));
    expect(fresh.body.cache.status).toBe("miss");
  });

  test("serves another isolate in its emergency as well", async () => {
    const { clock, one, isolate } = setUp();
    await ask(one);
    await one.settle();
    await clock.advance(EXPIRED_MS);
    tavily.always(400);
    jina.always(400);
    const { body, headers } = await ask(isolate());
    expect(body.cache.status).toBe("stale");
    expect(headers.get("cache-status")).toContain("detail=SIE");
  });

  test("answers a request for the caches alone, and asks nobody", async () => {
    const { clock, one, isolate } = setUp();
    await ask(one);
    await one.settle();
    await clock.advance(STALE_MS);
    const calls = await callsDuring(async () => {
      expect((await ask(one, { cache: "only" })).body.cache.status).toBe("stale");
      expect((await ask(isolate(), { cache: "only" })).body.cache.status).toBe("stale");
      await clock.advance(EXPIRED_MS - STALE_MS);
      expect((await ask(one, { cache: "only" })).status).toBe(404);
      await one.settle();
    });
    expect(calls).toBe(0);
  });
});

describe("a shared store that is away", () => {
  test.each(["down", "hung"] as const)(
    "%s: searches go on, and cost the store no more after the first",
    async (state) => {
      const { clock, shared, one } = setUp();
      shared.state = state;
      const first = await whileTimePasses(clock, ask(one));
      expect(first.body.cache.status).toBe("miss");
      const second = await whileTimePasses(clock, ask(one, { query: "another question" }));
      expect(second.body).toMatchObject({ provider: "tavily", cache: { status: "miss" } });
      expect(one.logged.filter((event) => event === "shared_state_unavailable")).toHaveLength(1);
      shared.state = "up";
      await clock.advance(6_000);
      await whileTimePasses(clock, ask(one, { query: "a third question" }));
      await one.settle();
      expect(one.logged).toContain("shared_state_available");
      expect(shared.entries.size).toBeGreaterThan(0);
    },
  );
});

describe("what operators do", () => {
  test("a purge holds in this isolate at once, and elsewhere within ten seconds", async () => {
    const { clock, one, isolate } = setUp();
    const other = isolate();
    await ask(one);
    await one.settle();
    await ask(other);
    const admin = createSearchHttp(one.service, { kind: "admin", id: "admin" });
    expect((await admin.delete("/search/cache")).status).toBe(200);
    expect((await ask(one)).body.cache.status).toBe("miss");
    expect((await ask(other)).body.cache.status).toBe("l1");
    await other.settle();
    await clock.advance(10_001);
    await ask(other);
    await other.settle();
    expect((await ask(other)).body.cache.status).not.toBe("l1");
  });

  test("the statistics are for admin, and tell what memory holds", async () => {
    const { one } = setUp();
    await ask(one);
    const { body } = await createSearchHttp(one.service, { kind: "admin", id: "admin" }).get("/search/cache");
    expect(body).toMatchObject({ l1: { entries: 1, bytes: expect.any(Number), evictions: 0, oldestSeconds: 0 } });
    expect((await createSearchHttp(one.service).get("/search/cache")).status).toBe(403);
  });
});

test("the warmer keeps the fixed list fresh", async () => {
  const { clock, isolate } = setUp();
  const one = isolate({ env: { WARM_QUERIES: `${QUERY}\nanother question` } });
  expect(await one.warmCache({ thorough: false })).toMatchObject({ fixed: 2, refreshed: 2 });
  await one.settle();
  expect(await one.warmCache({ thorough: false })).toMatchObject({ fresh: 2, refreshed: 0 });
  await clock.advance(3_500 * SECOND_MS);
  expect(await one.warmCache({ thorough: false })).toMatchObject({ refreshed: 2 });
  await one.settle();
  expect((await ask(isolate())).body.cache.status).toBe("l2");
  expect((await one.service.ageOf(requestOf(QUERY)))?.freshForMs).toBeGreaterThan(3_000 * SECOND_MS);
});

async function whenIdle(harness: SearchHarness): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50));
  await harness.settle();
}
