import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { Tier } from "../../src/storage/shared-state/shared-state.ts";
import { hasRedis, type LocalUpstash, startUpstash } from "../support/upstash/upstash.ts";
import { createUpstashStore } from "./upstash-stores.ts";

const MINUTE: Tier = { name: "minute", limit: 40, windowSeconds: 60 };
const HOUR: Tier = { name: "hour", limit: 200, windowSeconds: 3_600 };

describe.skipIf(!hasRedis())("admission by Upstash", () => {
  let upstash: LocalUpstash;

  beforeAll(async () => {
    upstash = await startUpstash();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  afterAll(async () => {
    await upstash?.close();
  });

  /** Sets the clock of the callers forward or back; Redis keeps its own. */
  function skew(ms: number): void {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
  }

  test("of several processes at once, exactly the limit is admitted, and other tiers lose nothing to the refused", async () => {
    const stores = [createUpstashStore(upstash), createUpstashStore(upstash), createUpstashStore(upstash)];
    const subject = crypto.randomUUID();
    const admissions = await Promise.all(
      Array.from({ length: 180 }, (_, n) => stores[n % stores.length]?.admit(subject, [MINUTE, HOUR])),
    );
    expect(admissions.filter((admission) => admission?.admitted)).toHaveLength(MINUTE.limit);
    const after = await stores[0]?.admit(subject, [HOUR]);
    expect(after?.tiers[0]?.remaining).toBe(HOUR.limit - MINUTE.limit - 1);
  });

  test("tokens taken together by many never exceed the limit", async () => {
    const store = createUpstashStore(upstash);
    const subject = crypto.randomUUID();
    const admissions = await Promise.all(
      Array.from({ length: 40 }, (_, n) => store.admit(subject, [MINUTE], 1 + (n % 7))),
    );
    const taken = admissions.reduce((sum, { admitted }, n) => sum + (admitted ? 1 + (n % 7) : 0), 0);
    expect(taken).toBeLessThanOrEqual(MINUTE.limit);
    expect(taken).toBeGreaterThan(MINUTE.limit - 7);
  });

  test("a caller whose clock is behind is neither locked out for longer than a window nor told a longer one", async () => {
    const store = createUpstashStore(upstash);
    const subject = crypto.randomUUID();
    skew(120_000);
    await store.admit(subject, [MINUTE], MINUTE.limit);
    vi.useRealTimers();
    const refused = await store.admit(subject, [MINUTE]);
    expect(refused).toMatchObject({ admitted: false, tiers: [{ remaining: 0, resetMs: 60_000 }] });
    await upstash.passTime(60_000);
    expect((await store.admit(subject, [MINUTE])).admitted).toBe(true);
  });

  test("a caller whose clock is ahead fills a bucket early, once", async () => {
    const store = createUpstashStore(upstash);
    const subject = crypto.randomUUID();
    let admitted = 0;
    for (const ms of [0, 120_000, 0, 120_000, 0, 120_000]) {
      vi.useRealTimers();
      skew(ms);
      for (let n = 0; n < MINUTE.limit; n += 10)
        admitted += (await store.admit(subject, [MINUTE], 10)).admitted ? 10 : 0;
    }
    expect(admitted).toBe(2 * MINUTE.limit);
  });

  test("a clock that is hours off is told, not followed", async () => {
    const store = createUpstashStore(upstash);
    const subject = crypto.randomUUID();
    await store.admit(subject, [MINUTE]);
    skew(-7_200_000);
    await expect(store.admit(subject, [MINUTE])).rejects.toThrow("does not fit");
  });

  test("tokens given back late do not fill a new window above its limit", async () => {
    const store = createUpstashStore(upstash);
    const subject = crypto.randomUUID();
    await store.admit(subject, [MINUTE], MINUTE.limit);
    skew(61_000);
    await store.giveBack(subject, [MINUTE], MINUTE.limit);
    const again = await store.admit(subject, [MINUTE], MINUTE.limit);
    expect(again).toMatchObject({ admitted: true, tiers: [{ remaining: 0 }] });
    expect((await store.admit(subject, [MINUTE])).admitted).toBe(false);
  });

  test("limits of many shapes are all kept to, also when more are in use than are remembered", async () => {
    const store = createUpstashStore(upstash);
    const subject = crypto.randomUUID();
    const shapes = Array.from({ length: 1_100 }, (_, n): Tier => ({ name: "m", limit: 1, windowSeconds: 60 + n }));
    const admitted = async () =>
      (await Promise.all(shapes.map((tier) => store.admit(subject, [tier])))).filter((a) => a.admitted);
    expect(await admitted()).toHaveLength(shapes.length);
    expect(await admitted()).toHaveLength(0);
  });

  test("every key ends by itself, and nothing is left of what was refused", async () => {
    await upstash.redis("FLUSHALL");
    const store = createUpstashStore(upstash);
    await store.consult({
      admit: { subject: "s", tiers: [MINUTE, HOUR], tokens: 3 },
      lookup: { key: "k", claim: { token: "t", ttlMs: 1_000 } },
    });
    await store.cacheStore("k", "v", { freshMs: 1_000, keepMs: 2_000 });
    await store.increment("n", 1, 1_000);
    await store.acquireLease("l", 1_000);
    await store.admit("refused", [{ ...MINUTE, limit: 0 }]);
    await store.giveBack("never-seen", [MINUTE], 3);
    const keys = ((await upstash.redis("KEYS", "*")) as readonly Buffer[]).map(String).sort();
    expect(keys).toEqual([
      "orchestrix:bucket:200:3600:4:hour:s",
      "orchestrix:bucket:40:60:6:minute:s",
      "orchestrix:claim:k",
      "orchestrix:counter:n",
      "orchestrix:entry:k",
      "orchestrix:lease:l",
    ]);
    for (const key of keys) expect(await upstash.redis("PTTL", key)).toBeGreaterThan(0);
  });
});
