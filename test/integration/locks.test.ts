import { expect, inject, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { sha256, toHex } from "../../src/core/crypto.ts";
import { StorageUnavailable } from "../../src/core/errors.ts";
import type { Fetch } from "../../src/core/fetch.ts";
import { createIdSource, systemRandom } from "../../src/core/ids.ts";
import { ownedData } from "../../src/storage/documents/collections.ts";
import { createDataApiDocuments } from "../../src/storage/documents/data-api.ts";
import type { Documents } from "../../src/storage/documents/documents.ts";
import { LOCK_LEASE_MS, LOCK_POLL_MAX_MS } from "../../src/storage/documents/limits.ts";
import { LOCKS_COLLECTION, mongoNameOf } from "../../src/storage/documents/mongo-collections.ts";
import { openRawDatabase } from "./raw-database.ts";

const unique = ["email"];

function connect(options: { readonly fetch?: Fetch; readonly aheadMs?: number } = {}): Documents {
  const { gatewayUrl, gatewayKey, database } = inject("mongodb");
  let aheadMs = options.aheadMs ?? 0;
  return createDataApiDocuments({
    baseUrl: gatewayUrl,
    apiKey: gatewayKey,
    auth: "api-key",
    database,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    ids: createIdSource(systemClock, systemRandom),
    clock: {
      now: () => Date.now() + aheadMs,
      // The pauses between two looks at a lock pass at once.
      after(ms, action) {
        if (ms > LOCK_POLL_MAX_MS) return systemClock.after(ms, action);
        aheadMs += ms;
        return systemClock.after(0, action);
      },
    },
  });
}

function freshCollection() {
  return ownedData(`owner-${crypto.randomUUID()}`, "users");
}

async function locksOf(collection: ReturnType<typeof freshCollection>, email: string) {
  const key = JSON.stringify([await mongoNameOf(collection), "email", JSON.stringify(email)]);
  const _id = toHex(await sha256(key));
  return openRawDatabase().collection<{ _id: string }>(LOCKS_COLLECTION).find({ _id }).toArray();
}

test("no lock is left of a write that ended, however it did", async () => {
  const collection = freshCollection();
  const documents = connect();
  expect((await documents.insertOne(collection, { _id: "1", email: "a" }, { unique })).ok).toBe(true);
  expect((await documents.insertOne(collection, { _id: "2", email: "a" }, { unique })).ok).toBe(false);
  expect((await documents.insertOne(collection, { _id: "1", email: "b" }, { unique })).ok).toBe(false);
  expect(await locksOf(collection, "a")).toEqual([]);
  expect(await locksOf(collection, "b")).toEqual([]);
  expect((await documents.insertOne(collection, { _id: "2", email: "b" }, { unique })).ok).toBe(true);
});

test("a writer that crashed with its lock blocks the value no longer than its lease", async () => {
  const collection = freshCollection();
  await connect().insertOne(collection, { _id: "0", email: "other" }, { unique });
  const crashing = connect({
    fetch: (url, init) => {
      const { collection: name } = JSON.parse(String(init.body)) as { collection: string };
      const dies = url.endsWith("/insertOne") && name !== LOCKS_COLLECTION;
      return dies || url.endsWith("/deleteMany") ? Promise.reject(new Error("gone")) : fetch(url, init);
    },
  });
  await expect(crashing.insertOne(collection, { _id: "1", email: "a" }, { unique })).rejects.toThrow(
    StorageUnavailable,
  );
  expect(await locksOf(collection, "a")).toHaveLength(1);
  const early = connect().insertOne(collection, { _id: "2", email: "a" }, { unique });
  await expect(early).rejects.toThrow(StorageUnavailable);
  expect((await connect().insertOne(collection, { _id: "3", email: "b" }, { unique })).ok).toBe(true);
  const late = await connect({ aheadMs: LOCK_LEASE_MS + 1_000 }).insertOne(
    collection,
    { _id: "2", email: "a" },
    { unique },
  );
  expect(late.ok).toBe(true);
  expect(await locksOf(collection, "a")).toEqual([]);
});

test("a writer that crashed after its write leaves a taken value", async () => {
  const collection = freshCollection();
  const crashing = connect({
    fetch: (url, init) => (url.endsWith("/deleteMany") ? Promise.reject(new Error("gone")) : fetch(url, init)),
  });
  expect((await crashing.insertOne(collection, { _id: "1", email: "a" }, { unique })).ok).toBe(true);
  expect(await connect().insertOne(collection, { _id: "2", email: "a" }, { unique })).toEqual({
    ok: false,
    error: { kind: "duplicate_key", fields: ["email"] },
  });
});

test("an update of many stops at the first value that another document has", async () => {
  const collection = freshCollection();
  const documents = connect();
  for (const n of [1, 2, 3]) await documents.insertOne(collection, { _id: `${n}`, email: `${n}` }, { unique });
  const same = await documents.updateMany(collection, {}, { $set: { email: "same" } });
  expect(same).toEqual({ ok: false, error: { kind: "duplicate_key", fields: ["email"] } });
  const emails = (await documents.find(collection, { filter: {}, limit: 9 })).map(({ email }) => email);
  expect(new Set(emails).size).toBe(3);
});
