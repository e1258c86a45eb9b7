import { expect, test } from "vitest";
import type { Tier } from "../../../src/storage/shared-state/shared-state.ts";
import { createScene } from "./admission-scene.ts";

const BURST: Tier = { name: "burst", limit: 1_000, windowSeconds: 1 };
const MINUTE: Tier = { name: "minute", limit: 50_000, windowSeconds: 60 };
const HOUR: Tier = { name: "hour", limit: 500_000, windowSeconds: 3_600 };
const TIERS = [BURST, MINUTE, HOUR];
const CALLER = "key:a";

test("a cold caller pays one round trip a request and takes exactly one token", async () => {
  const { clock, store, isolate } = createScene();
  const one = isolate();
  for (let i = 0; i < 5; i++) {
    expect((await one.request(CALLER, TIERS)).admitted).toMatchObject({ admitted: true, local: false });
    await clock.advance(5_000);
  }
  expect(store.asked.map(({ tokens }) => tokens)).toEqual([1, 1, 1, 1, 1]);
  expect(one.trips()).toBe(5);
});

test("leases grow with use, up to a tenth of the smallest tier", async () => {
  const { clock, store, isolate } = createScene();
  const one = isolate();
  for (let i = 0; i < 450; i++) {
    await one.request(CALLER, TIERS);
    await clock.advance(0);
  }
  expect(store.asked.map(({ tokens }) => tokens).slice(0, 9)).toEqual([1, 2, 4, 8, 16, 32, 64, 100, 100]);
});

test("a hot caller costs far less than a tenth of a round trip a request, and waits for next to none", async () => {
  const { clock, store, isolate } = createScene();
  store.journey = () => ({ thereMs: 2, backMs: 2 });
  const one = isolate();
  const requests: Promise<{ readonly fromMemory: boolean }>[] = [];
  let asked = 0;
  for (let ms = 0; ms < 5_000; ms++) {
    if (one.control.decide(CALLER, TIERS) === null) {
      asked++;
      requests.push(one.request(CALLER, TIERS));
    }
    await clock.advance(1);
  }
  await clock.advance(100);
  await Promise.all(requests);
  expect(one.trips() / 5_000).toBeLessThan(0.03);
  expect(asked / 5_000).toBeLessThan(0.02);
});

test("a caller of medium pace finds the next window's lease bought when it begins", async () => {
  const { clock, isolate } = createScene();
  const one = isolate();
  const asked: number[] = [];
  for (let i = 0; i < 160; i++) {
    if (one.control.decide(CALLER, TIERS) === null) {
      asked.push(i);
      await one.control.ask(CALLER, TIERS);
    }
    await clock.advance(25);
  }
  expect(asked.filter((i) => i > 40)).toEqual([]);
});

test("what a window leaves over is given back to the tiers whose windows go on", async () => {
  const { clock, store, isolate } = createScene();
  const one = isolate();
  for (let i = 0; i < 7; i++) {
    await one.request(CALLER, TIERS);
    await clock.advance(1);
  }
  const bought = store.asked.reduce((sum, { tokens }) => sum + tokens, 0);
  expect(bought).toBeGreaterThan(7);
  await clock.advance(2_000);
  expect(store.returned).toEqual([{ subject: CALLER, tiers: ["minute", "hour"], tokens: bought - 7 }]);
  const later = await one.request(CALLER, TIERS);
  expect(later.admitted.tiers.map(({ remaining }) => remaining)).toEqual([999, 50_000 - 8, 500_000 - 8]);
});

test("nothing is given back to a window that may be over when it arrives", async () => {
  const { clock, store, isolate } = createScene();
  const one = isolate();
  await one.request(CALLER, TIERS);
  await clock.advance(58_500);
  for (let i = 0; i < 5; i++) await one.request(CALLER, TIERS);
  await clock.advance(1_000);
  expect(store.returned.map(({ tiers }) => tiers)).toEqual([["hour"]]);
});

test("after a pause leases begin small again", async () => {
  const { clock, store, isolate } = createScene();
  const one = isolate();
  for (let i = 0; i < 40; i++) {
    await one.request(CALLER, TIERS);
    await clock.advance(0);
  }
  await clock.advance(10_000);
  store.asked.length = 0;
  await one.request(CALLER, TIERS);
  expect(store.asked.map(({ tokens }) => tokens)).toEqual([1]);
});

test("tokens of a window that ended are not spent, however many are left", async () => {
  const { clock, isolate } = createScene();
  const one = isolate();
  for (let i = 0; i < 4; i++) await one.request(CALLER, TIERS);
  expect(one.control.decide(CALLER, TIERS)).not.toBeNull();
  await clock.advance(990);
  expect(one.control.decide(CALLER, TIERS)).not.toBeNull();
  await clock.advance(7);
  expect(one.control.decide(CALLER, TIERS)).toBeNull();
});

test("a refused caller is refused from memory from the second time on, until the tier is full again", async () => {
  const { clock, store, isolate } = createScene();
  const tiers = [BURST, { ...MINUTE, limit: 3 }];
  const one = isolate();
  const admitted = [];
  for (let i = 0; i < 4; i++) admitted.push((await one.request(CALLER, tiers)).admitted.admitted);
  expect(admitted).toEqual([true, true, true, false]);
  const asked = store.asked.length;
  await clock.advance(20_400);
  const refused = await one.request(CALLER, tiers);
  expect(refused.fromMemory).toBe(true);
  expect(refused.admitted).toMatchObject({
    admitted: false,
    violated: ["minute"],
    tiers: [
      { name: "burst", remaining: 1_000, resetMs: 1 },
      { name: "minute", limit: 3, windowSeconds: 60, remaining: 0, resetMs: 39_600 },
    ],
  });
  await clock.advance(39_599);
  expect((await one.request(CALLER, tiers)).admitted.admitted).toBe(false);
  expect(store.asked.length).toBe(asked);
  await clock.advance(1);
  expect((await one.request(CALLER, tiers)).admitted.admitted).toBe(true);
});

test("one caller's refusal is not another's", async () => {
  const { isolate } = createScene();
  const one = isolate();
  const tiers = [{ ...BURST, limit: 1 }];
  for (const subject of ["key:a", "key:a", "__proto__", "constructor"]) await one.request(subject, tiers);
  expect(one.control.decide("key:a", tiers)?.admitted).toBe(false);
  expect(one.control.decide("key:b", tiers)).toBeNull();
  expect((await one.request("toString", tiers)).admitted.admitted).toBe(true);
});

test("where a whole lease is refused the last tokens still reach the caller", async () => {
  const { clock, store, isolate } = createScene();
  const [one, other] = [isolate(), isolate()];
  const tiers = [{ ...BURST, limit: 100 }];
  let admitted = 0;
  const count = ({ admitted: answer }: { readonly admitted: { readonly admitted: boolean } }) => {
    if (answer.admitted) admitted++;
  };
  for (let i = 0; i < 30; i++) {
    count(await one.request(CALLER, tiers));
    await clock.advance(0);
  }
  // The other takes nearly all behind its back.
  while (store.asked.reduce((sum, { tokens }) => sum + tokens, 0) < 97) count(await other.request(CALLER, tiers));
  for (let i = 0; i < 60; i++) {
    count(await one.request(CALLER, tiers));
    count(await other.request(CALLER, tiers));
  }
  expect(store.asked.some(({ tokens, admitted }) => tokens > 1 && !admitted)).toBe(true);
  expect(admitted).toBe(100);
});

test("a limit that was changed counts at once, and voids what was bought under the old one", async () => {
  const { clock, store, isolate } = createScene();
  const one = isolate();
  for (let i = 0; i < 20; i++) await one.request(CALLER, TIERS);
  const lowered = [{ ...BURST, limit: 5 }, MINUTE, HOUR];
  expect(one.control.decide(CALLER, lowered)).toBeNull();
  const answered = await one.request(CALLER, lowered);
  expect(answered.admitted).toMatchObject({ admitted: false, violated: ["burst"] });
  await clock.advance(3_000);
  expect(store.returned).toEqual([]);
  expect((await one.request(CALLER, lowered)).admitted.tiers[0]).toMatchObject({ limit: 5, remaining: 4 });
});

test("an isolate forgets the callers that it has not heard of for longest, and gives their tokens back", async () => {
  const { clock, store, isolate } = createScene();
  const one = isolate();
  for (let i = 0; i < 10; i++) {
    await one.request("key:old", TIERS);
    await clock.advance(0);
  }
  const left = store.asked.reduce((sum, { tokens }) => sum + tokens, 0) - 10;
  for (let i = 0; i < 10_000; i++) await one.request(`address:${i}`, TIERS);
  expect(one.control.decide("key:old", TIERS)).toBeNull();
  await clock.advance(0);
  expect(store.returned).toEqual([{ subject: "key:old", tiers: ["minute", "hour"], tokens: left }]);
});

test("the caller is told what is left for all and in its leases together", async () => {
  const { clock, isolate } = createScene();
  const one = isolate();
  const remaining: (number | undefined)[] = [];
  for (let i = 0; i < 50; i++) {
    const { admitted } = await one.request(CALLER, TIERS);
    remaining.push(admitted.tiers[1]?.remaining);
    await clock.advance(1);
  }
  expect(remaining).toEqual(Array.from({ length: 50 }, (_, i) => 50_000 - 1 - i));
});
