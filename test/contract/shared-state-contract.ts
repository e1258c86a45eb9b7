import { describe, expect, test } from "vitest";
import type { SharedState, Tier } from "../../src/storage/shared-state/shared-state.ts";

export interface SharedStateUnderTest {
  readonly store: SharedState;
  /** Lets this much of the store's time pass. */
  passTime(ms: number): Promise<void>;
}

export type MakeSharedState = () => SharedStateUnderTest | Promise<SharedStateUnderTest>;

const PARALLEL = 100;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const LONG_CHARS = 300_000;

const BURST: Tier = { name: "burst", limit: 3, windowSeconds: 1 };
const MINUTE: Tier = { name: "minute", limit: 5, windowSeconds: 60 };
const HOUR: Tier = { name: "hour", limit: 100, windowSeconds: 3_600 };

const ODD_NAMES = ["a b", "a:b", "é\u{1f600}", "__proto__", "a\0b", "*", "a/../b", "x".repeat(2_000), ""];

/** What every adapter of the shared-state port must do. `makeStore` is called in each test, and may give the same store. */
export function describeSharedState(name: string, makeStore: MakeSharedState): void {
  describe(`shared state on ${name}`, () => {
    describeAdmission(makeStore);
    describeCache(makeStore);
    describeLeases(makeStore);
    describeCounters(makeStore);

    test("ping answers", async () => {
      const { store } = await makeStore();
      await expect(store.ping()).resolves.toBeUndefined();
    });
  });
}

function fresh(what: string): string {
  return `${what}-${crypto.randomUUID()}`;
}

function describeAdmission(makeStore: MakeSharedState): void {
  test("a bucket starts full and counts down", async () => {
    const { store } = await makeStore();
    const subject = fresh("subject");
    const first = await store.admit(subject, [MINUTE]);
    expect(first).toMatchObject({ admitted: true, violated: [], tiers: [{ ...MINUTE, remaining: 4 }] });
    const second = await store.admit(subject, [MINUTE]);
    expect(second.tiers[0]?.remaining).toBe(3);
    expect(second.tiers[0]?.resetSeconds).toBeGreaterThan(MINUTE.windowSeconds - 5);
    expect(second.tiers[0]?.resetSeconds).toBeLessThanOrEqual(MINUTE.windowSeconds);
  });

  test("an empty bucket refuses until its window has passed, and is then full", async () => {
    const { store, passTime } = await makeStore();
    const subject = fresh("subject");
    for (let n = 0; n < BURST.limit; n++) expect((await store.admit(subject, [BURST])).admitted).toBe(true);
    const refused = await store.admit(subject, [BURST]);
    expect(refused).toMatchObject({ admitted: false, violated: ["burst"], tiers: [{ remaining: 0, resetSeconds: 1 }] });
    await passTime(SECOND_MS);
    expect(await store.admit(subject, [BURST])).toMatchObject({ admitted: true, tiers: [{ remaining: 2 }] });
  });

  test("tiers come in the order asked, and each that refuses is named", async () => {
    const { store } = await makeStore();
    const subject = fresh("subject");
    const tight = { ...MINUTE, name: "tight", limit: 1 };
    const tighter = { ...HOUR, name: "tighter", limit: 1 };
    await store.admit(subject, [tight, HOUR, tighter]);
    const refused = await store.admit(subject, [tight, HOUR, tighter]);
    expect(refused.violated).toEqual(["tight", "tighter"]);
    expect(refused.tiers.map((tier) => tier.name)).toEqual(["tight", "hour", "tighter"]);
  });

  test("what one tier refuses costs the others nothing", async () => {
    const { store, passTime } = await makeStore();
    const subject = fresh("subject");
    for (let n = 0; n < 10; n++) await store.admit(subject, [BURST, MINUTE, HOUR]);
    const refused = await store.admit(subject, [BURST, MINUTE, HOUR]);
    expect(refused.tiers.map((tier) => tier.remaining)).toEqual([0, 2, 97]);
    await passTime(SECOND_MS);
    const again = await store.admit(subject, [BURST, MINUTE, HOUR]);
    expect(again.tiers.map((tier) => tier.remaining)).toEqual([2, 1, 96]);
  });

  test("several tokens are taken together or not at all", async () => {
    const { store } = await makeStore();
    const subject = fresh("subject");
    expect(await store.admit(subject, [MINUTE], 4)).toMatchObject({ admitted: true, tiers: [{ remaining: 1 }] });
    expect(await store.admit(subject, [MINUTE], 2)).toMatchObject({ admitted: false, tiers: [{ remaining: 1 }] });
    expect(await store.admit(subject, [MINUTE], 1)).toMatchObject({ admitted: true, tiers: [{ remaining: 0 }] });
  });

  test("more tokens than the limit are never admitted", async () => {
    const { store } = await makeStore();
    const subject = fresh("subject");
    expect((await store.admit(subject, [MINUTE], MINUTE.limit + 1)).admitted).toBe(false);
    expect((await store.admit(subject, [MINUTE], MINUTE.limit)).admitted).toBe(true);
  });

  test.each([0, -1, 0.5, Number.NaN])("%d tokens are refused as a mistake", async (tokens) => {
    const { store } = await makeStore();
    await expect(store.admit(fresh("subject"), [MINUTE], tokens)).rejects.toThrow(TypeError);
  });

  test("of many callers at once, as many as the limit are admitted", async () => {
    const { store } = await makeStore();
    const subject = fresh("subject");
    const tier = { ...HOUR, limit: 30 };
    const admissions = await Promise.all(Array.from({ length: PARALLEL }, () => store.admit(subject, [tier, HOUR])));
    expect(admissions.filter((admission) => admission.admitted)).toHaveLength(30);
  });

  test("subjects do not share buckets, whatever they are called", async () => {
    const { store } = await makeStore();
    const prefix = fresh("subject");
    const once = { ...MINUTE, limit: 1 };
    for (const name of ODD_NAMES) expect((await store.admit(prefix + name, [once])).admitted).toBe(true);
    for (const name of ODD_NAMES) expect((await store.admit(prefix + name, [once])).admitted).toBe(false);
  });
}

function describeCache(makeStore: MakeSharedState): void {
  test("the cache gives back what was set, until it is deleted", async () => {
    const { store } = await makeStore();
    const key = fresh("key");
    expect(await store.cacheGet(key)).toBeNull();
    await store.cacheSet(key, "one", MINUTE_MS);
    await store.cacheSet(key, "two", MINUTE_MS);
    expect(await store.cacheGet(key)).toBe("two");
    await store.cacheDelete(key);
    expect(await store.cacheGet(key)).toBeNull();
    await store.cacheDelete(key);
  });

  test("a cached value ends with its lifetime, and a new one begins anew", async () => {
    const { store, passTime } = await makeStore();
    const key = fresh("key");
    await store.cacheSet(key, "old", SECOND_MS);
    await passTime(SECOND_MS + 1);
    expect(await store.cacheGet(key)).toBeNull();
    await store.cacheSet(key, "new", MINUTE_MS);
    expect(await store.cacheGet(key)).toBe("new");
  });

  test("cached text comes back unchanged, whatever it is", async () => {
    const { store } = await makeStore();
    const key = fresh("key");
    for (const value of [
      "",
      " ",
      "null",
      "OK",
      "a\0b",
      "é\u{1f600}\u2028",
      '{"a":"\\u0000"}',
      "é".repeat(LONG_CHARS),
    ]) {
      await store.cacheSet(key, value, MINUTE_MS);
      expect(await store.cacheGet(key)).toBe(value);
    }
  });

  test("keys do not meet, whatever they are called", async () => {
    const { store } = await makeStore();
    const prefix = fresh("key");
    for (const name of ODD_NAMES) await store.cacheSet(prefix + name, name, MINUTE_MS);
    for (const name of ODD_NAMES) expect(await store.cacheGet(prefix + name)).toBe(name);
  });
}

function describeLeases(makeStore: MakeSharedState): void {
  test("a lease has one holder", async () => {
    const { store } = await makeStore();
    const name = fresh("lease");
    const held = await store.acquireLease(name, MINUTE_MS);
    expect(held).toMatchObject({ name, token: expect.stringMatching(/.{16}/), expiresAtMs: expect.any(Number) });
    expect(await store.acquireLease(name, MINUTE_MS)).toBeNull();
    expect(await store.acquireLease(fresh("lease"), MINUTE_MS)).not.toBeNull();
  });

  test("a released lease is free", async () => {
    const { store } = await makeStore();
    const name = fresh("lease");
    const held = await store.acquireLease(name, MINUTE_MS);
    if (held === null) throw new Error("not acquired");
    expect(await store.releaseLease(held)).toBe(true);
    expect(await store.releaseLease(held)).toBe(false);
    const next = await store.acquireLease(name, MINUTE_MS);
    expect(next?.token).not.toBe(held.token);
  });

  test("a lease that ran out is free, and its holder has lost it", async () => {
    const { store, passTime } = await makeStore();
    const name = fresh("lease");
    const lost = await store.acquireLease(name, SECOND_MS);
    if (lost === null) throw new Error("not acquired");
    await passTime(SECOND_MS + 1);
    expect(await store.renewLease(lost, MINUTE_MS)).toBeNull();
    expect(await store.releaseLease(lost)).toBe(false);
    const next = await store.acquireLease(name, MINUTE_MS);
    expect(next).not.toBeNull();
    expect(await store.renewLease(lost, MINUTE_MS)).toBeNull();
    expect(await store.releaseLease(lost)).toBe(false);
    expect(await store.acquireLease(name, MINUTE_MS)).toBeNull();
  });

  test("a renewed lease lasts from the renewal on", async () => {
    const { store, passTime } = await makeStore();
    const name = fresh("lease");
    const held = await store.acquireLease(name, SECOND_MS);
    if (held === null) throw new Error("not acquired");
    const renewed = await store.renewLease(held, MINUTE_MS);
    expect(renewed).toMatchObject({ name, token: held.token });
    expect(renewed?.expiresAtMs).toBeGreaterThan(held.expiresAtMs);
    await passTime(2 * SECOND_MS);
    expect(await store.acquireLease(name, MINUTE_MS)).toBeNull();
  });

  test("another's token neither renews nor releases", async () => {
    const { store } = await makeStore();
    const name = fresh("lease");
    const held = await store.acquireLease(name, MINUTE_MS);
    if (held === null) throw new Error("not acquired");
    expect(await store.renewLease({ ...held, token: "another" }, MINUTE_MS)).toBeNull();
    expect(await store.releaseLease({ ...held, token: "another" })).toBe(false);
    expect(await store.releaseLease(held)).toBe(true);
  });

  test("of many callers at once, one gets the lease", async () => {
    const { store } = await makeStore();
    const name = fresh("lease");
    const leases = await Promise.all(Array.from({ length: PARALLEL }, () => store.acquireLease(name, MINUTE_MS)));
    expect(leases.filter((lease) => lease !== null)).toHaveLength(1);
  });
}

function describeCounters(makeStore: MakeSharedState): void {
  test("a counter adds up", async () => {
    const { store } = await makeStore();
    const name = fresh("counter");
    expect(await store.readCounter(name)).toBe(0);
    expect(await store.increment(name, 1, MINUTE_MS)).toBe(1);
    expect(await store.increment(name, 41, MINUTE_MS)).toBe(42);
    expect(await store.increment(name, -2, MINUTE_MS)).toBe(40);
    expect(await store.readCounter(name)).toBe(40);
    expect(await store.readCounter(fresh("counter"))).toBe(0);
  });

  test("a counter's lifetime runs from its first increment", async () => {
    const { store, passTime } = await makeStore();
    const name = fresh("counter");
    await store.increment(name, 5, 2 * SECOND_MS);
    await passTime(SECOND_MS);
    expect(await store.increment(name, 1, 2 * SECOND_MS)).toBe(6);
    await passTime(SECOND_MS + 1);
    expect(await store.readCounter(name)).toBe(0);
    expect(await store.increment(name, 1, MINUTE_MS)).toBe(1);
  });

  test("increments at once all count", async () => {
    const { store } = await makeStore();
    const name = fresh("counter");
    const values = await Promise.all(Array.from({ length: PARALLEL }, () => store.increment(name, 1, MINUTE_MS)));
    expect(new Set(values).size).toBe(PARALLEL);
    expect(await store.readCounter(name)).toBe(PARALLEL);
  });
}
