import { Long, ObjectId } from "mongodb";
import { describe, expect, test } from "vitest";
import { ownedData, servers } from "../../src/storage/documents/collections.ts";
import type { Documents } from "../../src/storage/documents/documents.ts";
import { mongoNameOf } from "../../src/storage/documents/mongo-collections.ts";
import { openRawDatabase } from "./raw-database.ts";
import { dataApiInNode, driverInWorkerd } from "./stores.ts";

const dataApi = dataApiInNode();
const ADAPTERS: readonly (readonly [string, Documents, string, Documents])[] = [
  ["mongo-driver", driverInWorkerd(), "data-api", dataApi],
  ["data-api", dataApi, "mongo-driver", driverInWorkerd()],
];

function freshOwner(): string {
  return `owner-${crypto.randomUUID()}`;
}

describe.each(ADAPTERS)("what %s writes", (_writerName, writer, readerName, reader) => {
  test(`is read, changed and deleted by ${readerName}`, async () => {
    const ownerId = freshOwner();
    for (const collection of [ownedData(ownerId, "users: a/b"), servers(ownerId)]) {
      const document = { _id: `x-${ownerId}`, serverId: `x-${ownerId}`, ownerId, deep: { list: [1, "é", null, 2.5] } };
      await writer.insertOne(collection, document);
      expect(await reader.find(collection, { filter: { ownerId }, limit: 5 })).toEqual([document]);
      await reader.updateOne(collection, { _id: document._id }, { $push: { "deep.list": true } });
      expect(await writer.findOne(collection, { "deep.list": true })).toMatchObject({ _id: document._id });
      expect(await reader.deleteOne(collection, { ownerId })).toEqual({ deletedCount: 1 });
      expect(await writer.findOne(collection, { ownerId })).toBeNull();
    }
  });

  test(`holds its unique values against ${readerName} too`, async () => {
    const collection = ownedData(freshOwner(), "users");
    const unique = ["email"];
    expect((await writer.insertOne(collection, { _id: "1", email: "a@b.c" }, { unique })).ok).toBe(true);
    const duplicate = { ok: false, error: { kind: "duplicate_key", fields: ["email"] } };
    expect(await reader.insertOne(collection, { _id: "2", email: "a@b.c" }, { unique })).toEqual(duplicate);
    expect(await reader.insertOne(collection, { _id: "3", email: "a@b.c" })).toEqual(duplicate);
  });
});

test("of inserts of one unique value through both adapters at once, one wins", async () => {
  const collection = ownedData(freshOwner(), "users");
  const results = await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      (n % 2 === 0 ? dataApi : driverInWorkerd()).insertOne(collection, { email: "a" }, { unique: ["email"] }),
    ),
  );
  expect(results.filter((result) => result.ok)).toHaveLength(1);
  expect(await dataApi.find(collection, { filter: {}, limit: 9 })).toHaveLength(1);
});

test("an increment by one adapter and another by the other both count", async () => {
  const collection = ownedData(freshOwner(), "counters");
  await dataApi.insertOne(collection, { _id: "x", n: 0 });
  await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      (n % 2 === 0 ? dataApi : driverInWorkerd()).updateOne(collection, { _id: "x" }, { $inc: { n: 1 } }),
    ),
  );
  expect((await driverInWorkerd().findOne(collection, { _id: "x" }))?.n).toBe(40);
});

test("values of BSON's own types, as other programs write them, read back as plain JSON", async () => {
  const collection = ownedData(freshOwner(), "foreign");
  const raw = openRawDatabase().collection<{ _id: string }>(await mongoNameOf(collection));
  const at = new Date("2026-02-13T10:30:00.000Z");
  const oid = new ObjectId("64b000000000000000000001");
  await raw.insertOne({ _id: "x", at, oid, long: Long.fromNumber(2 ** 40), list: [at, { oid }] } as { _id: string });
  const expected = { _id: "x", at: at.toISOString(), oid: oid.toHexString(), long: 2 ** 40 };
  for (const documents of [driverInWorkerd(), dataApi]) {
    const found = await documents.findOne(collection, { _id: "x" });
    expect(found).toEqual({ ...expected, list: [at.toISOString(), { oid: oid.toHexString() }] });
  }
});

describe("server records whose _id another program made an ObjectId", () => {
  const ids = ["64b000000000000000000001", "a-text", "64b000000000000000000002", "0-text", "64b0-text", "zz-text"];
  const inOrder = [...ids].sort();

  async function insertForeign(): Promise<{ ownerId: string; tag: (id: string) => string }> {
    const ownerId = freshOwner();
    const raw = openRawDatabase().collection<{ _id: string | ObjectId }>("servers");
    // ObjectIds are unique over the collection: their tails are made anew for each test.
    const tail = crypto.randomUUID().replaceAll("-", "").slice(0, 12);
    const tag = (id: string) => (/^64b0{20}\d$/.test(id) ? `64b${tail}00000000${id.at(-1)}` : `${id}-${tail}`);
    for (const id of ids) {
      const _id = /^64b0{20}\d$/.test(id) ? new ObjectId(tag(id)) : tag(id);
      await raw.insertOne({ _id, serverId: `server-${tag(id)}`, ownerId } as { _id: string | ObjectId });
    }
    return { ownerId, tag };
  }

  test("are found, changed and deleted by the hex text of it", async () => {
    const { ownerId, tag } = await insertForeign();
    const _id = tag("64b000000000000000000001");
    const driver = driverInWorkerd();
    const collection = servers(ownerId);
    expect(await driver.findOne(collection, { _id })).toEqual({ _id, serverId: `server-${_id}`, ownerId });
    expect(await driver.find(collection, { filter: { _id: { $in: [_id, "nobody"] } }, limit: 9 })).toHaveLength(1);
    expect(await driver.find(collection, { filter: { ownerId, _id: { $ne: _id } }, limit: 9 })).toHaveLength(5);
    const updated = await driver.updateOne(collection, { _id }, { $set: { name: "n" } });
    expect(updated).toEqual({ ok: true, value: { matchedCount: 1, modifiedCount: 1, upsertedId: null } });
    await driver.updateOne(collection, { ownerId, name: "n" }, { $set: { name: "m" } });
    expect(await driver.findOne(collection, { ownerId, name: "m" })).toMatchObject({ _id });
    expect(await driver.deleteOne(collection, { _id })).toEqual({ deletedCount: 1 });
    expect(await driver.findOne(collection, { _id })).toBeNull();
  });

  test.each([1, -1] as const)("are paged by it among texts, each once and in order (%d)", async (direction) => {
    const { ownerId, tag } = await insertForeign();
    const driver = driverInWorkerd();
    const seen: string[] = [];
    for (let round = 0; round < 10; round++) {
      const last = seen.at(-1);
      const beyond = last === undefined ? {} : { _id: { [direction === 1 ? "$gt" : "$lt"]: last } };
      const filter = { ownerId, ...beyond };
      const page = await driver.find(servers(ownerId), { filter, sort: { _id: direction }, limit: 2 });
      if (page.length === 0) break;
      seen.push(...page.map(({ _id }) => _id));
    }
    const expected = inOrder.map(tag).sort();
    expect(seen).toEqual(direction === 1 ? expected : expected.reverse());
  });

  test("are found and changed by serverId through a gateway that does not read Extended JSON", async () => {
    const { ownerId, tag } = await insertForeign();
    const _id = tag("64b000000000000000000002");
    const serverId = `server-${_id}`;
    expect(await dataApi.findOne(servers(ownerId), { serverId, ownerId })).toEqual({ _id, serverId, ownerId });
    const claimed = await dataApi.updateOne(servers(ownerId), { serverId, ownerId }, { $set: { state: "taken" } });
    expect(claimed.ok && claimed.value.modifiedCount).toBe(1);
    expect(await dataApi.find(servers(ownerId), { filter: { ownerId }, limit: 9 })).toHaveLength(6);
    const again = { _id: "another", serverId, ownerId };
    expect(await dataApi.insertOne(servers(ownerId), again, { unique: ["serverId"] })).toEqual({
      ok: false,
      error: { kind: "duplicate_key", fields: ["serverId"] },
    });
  });
});

test("a document that the database does not take is a RangeError, and nothing is written", async () => {
  const collection = ownedData(freshOwner(), "large");
  const text = "x".repeat(17_000_000);
  await expect(driverInWorkerd().insertOne(collection, { _id: "x", text })).rejects.toThrow(RangeError);
  await expect(dataApi.insertOne(collection, { _id: "x", text })).rejects.toThrow(RangeError);
  expect(await driverInWorkerd().find(collection, { filter: {}, limit: 1 })).toEqual([]);
});

test("a server record is replaced or made under the _id that was asked for, also where it could be an ObjectId", async () => {
  const ownerId = freshOwner();
  const _id = crypto.randomUUID().replaceAll("-", "").slice(0, 24);
  for (const documents of [driverInWorkerd(), dataApi]) {
    const record = { _id, serverId: `s-${_id}`, ownerId };
    const made = await documents.replaceOne(servers(ownerId), { _id }, record, { upsert: true });
    expect(made).toEqual({ ok: true, value: { matchedCount: 0, modifiedCount: 0, upsertedId: _id } });
    expect(await documents.findOne(servers(ownerId), { serverId: `s-${_id}` })).toEqual(record);
    expect(await documents.deleteOne(servers(ownerId), { _id })).toEqual({ deletedCount: 1 });
  }
});
