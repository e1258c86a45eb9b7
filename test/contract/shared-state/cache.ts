import { expect, test } from "vitest";
import type { CacheWrite, Claim } from "../../../src/storage/shared-state/shared-state.ts";
import { fresh, type MakeSharedState, MINUTE_MS, ODD_NAMES, PARALLEL, SECOND_MS } from "./harness.ts";

const LONG_CHARS = 300_000;
const FRESH: CacheWrite = { freshMs: MINUTE_MS, keepMs: MINUTE_MS };
const SOON_STALE: CacheWrite = { freshMs: 10 * SECOND_MS, keepMs: MINUTE_MS };

function newClaim(ttlMs = MINUTE_MS): Claim {
  return { token: crypto.randomUUID(), ttlMs };
}

export function describeCache(makeStore: MakeSharedState): void {
  test("the cache gives back what was stored, until it is deleted", async () => {
    const { store } = await makeStore();
    const key = fresh("key");
    expect(await store.cacheLookup(key)).toEqual({ value: null, claim: "none" });
    await store.cacheStore(key, "one", FRESH);
    await store.cacheStore(key, "two", FRESH);
    expect(await store.cacheLookup(key)).toEqual({ value: "two", claim: "none" });
    await store.cacheDelete(key);
    expect(await store.cacheLookup(key)).toEqual({ value: null, claim: "none" });
    await store.cacheDelete(key);
  });

  test("a cached value ends with its lifetime, and a new one begins anew", async () => {
    const { store, passTime } = await makeStore();
    const key = fresh("key");
    await store.cacheStore(key, "old", SOON_STALE);
    await passTime(11 * SECOND_MS);
    expect((await store.cacheLookup(key)).value).toBe("old");
    await passTime(MINUTE_MS);
    expect((await store.cacheLookup(key)).value).toBeNull();
    await store.cacheStore(key, "new", FRESH);
    expect((await store.cacheLookup(key)).value).toBe("new");
  });

  test("what is not to be kept at all is not kept, and parts of a millisecond do no harm", async () => {
    const { store } = await makeStore();
    const key = fresh("key");
    await store.cacheStore(key, "old", { freshMs: 9_999.4, keepMs: 59_999.6 });
    expect((await store.cacheLookup(key)).value).toBe("old");
    await store.cacheStore(key, "new", { freshMs: 0, keepMs: 0 });
    expect((await store.cacheLookup(key)).value).toBeNull();
  });

  test("cached text comes back unchanged, whatever it is", async () => {
    const { store } = await makeStore();
    const key = fresh("key");
    for (const value of [
      "",
      " ",
      "null",
      "42",
      "OK",
      "QUJD",
      "a\0b",
      "é\u{1f600}\u2028",
      "half a pair: \ud83d",
      '{"a":"\\u0000"}',
      "é".repeat(LONG_CHARS),
    ]) {
      await store.cacheStore(key, value, FRESH);
      expect((await store.cacheLookup(key)).value).toBe(value);
    }
  });

  test("keys do not meet, whatever they are called", async () => {
    const { store } = await makeStore();
    const prefix = fresh("key");
    for (const [n, name] of ODD_NAMES.entries()) await store.cacheStore(prefix + name, `${n}`, FRESH);
    for (const [n, name] of ODD_NAMES.entries()) {
      expect((await store.cacheLookup(prefix + name)).value).toBe(`${n}`);
    }
  });

  test("clearing forgets every entry and no claim", async () => {
    const { store } = await makeStore();
    const prefix = fresh("key");
    const keys = Array.from({ length: PARALLEL }, (_, n) => `${prefix}-${n}`).concat(
      ODD_NAMES.map((name) => prefix + name),
    );
    await Promise.all(keys.map((key) => store.cacheStore(key, "text", FRESH)));
    const [claimed, lease] = [fresh("key"), fresh("lease")];
    await store.cacheLookup(claimed, newClaim());
    await store.acquireLease(lease, MINUTE_MS);
    const gone = await store.cacheClear();
    expect(gone ?? keys.length).toBeGreaterThanOrEqual(keys.length);
    const found = await Promise.all(keys.map((key) => store.cacheLookup(key)));
    expect(found.filter(({ value }) => value !== null)).toEqual([]);
    expect((await store.cacheLookup(claimed, newClaim())).claim).toBe("busy");
    expect(await store.acquireLease(lease, MINUTE_MS)).toBeNull();
    expect((await store.cacheClear()) ?? 0).toBe(0);
  });
}

export function describeClaims(makeStore: MakeSharedState): void {
  test("of many who look at once for what is missing, one holds the claim", async () => {
    const { store } = await makeStore();
    const key = fresh("key");
    const lookups = await Promise.all(Array.from({ length: PARALLEL }, () => store.cacheLookup(key, newClaim())));
    expect(lookups.filter(({ claim }) => claim === "held")).toHaveLength(1);
    expect(lookups.filter(({ claim }) => claim === "busy")).toHaveLength(PARALLEL - 1);
  });

  test("whoever asks for no claim gets none and takes none", async () => {
    const { store } = await makeStore();
    const key = fresh("key");
    expect((await store.cacheLookup(key)).claim).toBe("none");
    expect((await store.cacheLookup(key, newClaim())).claim).toBe("held");
    expect((await store.cacheLookup(key)).claim).toBe("none");
  });

  test("its holder may ask again", async () => {
    const { store } = await makeStore();
    const [key, claim] = [fresh("key"), newClaim()];
    expect((await store.cacheLookup(key, claim)).claim).toBe("held");
    expect((await store.cacheLookup(key, claim)).claim).toBe("held");
  });

  test("a claim is free again after its time", async () => {
    const { store, passTime } = await makeStore();
    const key = fresh("key");
    await store.cacheLookup(key, newClaim(10 * SECOND_MS));
    expect((await store.cacheLookup(key, newClaim())).claim).toBe("busy");
    await passTime(10 * SECOND_MS + 1);
    expect((await store.cacheLookup(key, newClaim())).claim).toBe("held");
  });

  test("a claim that is given up is free, and nobody gives up another's", async () => {
    const { store } = await makeStore();
    const [key, claim] = [fresh("key"), newClaim()];
    await store.cacheLookup(key, claim);
    await store.cacheRelease(key, newClaim().token);
    expect((await store.cacheLookup(key, newClaim())).claim).toBe("busy");
    await store.cacheRelease(key, claim.token);
    expect((await store.cacheLookup(key, newClaim())).claim).toBe("held");
  });

  test("the write of its holder ends a claim, another's does not", async () => {
    const { store } = await makeStore();
    const [key, claim] = [fresh("key"), newClaim()];
    const stale: CacheWrite = { freshMs: 0, keepMs: MINUTE_MS };
    await store.cacheLookup(key, claim);
    await store.cacheStore(key, "text", stale);
    await store.cacheStore(key, "text", { ...stale, claimToken: newClaim().token });
    expect(await store.cacheLookup(key, newClaim())).toEqual({ value: "text", claim: "busy" });
    await store.cacheStore(key, "text", { ...stale, claimToken: claim.token });
    expect(await store.cacheLookup(key, newClaim())).toEqual({ value: "text", claim: "held" });
  });

  test("no claim is given on what is fresh; on what is stale it comes together with the value", async () => {
    const { store, passTime } = await makeStore();
    const key = fresh("key");
    await store.cacheStore(key, "text", SOON_STALE);
    expect(await store.cacheLookup(key, newClaim())).toEqual({ value: "text", claim: "none" });
    await passTime(10 * SECOND_MS + 1);
    expect(await store.cacheLookup(key)).toEqual({ value: "text", claim: "none" });
    expect(await store.cacheLookup(key, newClaim())).toEqual({ value: "text", claim: "held" });
    expect(await store.cacheLookup(key, newClaim())).toEqual({ value: "text", claim: "busy" });
  });

  test("a claim outlasts the deletion of the value", async () => {
    const { store } = await makeStore();
    const key = fresh("key");
    await store.cacheLookup(key, newClaim());
    await store.cacheDelete(key);
    expect((await store.cacheLookup(key, newClaim())).claim).toBe("busy");
  });

  test("claims do not meet, whatever their keys are called", async () => {
    const { store } = await makeStore();
    const prefix = fresh("key");
    for (const name of ODD_NAMES) expect((await store.cacheLookup(prefix + name, newClaim())).claim).toBe("held");
    for (const name of ODD_NAMES) expect((await store.cacheLookup(prefix + name, newClaim())).claim).toBe("busy");
  });
}
