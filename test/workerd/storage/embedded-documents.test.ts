import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import type { Json } from "../../../src/core/json.ts";
import type { Collection, Filter } from "../../../src/storage/documents/documents.ts";
import { createEmbeddedDocuments } from "../../../src/storage/documents/embedded.ts";
import type { DocumentsObject } from "../../../src/storage/documents/embedded-object.ts";
import { loadFilterCompiler } from "../../../src/storage/documents/matcher.ts";
import { insertAll } from "../../contract/documents/harness.ts";
import { createRandomJson } from "../../support/storage/random-json.ts";

const ids = createIdSource(systemClock, systemRandom);
const documents = createEmbeddedDocuments({ namespace: env.DOCUMENTS, ids });

function freshCollection(): Collection & { readonly kind: "owned" } {
  return { kind: "owned", name: "things", ownerId: crypto.randomUUID() };
}

function objectOf(collection: Collection & { readonly kind: "owned" }): DurableObjectStub<DocumentsObject> {
  return env.DOCUMENTS.get(env.DOCUMENTS.idFromName(`data:${collection.ownerId}:${collection.name}`));
}

test("documents and declared unique fields outlive the object that served them", async () => {
  const collection = freshCollection();
  await documents.insertOne(collection, { _id: "x", email: "a" }, { unique: ["email"] });
  await documents.updateOne(collection, { _id: "x" }, { $set: { n: 2 } });
  await evictDurableObject(objectOf(collection));
  expect(await documents.findOne(collection, { email: "a" })).toEqual({ _id: "x", email: "a", n: 2 });
  const again = await documents.insertOne(collection, { _id: "y", email: "a" });
  expect(again).toEqual({ ok: false, error: { kind: "duplicate_key", fields: ["email"] } });
});

test("asking for what was never stored leaves nothing behind", async () => {
  const collection = freshCollection();
  await documents.findOne(collection, { _id: "x" });
  await documents.find(collection, { filter: { a: 1 }, sort: { a: 1 }, limit: 1 });
  await documents.updateOne(collection, { _id: "x" }, { $set: { a: 1 } });
  await documents.deleteMany(collection, {});
  const tables = await runInDurableObject(objectOf(collection), (_object, state) =>
    state.storage.sql.exec("SELECT name FROM sqlite_master WHERE name LIKE '%u%'").toArray(),
  );
  expect(tables).toEqual([]);
});

test("a document larger than a row is refused, and what was stored stays", async () => {
  const collection = freshCollection();
  const half = "x".repeat(1_100_000);
  await expect(documents.insertOne(collection, { _id: "x", text: half + half })).rejects.toThrow(RangeError);
  await insertAll(documents, collection, [{ _id: "y", text: half }]);
  await expect(documents.updateOne(collection, {}, { $set: { more: half } })).rejects.toThrow(RangeError);
  await expect(documents.replaceOne(collection, {}, { text: "é".repeat(1_100_000) })).rejects.toThrow(RangeError);
  expect(await documents.find(collection, { filter: {}, limit: 9 })).toEqual([{ _id: "y", text: half }]);
});

test("an answer larger than a message is refused, and a smaller page is given", async () => {
  const collection = freshCollection();
  const text = "x".repeat(1_900_000);
  for (let n = 0; n < 9; n++) await insertAll(documents, collection, [{ _id: `${n}`, n, text }]);
  await expect(documents.find(collection, { filter: {}, limit: 9 })).rejects.toThrow(RangeError);
  await expect(documents.find(collection, { filter: {}, sort: { n: -1 }, limit: 9 })).rejects.toThrow(RangeError);
  const best = await documents.find(collection, { filter: {}, sort: { n: -1 }, limit: 2 });
  expect(best.map((document) => document._id)).toEqual(["8", "7"]);
});

test("a page in order of _id does not read what lies behind it", async () => {
  const collection = freshCollection();
  await insertAll(documents, collection, [
    { _id: "a", n: 1 },
    { _id: "b", n: 2 },
    { _id: "c", n: 3 },
  ]);
  await runInDurableObject(objectOf(collection), (_object, state) => {
    state.storage.sql.exec("UPDATE documents SET body = 'unreadable' WHERE id = 'c'");
  });
  const found = await documents.find(collection, { filter: { n: { $gt: 0 } }, limit: 2 });
  expect(found.map((document) => document._id)).toEqual(["a", "b"]);
});

test("a sort over many documents keeps the best of all", async () => {
  const collection = freshCollection();
  const count = 2_500;
  const all = Array.from({ length: count }, (_, n) => ({ _id: `${n}`, rank: (n * 7_919) % count }));
  await Promise.all(all.map((document) => documents.insertOne(collection, document)));
  const best = await documents.find(collection, { filter: {}, sort: { rank: 1 }, limit: 3 });
  expect(best.map((document) => document.rank)).toEqual([0, 1, 2]);
});

test("an updateMany that one document refuses changes none", async () => {
  const collection = freshCollection();
  await documents.insertOne(collection, { _id: "a", code: 1 }, { unique: ["code"] });
  await insertAll(documents, collection, [{ _id: "b", code: 2 }]);
  const updated = await documents.updateMany(collection, {}, { $set: { code: 3 } });
  expect(updated).toEqual({ ok: false, error: { kind: "duplicate_key", fields: ["code"] } });
  expect(await documents.findOne(collection, { code: 1 })).toEqual({ _id: "a", code: 1 });
  expect((await documents.insertOne(collection, { _id: "c", code: 3 })).ok).toBe(true);
});

test("narrowing in SQL finds exactly what the filter alone would", async () => {
  const collection = freshCollection();
  const random = createRandomJson(20_260_213);
  const all = Array.from({ length: 150 }, (_, n) => random.document(`id-${n % 10}-${n}`));
  await insertAll(documents, collection, all);
  const compile = await loadFilterCompiler();
  const known = all.map((document) => String(document._id));
  let matched = 0;
  for (let n = 0; n < 600; n++) {
    const filter = random.filter(known);
    const matches = compile(filter);
    const expected = all.filter(matches).map((document) => String(document._id));
    const found = await documents.find(collection, { filter, limit: 1_000 });
    expect(
      found.map((document) => document._id),
      JSON.stringify(filter),
    ).toEqual(expected.sort());
    matched += expected.length;
  }
  expect(matched).toBeGreaterThan(1_000);
});

const numbers = Array.from({ length: 100_000 }, (_, n) => n);
/** A filter that takes more work, on such a list, than one operation on an owner's data may do. */
const COSTLY: Filter = { $or: Array.from({ length: 60 }, () => ({ list: { $lt: 0 } })) };

test("what takes an owner too much work is refused and writes nothing, be it a read, a change or a removal", async () => {
  const collection = freshCollection();
  await insertAll(documents, collection, [{ _id: "x", list: numbers }]);
  await expect(documents.findOne(collection, COSTLY)).rejects.toThrow(RangeError);
  await expect(documents.find(collection, { filter: COSTLY, limit: 1 })).rejects.toThrow(RangeError);
  await expect(documents.find(collection, { filter: COSTLY, sort: { n: 1 }, limit: 1 })).rejects.toThrow(RangeError);
  await expect(documents.updateMany(collection, COSTLY, { $set: { n: 1 } })).rejects.toThrow(RangeError);
  await expect(documents.deleteMany(collection, COSTLY)).rejects.toThrow(RangeError);
  expect(await documents.find(collection, { filter: {}, limit: 9 })).toEqual([{ _id: "x", list: numbers }]);
});

test("our own collections are cleaned up however much work it is", async () => {
  const collection: Collection = { kind: "system", name: "things", partition: crypto.randomUUID() };
  await insertAll(documents, collection, [{ _id: "x", list: numbers }]);
  expect(await documents.deleteMany(collection, COSTLY)).toEqual({ deletedCount: 0 });
});

test("more documents than go at once are all removed, and no others", async () => {
  const collection = freshCollection();
  await insertAll(documents, collection, [{ _id: "0", keep: true }]);
  await runInDurableObject(objectOf(collection), (_object, state) => {
    state.storage.sql.exec(`INSERT INTO documents
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 11000)
      SELECT 'things', CAST(i AS TEXT), json_object('_id', CAST(i AS TEXT)) FROM n`);
  });
  expect(await documents.deleteMany(collection, { keep: { $ne: true } })).toEqual({ deletedCount: 11_000 });
  expect(await documents.find(collection, { filter: {}, limit: 9 })).toEqual([{ _id: "0", keep: true }]);
});

test("documents of many unique values are all removed, and free them", async () => {
  const collection = freshCollection();
  const unique = ["list"];
  for (let n = 0; n < 6; n++) {
    const list = numbers.slice(0, 9_999).map((value) => value * 10 + n);
    expect((await documents.insertOne(collection, { list }, { unique })).ok).toBe(true);
  }
  expect(await documents.deleteMany(collection, {})).toEqual({ deletedCount: 6 });
  expect((await documents.insertOne(collection, { list: numbers.slice(0, 99) }, { unique })).ok).toBe(true);
});

test("lists of lists that a path of indexes leads into stop nobody", async () => {
  const collection = freshCollection();
  let value: Json = 1;
  for (let n = 0; n < 30; n++) value = [{ "0": value }];
  const path = `a${".0".repeat(60)}`;
  const document = { _id: "x", a: value };
  expect((await documents.insertOne(collection, document, { unique: [path] })).ok).toBe(true);
  expect(await documents.findOne(collection, { [path]: { $gt: 5 } })).toBeNull();
  expect(await documents.find(collection, { filter: {}, sort: { [path]: 1 }, limit: 1 })).toEqual([document]);
});

test("a document takes only so many unique values", async () => {
  const collection = freshCollection();
  const insert = (count: number) =>
    documents.insertOne(collection, { list: numbers.slice(0, count) }, { unique: ["list"] });
  await expect(insert(10_001)).rejects.toThrow(RangeError);
  expect(await documents.uniqueFields(collection)).toEqual([]);
  expect((await insert(10_000)).ok).toBe(true);
});

test("a store that fails is unavailable, whatever it failed of, and the failure is told apart", async () => {
  const failure = new Error("the object was reset; mongodb://user:secret@host");
  const namespace = {
    idFromName: () => {
      throw failure;
    },
  } as unknown as DurableObjectNamespace<DocumentsObject>;
  const broken = createEmbeddedDocuments({ namespace, ids });
  const error = await broken.findOne(freshCollection(), {}).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StorageUnavailable);
  expect(error).toMatchObject({ message: "the document store does not answer", cause: failure });
  await expect(broken.ping()).rejects.toThrow(StorageUnavailable);
});

test("an object that throws within is unavailable too", async () => {
  const collection = freshCollection();
  await insertAll(documents, collection, [{ _id: "x", n: 1 }]);
  await runInDurableObject(objectOf(collection), (_object, state) => {
    state.storage.sql.exec("UPDATE documents SET body = 'unreadable'");
  });
  await expect(documents.findOne(collection, { n: { $gt: 0 } })).rejects.toThrow(StorageUnavailable);
});
