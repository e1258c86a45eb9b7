import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { StorageUnavailable } from "../../src/core/errors.ts";
import type { SharedState, Tier } from "../../src/storage/shared-state/shared-state.ts";
import { type Fault, NONSENSE } from "../support/upstash/faults.ts";
import { hasRedis, type LocalUpstash, startUpstash } from "../support/upstash/upstash.ts";
import { createUpstashStore } from "./upstash-stores.ts";

const MINUTE: Tier = { name: "minute", limit: 5, windowSeconds: 60 };
const FRESH = { freshMs: 60_000, keepMs: 60_000 };
const SECRET = "secret-query-of-somebody";

const CALLS: readonly [string, (store: SharedState) => Promise<unknown>][] = [
  ["admit", (store) => store.admit(SECRET, [MINUTE])],
  ["admit, several", (store) => store.admit(SECRET, [MINUTE, { ...MINUTE, name: "none", limit: 0 }], 2)],
  ["giveBack", (store) => store.giveBack(SECRET, [MINUTE], 1)],
  ["cacheLookup", (store) => store.cacheLookup(SECRET)],
  ["cacheLookup with a claim", (store) => store.cacheLookup(SECRET, { token: "t", ttlMs: 1_000 })],
  ["cacheStore", (store) => store.cacheStore(SECRET, SECRET, { ...FRESH, claimToken: "t" })],
  ["cacheRelease", (store) => store.cacheRelease(SECRET, "t")],
  ["cacheDelete", (store) => store.cacheDelete(SECRET)],
  ["cacheClear", (store) => store.cacheClear()],
  ["acquireLease", (store) => store.acquireLease(SECRET, 1_000)],
  ["renewLease", (store) => store.renewLease({ name: SECRET, token: "t", expiresAtMs: 0 }, 1_000)],
  ["releaseLease", (store) => store.releaseLease({ name: SECRET, token: "t", expiresAtMs: 0 })],
  ["increment", (store) => store.increment(SECRET, 1, 1_000)],
  ["readCounter", (store) => store.readCounter(SECRET)],
  ["ping", (store) => store.ping()],
  [
    "consult",
    (store) =>
      store.consult({
        admit: { subject: SECRET, tiers: [MINUTE], tokens: 1 },
        lookup: { key: SECRET, claim: { token: "t", ttlMs: 1_000 } },
        also: [SECRET],
      }),
  ],
];

describe.skipIf(!hasRedis())("a hostile Upstash", () => {
  let upstash: LocalUpstash;
  let store: SharedState;

  beforeAll(async () => {
    upstash = await startUpstash();
    store = createUpstashStore(upstash);
  });

  afterEach(async () => {
    upstash.fault(null);
    await upstash.redis("FLUSHALL");
    vi.restoreAllMocks();
  });

  afterAll(async () => {
    await upstash?.close();
  });

  /** What the call failed with, which must be an honest failure and hold no secret. */
  async function failureOf(call: Promise<unknown>): Promise<StorageUnavailable> {
    const error = await call.then(
      (value) => new Error(`it answered ${JSON.stringify(value)}`),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(StorageUnavailable);
    if (!(error instanceof StorageUnavailable)) throw error;
    const told = `${error.message} ${error.stack} ${String(error.cause ?? "")}`;
    for (const secret of [upstash.token, new URL(upstash.url).host, SECRET]) expect(told).not.toContain(secret);
    return error;
  }

  describe.each(Object.entries(NONSENSE))("that answers %s", (_name, fault) => {
    test.each(CALLS)("fails %s as unavailable", async (_call, call) => {
      upstash.fault(fault);
      await failureOf(call(store));
    });
  });

  const lie = (result: unknown): Fault => ({ kind: "lie", answer: (answers) => answers.map(() => ({ result })) });
  const NOW = Date.now();

  test.each<[string, unknown]>([
    ["more left than the limit less what was taken", [5, NOW + 60_000, 5]],
    ["less than nothing left", [-2, NOW + 60_000, 5]],
    ["another limit", [99, NOW + 60_000, 100]],
    ["parts of tokens", [1.5, NOW + 60_000, 5]],
    ["texts for numbers", ["4", `${NOW + 60_000}`, "5"]],
    ["a window that ends next year", [4, NOW + 31_536_000_000, 5]],
    ["a window that ended in 1970", [4, 0, 5]],
    ["numbers that no clock shows", [4, Number.MAX_SAFE_INTEGER, 5]],
    ["two numbers", [4, NOW + 60_000]],
    ["no list", 4],
    ["nothing", null],
  ])("does not admit by saying %s", async (_what, result) => {
    upstash.fault(lie(result));
    await failureOf(store.admit("s", [MINUTE]));
  });

  test.each<[string, unknown]>([
    ["another state", [3, null]],
    ["a state below all", [-1, null]],
    ["a state in words", ["1", null]],
    ["a number for a text", [0, 42]],
    ["a list for a text", [1, ["a"]]],
    ["nothing", null],
  ])("gives no claim by saying %s", async (_what, result) => {
    upstash.fault(lie(result));
    await failureOf(store.cacheLookup("k", { token: "t", ttlMs: 1_000 }));
  });

  test("does not make us remove what is not ours", async () => {
    await upstash.redis("SET", "theirs", "kept");
    upstash.fault(lie(["0", ["theirs"]]));
    await failureOf(store.cacheClear());
    expect(String(await upstash.redis("GET", "theirs"))).toBe("kept");
  });

  test("does not keep us clearing for ever", async () => {
    upstash.fault({
      kind: "lie",
      answer: (answers) => answers.map(() => ({ result: ["17", []] })),
    });
    upstash.requests.length = 0;
    await failureOf(store.cacheClear());
    expect(upstash.requests.length).toBeLessThanOrEqual(1_000);
  });

  test.each(["", "x", ":", "1", "1:", "1:x", "-1:tx", "1.5:tx", "99999999999999999:tx", "1:j{", 'a:t{"a":1}'])(
    "has nothing of ours under our key: %j",
    async (stored) => {
      await upstash.redis("SET", "orchestrix:entry:k", stored);
      expect(await store.cacheLookup("k")).toEqual({ value: null, claim: "none" });
      expect(await store.cacheLookup("k", { token: "t", ttlMs: 1_000 })).toEqual({ value: null, claim: "held" });
      await store.cacheStore("k", "ours", { ...FRESH, claimToken: "t" });
      expect(await store.cacheLookup("k", { token: "u", ttlMs: 1_000 })).toEqual({ value: "ours", claim: "none" });
    },
  );

  test("has other things than texts under our keys", async () => {
    const prefix = "orchestrix:";
    await upstash.redis("LPUSH", `${prefix}entry:k`, "x");
    await upstash.redis("LPUSH", `${prefix}counter:n`, "x");
    await upstash.redis("LPUSH", `${prefix}bucket:5:60:6:minute:s`, "x");
    for (const call of [
      store.cacheLookup("k"),
      store.cacheLookup("k", { token: "t", ttlMs: 1_000 }),
      store.readCounter("n"),
      store.increment("n", 1, 1_000),
      store.admit("s", [MINUTE]),
      store.giveBack("s", [MINUTE], 1),
    ]) {
      expect((await failureOf(call)).message).toContain("refused a command");
    }
    await upstash.redis("SET", `${prefix}counter:m`, "1e3");
    await failureOf(store.readCounter("m"));
  });

  test.each([500, 429, 401, 403, 404, 302])("fails every call by %d", async (status) => {
    upstash.fault({ kind: "fail", status });
    for (const [, call] of CALLS) await failureOf(call(store));
  });

  test("refuses a wrong token", async () => {
    const wrong = createUpstashStore({ url: upstash.url, token: "wrong-token" });
    expect((await failureOf(wrong.ping())).message).toBe("the shared state refused the credentials");
  });

  test("is not there at all", async () => {
    const gone = createUpstashStore({ url: "http://127.0.0.1:1", token: upstash.token });
    expect((await failureOf(gone.ping())).message).toContain("does not answer");
  });

  test("cuts the connection after the work is done", async () => {
    upstash.fault({ kind: "drop" });
    await failureOf(store.increment("n", 1, 60_000));
    upstash.fault(null);
    expect(await store.readCounter("n")).toBe(1);
  });

  test("cuts the connection once before an admission is settled: nothing is admitted", async () => {
    const none: Tier = { name: "none", limit: 0, windowSeconds: 60 };
    upstash.requests.length = 0;
    upstash.fault({
      kind: "lie",
      answer: (answers) => (upstash.requests.length === 1 ? answers : "cut"),
    });
    await failureOf(store.admit("s", [MINUTE, none]));
  });

  test("never answers: the request is cut off", async () => {
    const timeout = vi
      .spyOn(AbortSignal, "timeout")
      .mockReturnValue(AbortSignal.abort(new DOMException("", "TimeoutError")));
    upstash.fault({ kind: "hang" });
    expect((await failureOf(store.ping())).message).toBe("the shared state does not answer (TimeoutError)");
    expect(timeout).toHaveBeenCalledOnce();
  });

  test("says nothing to the console, whatever happens", async () => {
    const spies = (["log", "warn", "error", "info", "debug"] as const).map((name) => vi.spyOn(console, name));
    for (const fault of [null, { kind: "fail" } as const, NONSENSE["a page of HTML"] ?? null]) {
      upstash.fault(fault);
      for (const [, call] of CALLS) await call(createUpstashStore(upstash)).catch(() => {});
    }
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  });
});
