import { expect, test } from "vitest";
import { setRateLimitHeaders, wholeSeconds } from "../../../src/http/rate-limit-headers.ts";
import { SHARED_STATE_PAUSE_MS, SHARED_STATE_READ_TIMEOUT_MS } from "../../../src/storage/shared-state/limits.ts";
import { createResilientSharedState } from "../../../src/storage/shared-state/resilient.ts";
import type { Tier } from "../../../src/storage/shared-state/shared-state.ts";
import { createScene } from "./admission-scene.ts";

const BURST: Tier = { name: "burst", limit: 1_000, windowSeconds: 1 };
const MINUTE: Tier = { name: "minute", limit: 2, windowSeconds: 60 };
const CALLER = "key:a";
const WITHIN = { thereMs: 10, backMs: 10 };

test("what is asked alongside comes with the token, in one round trip", async () => {
  const { isolate } = createScene();
  const one = isolate();
  const { admitted, consulted } = await one.control.ask(CALLER, [BURST], { lookup: { key: "k" }, also: ["x"] });
  expect(admitted.admitted).toBe(true);
  expect(consulted).toMatchObject({ lookup: { value: "stored under k" }, also: [null] });
  expect(one.trips()).toBe(1);
});

test("when the shared limiter is down the isolate counts by itself, and says so", async () => {
  const { store, isolate } = createScene();
  const one = isolate();
  store.journey = () => ({ thereMs: 0, backMs: 0, lost: "there" });
  const answers = [];
  for (let i = 0; i < 3; i++) answers.push(await one.control.ask(CALLER, [MINUTE], { also: ["x"] }));
  expect(answers.map(({ admitted }) => admitted.admitted)).toEqual([true, true, false]);
  expect(answers.every(({ admitted, consulted }) => admitted.local && consulted === null)).toBe(true);
  store.journey = () => ({ thereMs: 0, backMs: 0 });
  expect((await one.request(CALLER, [MINUTE])).admitted).toMatchObject({ admitted: true, local: false });
});

test("tokens that are paid for are spent while the shared limiter is down", async () => {
  const { clock, store, isolate } = createScene();
  const one = isolate();
  for (let i = 0; i < 10; i++) {
    await one.request(CALLER, [BURST]);
    await clock.advance(0);
  }
  store.journey = () => ({ thereMs: 0, backMs: 0, lost: "there" });
  const sources = [];
  for (let i = 0; i < 30; i++) sources.push((await one.request(CALLER, [BURST])).admitted.local);
  const paid = store.asked.reduce((sum, { tokens }) => sum + tokens, 0) - 10;
  expect(sources).toEqual(Array.from({ length: 30 }, (_, i) => i >= paid));
});

test("a store that hangs holds up one request, is then left alone, and decides again when it answers", async () => {
  const { clock, store, isolate } = createScene();
  const one = isolate({
    wrap: (shared, logger, metrics) => createResilientSharedState(shared, { clock, logger, metrics }),
  });
  store.journey = () => ({ thereMs: 1e9, backMs: 0 });
  const first = one.request(CALLER, [MINUTE]);
  await clock.advance(SHARED_STATE_READ_TIMEOUT_MS);
  expect((await first).admitted).toMatchObject({ admitted: true, local: true });
  expect((await one.request(CALLER, [MINUTE])).admitted).toMatchObject({ admitted: true, local: true });
  expect((await one.request(CALLER, [MINUTE])).admitted).toMatchObject({ admitted: false, local: true });
  expect(one.trips()).toBe(1);
  store.journey = () => ({ thereMs: 0, backMs: 0 });
  await clock.advance(SHARED_STATE_PAUSE_MS);
  expect((await one.request(CALLER, [MINUTE])).admitted).toMatchObject({ admitted: true, local: false });
});

test("a fault that is none of the store's is not taken for one", async () => {
  const { store, isolate } = createScene();
  const one = isolate();
  store.journey = () => {
    throw new TypeError("a bug");
  };
  await expect(one.control.ask(CALLER, [BURST])).rejects.toThrow("a bug");
});

test("of many requests at once the first asks, and the next purchase is made for all the others", async () => {
  const { clock, store, isolate } = createScene();
  store.journey = () => WITHIN;
  const one = isolate();
  const all = Promise.all(Array.from({ length: 50 }, () => one.request(CALLER, [BURST])));
  await clock.advance(50);
  expect((await all).every(({ admitted }) => admitted.admitted)).toBe(true);
  expect(store.asked.map(({ tokens }) => tokens).slice(0, 2)).toEqual([1, 49]);
  expect(store.asked.length).toBeLessThanOrEqual(3);
});

test("of many requests at once no more are admitted than the limit, and nobody waits for long", async () => {
  const { clock, store, isolate } = createScene();
  store.journey = () => WITHIN;
  const one = isolate();
  const tiers = [{ ...BURST, limit: 20 }];
  const all = Promise.all(Array.from({ length: 50 }, () => one.request(CALLER, tiers)));
  await clock.advance(200);
  expect((await all).filter(({ admitted }) => admitted.admitted)).toHaveLength(20);
  expect(store.asked.length).toBeLessThan(5);
});

test("requests with something to look up do not wait for one another", async () => {
  const { clock, store, isolate } = createScene();
  store.journey = () => WITHIN;
  const one = isolate();
  const all = Promise.all(Array.from({ length: 5 }, () => one.request(CALLER, [BURST], { lookup: { key: "k" } })));
  await clock.advance(20);
  expect((await all).every(({ consulted }) => consulted?.lookup !== null)).toBe(true);
  expect(store.asked.map(({ tokens }) => tokens)).toEqual([1, 1, 1, 1, 1]);
});

test("a purchase that is lost with its request holds nobody up for longer than the shared state may take", async () => {
  const { clock, store, isolate } = createScene();
  const one = isolate();
  store.journey = () => ({ thereMs: 1e9, backMs: 0 });
  void one.request(CALLER, [BURST]);
  store.journey = () => ({ thereMs: 0, backMs: 0 });
  const follower = one.request(CALLER, [BURST]);
  await clock.advance(349);
  expect(store.asked).toHaveLength(0);
  await clock.advance(1);
  expect((await follower).admitted.admitted).toBe(true);
});

test("followers of a purchase that fails are decided by the isolate's own limiter", async () => {
  const { clock, store, isolate } = createScene();
  const one = isolate();
  store.journey = () => ({ thereMs: 300, backMs: 0, lost: "there" });
  const all = Promise.all(Array.from({ length: 3 }, () => one.request(CALLER, [MINUTE])));
  store.journey = () => ({ thereMs: 0, backMs: 0, lost: "there" });
  await clock.advance(300);
  const answers = await all;
  expect(answers.map(({ admitted }) => admitted.local)).toEqual([true, true, true]);
  expect(answers.filter(({ admitted }) => admitted.admitted)).toHaveLength(2);
});

test("every decision is counted by its outcome and where it was made", async () => {
  const { store, isolate } = createScene();
  const one = isolate();
  const tiers = [{ ...BURST, limit: 1 }];
  for (let i = 0; i < 4; i++) await one.request(CALLER, tiers);
  store.journey = () => ({ thereMs: 0, backMs: 0, lost: "there" });
  await one.request("key:b", tiers);
  expect(Object.fromEntries(one.counts)).toEqual({
    "orchestrix_admissions_total admitted shared": 1,
    "orchestrix_admissions_total refused shared": 1,
    "orchestrix_admissions_total refused memory": 2,
    "orchestrix_admissions_total admitted local": 1,
  });
});

test("the headers name each tier, what is left of it and the whole seconds until it is full", () => {
  const tiers = [
    { ...BURST, remaining: 999, resetMs: 1 },
    { name: "hour", limit: 3_000, windowSeconds: 3_600, remaining: 0, resetMs: 1_001 },
  ];
  const headers = new Headers();
  setRateLimitHeaders(headers, { admitted: true, violated: [], tiers });
  expect(Object.fromEntries(headers)).toEqual({
    "ratelimit-policy": '"burst";q=1000;w=1, "hour";q=3000;w=3600',
    ratelimit: '"burst";r=999;t=1, "hour";r=0;t=2',
  });
  const others = tiers.map((tier) => ({ ...tier, limit: 7 }));
  setRateLimitHeaders(headers, { admitted: true, violated: [], tiers: others });
  expect(headers.get("RateLimit-Policy")).toBe('"burst";q=7;w=1, "hour";q=7;w=3600');
  expect([0, 1, 1_000, 1_001].map(wholeSeconds)).toEqual([1, 1, 1, 2]);
});
