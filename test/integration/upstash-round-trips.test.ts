import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Claim, SharedState, Tier } from "../../src/storage/shared-state/shared-state.ts";
import { hasRedis, type LocalUpstash, startUpstash } from "../support/upstash/upstash.ts";
import { createUpstashStore } from "./upstash-stores.ts";

const TIERS: readonly Tier[] = [
  { name: "burst", limit: 20, windowSeconds: 1 },
  { name: "minute", limit: 120, windowSeconds: 60 },
  { name: "hour", limit: 3_000, windowSeconds: 3_600 },
];
const NOTHING: Tier = { name: "none", limit: 0, windowSeconds: 60 };
const FRESH = { freshMs: 60_000, keepMs: 60_000 };

describe.skipIf(!hasRedis())("HTTP requests to Upstash", () => {
  let upstash: LocalUpstash;
  let store: SharedState;

  beforeAll(async () => {
    upstash = await startUpstash();
    store = createUpstashStore(upstash);
  });

  beforeEach(async () => {
    const admit = { subject: "warm", tiers: [...TIERS, NOTHING], tokens: 2 };
    await store.consult({ admit, lookup: { key: "warm", claim: claimOf("warm") } });
    const lease = await store.acquireLease(crypto.randomUUID(), 1_000);
    if (lease !== null) await store.renewLease(lease, 1_000);
    upstash.requests.length = 0;
  });

  afterAll(async () => {
    await upstash?.close();
  });

  function claimOf(token: string): Claim {
    return { token, ttlMs: 60_000 };
  }

  /** How many requests the work makes, each of which must be a pipeline. */
  async function requestsOf(work: () => Promise<unknown>): Promise<number> {
    upstash.requests.length = 0;
    await work();
    expect(upstash.requests.every(({ path }) => path === "/pipeline")).toBe(true);
    return upstash.requests.length;
  }

  test("three tiers, a look-up with its claim, and other keys are one", async () => {
    const [subject, key] = [crypto.randomUUID(), crypto.randomUUID()];
    const admit = { subject, tiers: TIERS, tokens: 1 };
    const made = await requestsOf(() =>
      store.consult({ admit, lookup: { key, claim: claimOf("t") }, also: ["a", "b"] }),
    );
    expect(made).toBe(1);
    expect(upstash.requests[0]?.commands.map(([name]) => name)).toEqual([
      "evalsha",
      "evalsha",
      "evalsha",
      "evalsha",
      "mget",
    ]);
  });

  test("nothing to ask is none", async () => {
    expect(await requestsOf(() => store.consult({}))).toBe(0);
  });

  test.each<[string, number, (name: string) => Promise<unknown>]>([
    ["an admission", 1, (name) => store.admit(name, TIERS)],
    ["a refusal that took nothing", 1, (name) => store.admit(name, [NOTHING])],
    ["a refusal that gives back what the others took", 2, (name) => store.admit(name, [NOTHING, ...TIERS])],
    ["a refusal of several tokens", 2, (name) => store.admit(name, [NOTHING, ...TIERS], 5)],
    ["tokens given back", 1, (name) => store.giveBack(name, TIERS, 3)],
    ["a look-up", 1, (name) => store.cacheLookup(name)],
    ["a look-up with a claim", 1, (name) => store.cacheLookup(name, { token: "t", ttlMs: 1_000 })],
    ["a write that ends a claim", 1, (name) => store.cacheStore(name, "v", { ...FRESH, claimToken: "t" })],
    ["a claim given up", 1, (name) => store.cacheRelease(name, "t")],
    ["a deletion", 1, (name) => store.cacheDelete(name)],
    ["a lease", 1, (name) => store.acquireLease(name, 1_000)],
    ["an increment", 1, (name) => store.increment(name, 1, 1_000)],
    ["a count", 1, (name) => store.readCounter(name)],
    ["a ping", 1, () => store.ping()],
  ])("%s is %d", async (_what, expected, call) => {
    expect(await requestsOf(() => call(crypto.randomUUID()))).toBe(expected);
  });

  test("a refusal that gives up a claim besides is two", async () => {
    const [subject, key] = [crypto.randomUUID(), crypto.randomUUID()];
    const admit = { subject, tiers: [NOTHING, ...TIERS], tokens: 2 };
    expect(await requestsOf(() => store.consult({ admit, lookup: { key, claim: claimOf("t") } }))).toBe(2);
  });

  test("the first call to a store that knows no scripts is two, and the next is one", async () => {
    const [subject, key] = [crypto.randomUUID(), crypto.randomUUID()];
    const admit = { subject, tiers: TIERS, tokens: 1 };
    const ask = () => store.consult({ admit, lookup: { key, claim: claimOf("t") }, also: ["a"] });
    await upstash.redis("SCRIPT", "FLUSH");
    upstash.requests.length = 0;
    const first = await ask();
    expect(upstash.requests).toHaveLength(2);
    expect(first).toMatchObject({ admission: { admitted: true }, lookup: { claim: "held" }, also: [null] });
    expect(first.admission?.tiers.map(({ remaining }) => remaining)).toEqual([19, 119, 2_999]);
    expect(await requestsOf(ask)).toBe(1);
  });

  test("clearing takes a request for every few thousand keys, and one more", async () => {
    await Promise.all(Array.from({ length: 100 }, (_, n) => store.cacheStore(`clear-${n}`, "v", FRESH)));
    expect(await requestsOf(() => store.cacheClear())).toBe(2);
  });

  test("only the commands go out: with the token, as plain texts and numbers", async () => {
    await store.cacheStore("k", '{"a":1}', FRESH);
    const [request] = upstash.requests;
    expect(request?.authorization).toBe(`Bearer ${upstash.token}`);
    expect(request?.commands[0]).toEqual(["set", "orchestrix:entry:k", '0:t{"a":1}', "px", "60000"]);
  });
});
