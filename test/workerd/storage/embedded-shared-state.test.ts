import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { systemRandom } from "../../../src/core/ids.ts";
import { createCacheRows } from "../../../src/storage/shared-state/cache-rows.ts";
import { createEmbeddedSharedState } from "../../../src/storage/shared-state/embedded.ts";
import type { SharedStateObject } from "../../../src/storage/shared-state/embedded-object.ts";
import { CACHE_ENTRY_MAX_CHARS, CACHE_OBJECTS } from "../../../src/storage/shared-state/limits.ts";
import type { Tier } from "../../../src/storage/shared-state/shared-state.ts";

const store = createEmbeddedSharedState({ namespace: env.SHARED_STATE, random: systemRandom });
const MINUTE: Tier = { name: "minute", limit: 5, windowSeconds: 60 };
const MINUTE_MS = 60_000;
const FRESH = { freshMs: MINUTE_MS, keepMs: MINUTE_MS };

afterEach(() => {
  vi.useRealTimers();
});

function object(name: string): DurableObjectStub<SharedStateObject> {
  return env.SHARED_STATE.get(env.SHARED_STATE.idFromName(name));
}

function passTime(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
}

function storedKeys(name: string): Promise<string[]> {
  return runInDurableObject(object(name), (_object, state) => Array.from(state.storage.kv.list(), ([key]) => key));
}

test("admissions, leases, counters and the cache outlive the objects that served them", async () => {
  const name = crypto.randomUUID();
  await store.admit(name, [MINUTE], 2);
  await store.increment(name, 7, MINUTE_MS);
  await store.acquireLease(name, MINUTE_MS);
  await store.cacheStore(name, "text", FRESH);
  for (const kind of ["subject", "counter", "lease"]) await evictDurableObject(object(`${kind}:${name}`));
  // Of the cache's objects only the one with the key is at work.
  for (let n = 0; n < CACHE_OBJECTS; n++) await evictDurableObject(object(`cache:${n}`)).catch(() => {});
  expect(await store.admit(name, [MINUTE])).toMatchObject({ tiers: [{ remaining: 2 }] });
  expect(await store.readCounter(name)).toBe(7);
  expect(await store.acquireLease(name, MINUTE_MS)).toBeNull();
  expect((await store.cacheLookup(name)).value).toBe("text");
});

test("a subject whose buckets are full again leaves nothing behind", async () => {
  const name = crypto.randomUUID();
  await store.admit(name, [MINUTE]);
  expect(await storedKeys(`subject:${name}`)).toEqual(["buckets"]);
  passTime(MINUTE_MS + 1);
  expect(await runDurableObjectAlarm(object(`subject:${name}`))).toBe(true);
  expect(await storedKeys(`subject:${name}`)).toEqual([]);
  expect(await store.admit(name, [MINUTE])).toMatchObject({ tiers: [{ remaining: 4 }] });
});

test("a subject that is still limited when its alarm comes is kept", async () => {
  const name = crypto.randomUUID();
  await store.admit(name, [MINUTE], 5);
  expect(await runDurableObjectAlarm(object(`subject:${name}`))).toBe(true);
  expect((await store.admit(name, [MINUTE])).admitted).toBe(false);
  passTime(MINUTE_MS + 1);
  expect(await runDurableObjectAlarm(object(`subject:${name}`))).toBe(true);
  expect(await storedKeys(`subject:${name}`)).toEqual([]);
});

test("leases and counters that have ended leave nothing behind", async () => {
  const name = crypto.randomUUID();
  await store.acquireLease(name, MINUTE_MS);
  await store.increment(name, 1, MINUTE_MS);
  passTime(MINUTE_MS + 1);
  for (const kind of ["lease", "counter"]) {
    expect(await runDurableObjectAlarm(object(`${kind}:${name}`))).toBe(true);
    expect(await storedKeys(`${kind}:${name}`)).toEqual([]);
  }
});

test("a refused subject writes nothing", async () => {
  const name = crypto.randomUUID();
  expect((await store.admit(name, [{ ...MINUTE, limit: 0 }])).admitted).toBe(false);
  expect(await storedKeys(`subject:${name}`)).toEqual([]);
});

test("asking the cache for what was never set leaves nothing behind", async () => {
  const tables = await runInDurableObject(object(crypto.randomUUID()), async (instance, state) => {
    await instance.cacheConsult({ key: "key", claim: { token: "t", ttlMs: MINUTE_MS } }, ["other"]);
    await instance.cacheDelete("key");
    await instance.cacheClear();
    return state.storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'entries'").toArray();
  });
  expect(tables).toEqual([]);
});

test("a full cache drops its oldest entries, by number and by size", async () => {
  await runInDurableObject(object(crypto.randomUUID()), (_object, state) => {
    const cache = createCacheRows(state.storage, { maxEntries: 3, maxChars: 100, maxEntryChars: 60 });
    const kept = () => ["a", "b", "c", "d", "e"].filter((key) => cache.get(key, 0) !== null).join("");
    const set = (key: string, text: string) => cache.set(key, text, { freshUntilMs: 10, expiresAtMs: 10 });
    for (const key of ["a", "b", "c"]) set(key, "1");
    set("a", "2");
    set("d", "1");
    expect(kept()).toBe("acd");
    set("e", "x".repeat(59));
    expect(kept()).toBe("ade");
    set("b", "x".repeat(50));
    expect(kept()).toBe("b");
    set("b", "x".repeat(60));
    expect(kept()).toBe("");
  });
});

test("a sweep removes what is past its lifetime and leaves the rest", async () => {
  await runInDurableObject(object(crypto.randomUUID()), (_object, state) => {
    const cache = createCacheRows(state.storage, { maxEntries: 10, maxChars: 1_000, maxEntryChars: 100 });
    cache.set("a", "1", { freshUntilMs: 5, expiresAtMs: 10 });
    cache.set("b", "1", { freshUntilMs: 20, expiresAtMs: 20 });
    expect(cache.get("a", 4)).toEqual({ text: "1", isFresh: true });
    expect(cache.get("a", 9)).toEqual({ text: "1", isFresh: false });
    expect(cache.get("a", 10)).toBeNull();
    expect(cache.sweep(10)).toBe(1);
    expect(cache.get("b", 10)?.text).toBe("1");
    expect(cache.sweep(20)).toBe(0);
  });
});

test("entries of an earlier layout are let go of, and their table with them", async () => {
  const name = crypto.randomUUID();
  const tables = await runInDurableObject(object(name), async (instance, state) => {
    const { sql } = state.storage;
    sql.exec("CREATE TABLE cache (age INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL) STRICT");
    sql.exec("INSERT INTO cache (key, value) VALUES ('key', 'old')");
    expect((await instance.cacheConsult({ key: "key", claim: null }, [])).lookup).toEqual({
      value: null,
      claim: "none",
    });
    await instance.cacheStore("key", "new", FRESH);
    expect((await instance.cacheConsult(null, ["key"])).also).toEqual(["new"]);
    return sql.exec("SELECT name FROM sqlite_master WHERE name IN ('cache', 'entries')").toArray();
  });
  expect(tables).toEqual([{ name: "entries" }]);
});

test("a value too large to keep is absent, and takes the place of an older one", async () => {
  const key = crypto.randomUUID();
  await store.cacheStore(key, "old", FRESH);
  await store.cacheStore(key, "x".repeat(CACHE_ENTRY_MAX_CHARS), FRESH);
  expect((await store.cacheLookup(key)).value).toBeNull();
});

test("a store that fails is unavailable, with its cause", async () => {
  const failure = new Error("the object was reset");
  const namespace = {
    idFromName: () => {
      throw failure;
    },
  } as unknown as DurableObjectNamespace<SharedStateObject>;
  const broken = createEmbeddedSharedState({ namespace, random: systemRandom });
  for (const call of [
    broken.ping(),
    broken.admit("s", [MINUTE]),
    broken.consult({ admit: { subject: "s", tiers: [MINUTE], tokens: 1 }, lookup: { key: "k" }, also: ["a"] }),
    broken.cacheLookup("k"),
    broken.cacheClear(),
    broken.readCounter("n"),
  ]) {
    const error = await call.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StorageUnavailable);
    expect(error).toMatchObject({ cause: failure });
  }
});

test("a consultation calls the caller's object once, and each object of the cache once", async () => {
  const called: string[] = [];
  const namespace = {
    idFromName: (name: string) => {
      called.push(name);
      return env.SHARED_STATE.idFromName(name);
    },
    get: (id: DurableObjectId) => env.SHARED_STATE.get(id),
  } as unknown as DurableObjectNamespace<SharedStateObject>;
  const counted = createEmbeddedSharedState({ namespace, random: systemRandom });
  const key = crypto.randomUUID();
  const admit = { subject: key, tiers: [MINUTE], tokens: 1 };
  const claim = { token: "token", ttlMs: MINUTE_MS };
  await counted.consult({ admit, lookup: { key, claim }, also: [key, key] });
  expect(called).toHaveLength(2);
  called.length = 0;
  await counted.consult({ also: Array.from({ length: 1_000 }, (_, n) => `${key}-${n}`) });
  expect(called).toHaveLength(CACHE_OBJECTS);
});
