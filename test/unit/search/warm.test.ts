import { describe, expect, test } from "vitest";
import type { Clock } from "../../../src/core/clock.ts";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { type SearchRequest, searchRequest } from "../../../src/search/contract.ts";
import type { PopularQuery } from "../../../src/search/warming/popularity-store.ts";
import { createWarmer } from "../../../src/search/warming/warm.ts";
import type { WarmerOptions, WarmSearch } from "../../../src/search/warming/warm-contract.ts";
import {
  WARM_CONCURRENCY,
  WARM_FAILED_PAUSE_MS,
  WARM_MARGIN_MS,
  WARM_MAX_FAILURES_IN_ROW,
  WARM_MAX_REFRESHES,
  WARM_RUN_MAX_MS,
} from "../../../src/search/warming/warm-limits.ts";
import type { Lease, Leases } from "../../../src/storage/shared-state/shared-state.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";

const HOUR_MS = 3_600_000;
const CONFIG = {
  WARM_QUERIES: [] as string[],
  WARM_TOP_QUERIES: 20,
  SEARCH_DEADLINE_MS: 8_000,
  CACHE_TTL_SECONDS: 3_600,
  CACHE_TTL_NEWS_SECONDS: 300,
};

const ask = (query: string, fields: Partial<SearchRequest> = {}) => searchRequest.parse({ query, ...fields });
const down = () => Promise.reject(new StorageUnavailable("down"));
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `query ${i}`);

function popular(query: string, score = 100, fields: Partial<SearchRequest> = {}): PopularQuery {
  return { key: `key of ${query}`, request: ask(query, fields), score };
}

interface TestLeases extends Leases {
  readonly held: Map<string, Lease>;
  down: boolean;
}

function createLeases(clock: Clock): TestLeases {
  const held = new Map<string, Lease>();
  let made = 0;
  const holderOf = (name: string) => {
    if (leases.down) throw new StorageUnavailable("down");
    const lease = held.get(name);
    return lease !== undefined && lease.expiresAtMs > clock.now() ? lease : null;
  };
  const hold = (name: string, token: string, ttlMs: number) => {
    const lease = { name, token, expiresAtMs: clock.now() + ttlMs };
    held.set(name, lease);
    return lease;
  };
  const leases: TestLeases = {
    held,
    down: false,
    acquireLease: async (name, ttlMs) => (holderOf(name) === null ? hold(name, `token ${++made}`, ttlMs) : null),
    renewLease: async ({ name, token }, ttlMs) => (holderOf(name)?.token === token ? hold(name, token, ttlMs) : null),
    releaseLease: async ({ name, token }) => holderOf(name)?.token === token && held.delete(name),
  };
  return leases;
}

const refreshIn = (clock: Clock, ms: number) =>
  new Promise<RefreshOutcome>((resolve) => clock.after(ms, () => resolve("refreshed")));

type RefreshOutcome = Awaited<ReturnType<WarmSearch["refresh"]>>;

interface Scene extends Partial<Omit<WarmerOptions, "config">> {
  readonly config?: Partial<WarmerOptions["config"]>;
  readonly top?: readonly PopularQuery[];
  /** Minutes for which what is cached stays fresh. */
  readonly ages?: Readonly<Record<string, number>>;
  readonly outcome?: (query: string, clock: Clock) => RefreshOutcome | Promise<RefreshOutcome>;
}

function setUp(scene: Scene = {}) {
  const clock: FakeClock = createFakeClock();
  const leases = createLeases(clock);
  const refreshed: string[] = [];
  const looked: string[] = [];
  const counted: Record<string, number> = {};
  const logged: string[] = [];
  let flushes = 0;
  const log = (event: string) => void logged.push(event);
  const warm = createWarmer({
    popularity: {
      flush: async () => void flushes++,
      top: async (limit) => (scene.top ?? []).slice(0, limit),
    },
    search: {
      async ageOf({ query }) {
        looked.push(query);
        const minutes = scene.ages?.[query];
        return minutes === undefined ? null : { freshForMs: minutes * 60_000 };
      },
      async refresh({ query }) {
        refreshed.push(query);
        return (await scene.outcome?.(query, clock)) ?? "refreshed";
      },
    },
    leases,
    quotaLeft: async () => null,
    clock,
    metrics: {
      count(name, labels, by = 1) {
        const series = `${name} ${labels?.outcome}`;
        counted[series] = (counted[series] ?? 0) + by;
      },
    },
    logger: { debug: log, info: log, warn: log, error: log },
    ...scene,
    config: { ...CONFIG, ...scene.config },
  });
  return {
    clock,
    leases,
    refreshed,
    looked,
    counted,
    logged,
    flushes: () => flushes,
    warm: (thorough = false) => warm({ thorough }),
  };
}

describe("what is warmed", () => {
  test("the fixed list and the most asked, each once: what is absent first, then what is stale longest", async () => {
    const { warm, refreshed, counted } = setUp({
      config: { WARM_QUERIES: ["fixed absent", "fixed fresh", "Both"] },
      top: [popular("both"), popular("stale", 50), popular("ageing", 40), popular("fresh", 30)],
      ages: { "fixed fresh": 30, Both: 3, stale: -10, ageing: 5, fresh: 20 },
    });
    const report = await warm(true);
    expect(refreshed).toEqual(["fixed absent", "stale", "Both", "ageing"]);
    expect(report).toEqual({
      skipped: false,
      fixed: 3,
      popular: 3,
      fresh: 2,
      refreshed: 4,
      failed: 0,
      left: 0,
      stopped: null,
    });
    expect(counted).toEqual({ "orchestrix_warm_total fresh": 2, "orchestrix_warm_total refreshed": 4 });
  });

  test("what goes stale just after the next run is left to it", async () => {
    const margin = WARM_MARGIN_MS / 60_000;
    const { warm, refreshed } = setUp({
      config: { WARM_QUERIES: ["before", "after"] },
      ages: { before: margin - 0.01, after: margin },
    });
    expect(await warm()).toMatchObject({ refreshed: 1, fresh: 1 });
    expect(refreshed).toEqual(["before"]);
  });

  test("what was made just now is fresh, however short it stays so", async () => {
    const { warm, refreshed } = setUp({
      top: [popular("just made", 100, { topic: "news" }), popular("older", 100, { topic: "news" })],
      ages: { "just made": 4.9, older: 2 },
    });
    await warm();
    expect(refreshed).toEqual(["older"]);
  });

  test("what is asked too seldom to be served before it goes stale is passed over, but not by hand", async () => {
    const top = [popular("often", 5), popular("seldom", 1), popular("news", 5, { topic: "news" })];
    const { warm, refreshed, looked, flushes } = setUp({ top });
    expect(await warm()).toMatchObject({ popular: 1, refreshed: 1 });
    expect(looked).toEqual(["often"]);
    expect(flushes()).toBe(0);
    expect(await warm(true)).toMatchObject({ popular: 3, refreshed: 3 });
    expect(refreshed).toEqual(["often", "often", "seldom", "news"]);
    expect(flushes()).toBe(1);
  });

  test("at most as many popular ones as asked for, and a line that nobody could ask is left out", async () => {
    const { warm, refreshed } = setUp({
      config: { WARM_TOP_QUERIES: 1, WARM_QUERIES: ["bad \u0007", "good"] },
      top: [popular("first"), popular("second")],
    });
    expect(await warm(true)).toMatchObject({ fixed: 1, popular: 1 });
    expect(refreshed).toEqual(["good", "first"]);
  });

  test("nothing to warm asks nobody for anything", async () => {
    const { warm } = setUp({
      config: { WARM_TOP_QUERIES: 0 },
      popularity: { flush: down, top: down },
      quotaLeft: () => Promise.reject(new Error("asked")),
    });
    expect(await warm(true)).toMatchObject({ skipped: false, popular: 0, stopped: null });
  });
});

describe("one run at a time", () => {
  test("a run while another holds the lease does nothing", async () => {
    const { warm, leases, looked } = setUp({ config: { WARM_QUERIES: ["a"] } });
    const lease = await leases.acquireLease("job:warm-cache", 60_000);
    expect(await warm()).toMatchObject({ skipped: true, refreshed: 0, stopped: null });
    expect(looked).toEqual([]);
    if (lease !== null) await leases.releaseLease(lease);
    expect(await warm()).toMatchObject({ skipped: false, refreshed: 1 });
    expect(leases.held.size).toBe(0);
  });

  test("a run that died is followed by the next when its lease has ended", async () => {
    const { warm, clock, leases } = setUp({ config: { WARM_QUERIES: ["a"] }, outcome: () => new Promise(() => {}) });
    void warm(true);
    await clock.advance(0);
    leases.releaseLease = async () => false;
    expect(await warm(true)).toMatchObject({ skipped: true });
    await clock.advance(60_000);
    const next = warm(true);
    await clock.advance(20_000);
    expect(await next).toMatchObject({ skipped: false, failed: 1 });
  });

  test("the lease is held as long as the run goes on, and is given back", async () => {
    const { warm, clock, leases } = setUp({
      config: { WARM_QUERIES: numbered(10) },
      outcome: (_query, clock) => refreshIn(clock, 9_000),
    });
    const run = warm(true);
    for (let second = 0; second < 44; second += 4) {
      await clock.advance(4_000);
      expect(leases.held.get("job:warm-cache")?.expiresAtMs).toBeGreaterThan(clock.now() + 20_000);
    }
    await clock.advance(1_000);
    expect(await run).toMatchObject({ refreshed: 10, stopped: null });
    expect(leases.held.size).toBe(0);
  });

  test("a run that lost its lease stops, and leaves another's alone", async () => {
    const { warm, clock, leases } = setUp({
      config: { WARM_QUERIES: numbered(12) },
      outcome: (_query, clock) => refreshIn(clock, 11_000),
    });
    const run = warm(true);
    await clock.advance(1_000);
    leases.held.delete("job:warm-cache");
    const other = await leases.acquireLease("job:warm-cache", HOUR_MS);
    await clock.advance(11_000);
    expect(await run).toMatchObject({ refreshed: 2, left: 10, stopped: "lease_lost" });
    expect(leases.held.get("job:warm-cache")).toEqual(other);
  });
});

describe("what ends a run early", () => {
  test("two at once, and no more than the budget", async () => {
    let atOnce = 0;
    let most = 0;
    const { warm } = setUp({
      config: { WARM_QUERIES: numbered(WARM_MAX_REFRESHES + 10) },
      async outcome(): Promise<RefreshOutcome> {
        most = Math.max(most, ++atOnce);
        await new Promise((resolve) => setImmediate(resolve));
        atOnce--;
        return "refreshed";
      },
    });
    expect(await warm()).toMatchObject({ refreshed: WARM_MAX_REFRESHES, left: 10, stopped: "budget" });
    expect(most).toBe(WARM_CONCURRENCY);
  });

  test("its time", async () => {
    const { warm, clock, counted } = setUp({
      config: { WARM_QUERIES: numbered(28) },
      outcome: (_query, clock) => refreshIn(clock, 7_000),
    });
    const run = warm(true);
    await clock.advance(WARM_RUN_MAX_MS + 7_000);
    expect(await run).toMatchObject({ refreshed: 18, left: 10, stopped: "time" });
    expect(counted["orchestrix_warm_total skipped"]).toBe(10);
  });

  test.each(["degraded", "limited"] as const)("an answer that is %s", async (outcome) => {
    const { warm, refreshed } = setUp({
      config: { WARM_QUERIES: numbered(9) },
      outcome: (query) => (query === "query 2" ? outcome : "refreshed"),
    });
    expect(await warm(true)).toMatchObject({ failed: 1, stopped: outcome });
    expect(refreshed.length).toBeLessThanOrEqual(4);
  });

  test("too little left of a provider's plan, where that is known", async () => {
    const config = { WARM_QUERIES: ["a"] };
    const low = setUp({ config, quotaLeft: async () => 0.09 });
    expect(await low.warm()).toMatchObject({ refreshed: 0, left: 1, stopped: "quota" });
    expect(low.refreshed).toEqual([]);
    expect(await setUp({ config, quotaLeft: async () => 0.1 }).warm()).toMatchObject({ refreshed: 1, stopped: null });
    const unknown = setUp({ config, quotaLeft: () => Promise.reject(new Error("no answer")) });
    expect(await unknown.warm()).toMatchObject({ refreshed: 1, stopped: null });
    expect(unknown.logged).toContain("warm_quota_unknown");
  });

  test("failures in a row; one among successes does not", async () => {
    const config = { WARM_QUERIES: numbered(10) };
    const dead = setUp({ config, outcome: () => "failed" });
    const report = await dead.warm();
    expect(report.stopped).toBe("failing");
    expect(report.failed).toBeLessThan(WARM_MAX_FAILURES_IN_ROW + WARM_CONCURRENCY);
    const shaky = setUp({ config, outcome: (query) => (/[0369]/.test(query) ? "failed" : "refreshed") });
    expect(await shaky.warm(true)).toMatchObject({ refreshed: 6, failed: 4, stopped: null });
  });
});

describe("what goes wrong", () => {
  test("what fails is left alone for a while, so that the rest has its turn; by hand it is tried", async () => {
    const { warm, clock, refreshed } = setUp({
      config: { WARM_QUERIES: ["bad 1", "bad 2", "bad 3", "good"] },
      outcome: (query) => (query.startsWith("bad") ? "failed" : "refreshed"),
    });
    await warm();
    refreshed.length = 0;
    expect(await warm()).toMatchObject({ refreshed: 1, failed: 0, left: 3, stopped: null });
    expect(refreshed).toEqual(["good"]);
    expect(await warm(true)).toMatchObject({ stopped: "failing" });
    refreshed.length = 0;
    await clock.advance(WARM_FAILED_PAUSE_MS);
    await warm();
    expect(refreshed).toContain("bad 1");
  });

  test("what is left alone uses up nothing of the budget", async () => {
    const { warm, leases } = setUp({ config: { WARM_QUERIES: numbered(WARM_MAX_REFRESHES + 20) } });
    const acquire = leases.acquireLease;
    let pauses = 0;
    leases.acquireLease = async (name, ttlMs) =>
      name.startsWith("warm-pause:") && ++pauses <= WARM_MAX_REFRESHES ? null : acquire(name, ttlMs);
    expect(await warm()).toMatchObject({ refreshed: 20, left: WARM_MAX_REFRESHES, stopped: null });
  });

  test("one that another refreshes now is left to it, and one that throws or hangs is one failure", async () => {
    const { warm, clock, logged } = setUp({
      config: { WARM_QUERIES: ["busy", "bug", "hang", "good"] },
      outcome(query) {
        if (query === "bug") throw new Error("a bug");
        if (query === "hang") return new Promise(() => {});
        return query === "busy" ? "busy" : "refreshed";
      },
    });
    const run = warm(true);
    await clock.advance(20_000);
    expect(await run).toMatchObject({ refreshed: 1, failed: 2, left: 1, stopped: null });
    expect(logged).toEqual(["warm_refresh_failed"]);
  });

  test("a store of leases that is down: the run says so and does nothing", async () => {
    const { warm, leases, looked } = setUp({ config: { WARM_QUERIES: ["a"] } });
    leases.down = true;
    expect(await warm()).toMatchObject({ skipped: true, stopped: "storage_unavailable" });
    expect(looked).toEqual([]);
  });

  test("a store that goes down midway ends the run, and nothing is thrown", async () => {
    const { warm, leases, logged } = setUp({
      config: { WARM_QUERIES: numbered(6) },
      outcome() {
        leases.down = true;
        return Promise.reject(new StorageUnavailable("down"));
      },
    });
    expect(await warm()).toMatchObject({ skipped: false, refreshed: 0, stopped: "storage_unavailable" });
    expect(logged).toEqual(["warm_lease_not_released"]);
  });

  test("a cache that is down ends the run before it asks anybody", async () => {
    const refresh = () => Promise.reject(new Error("asked"));
    const { warm, leases } = setUp({ config: { WARM_QUERIES: ["a", "b"] }, search: { ageOf: down, refresh } });
    expect(await warm()).toMatchObject({ fixed: 2, left: 2, stopped: "storage_unavailable" });
    expect(leases.held.size).toBe(0);
  });

  test("counts that do not answer leave the fixed list to be warmed, and the report says so", async () => {
    const { warm, refreshed, logged } = setUp({
      config: { WARM_QUERIES: ["fixed"] },
      popularity: { flush: async () => {}, top: down },
    });
    expect(await warm()).toMatchObject({ fixed: 1, popular: null, refreshed: 1, stopped: null });
    expect(refreshed).toEqual(["fixed"]);
    expect(logged).toEqual(["warm_popularity_unavailable"]);
  });
});
