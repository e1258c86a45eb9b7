import { expect, test } from "vitest";
import type { Document, Filter, Update } from "../../../src/storage/documents/documents.ts";
import { freshCollection, idsOf, insertAll, type MakeDocuments, type ServerLacks } from "./harness.ts";

const CASES: readonly (readonly [string, Document, Update, Document])[] = [
  ["$set of a field", { a: 1 }, { $set: { a: 2 } }, { a: 2 }],
  ["$set of a new field", { a: 1 }, { $set: { b: { c: [1] } } }, { a: 1, b: { c: [1] } }],
  ["$set of a dotted path keeps its siblings", { a: { b: 1, c: 2 } }, { $set: { "a.b": 9 } }, { a: { b: 9, c: 2 } }],
  ["$set makes the objects on the way", {}, { $set: { "a.b.c": 1 } }, { a: { b: { c: 1 } } }],
  ["$set of an element", { a: [1, 2] }, { $set: { "a.1": 9 } }, { a: [1, 9] }],
  ["$set behind the end fills with null", { a: [1] }, { $set: { "a.3": 9 } }, { a: [1, null, null, 9] }],
  ["$set inside an element", { a: [{ b: 1 }] }, { $set: { "a.0.b": 2 } }, { a: [{ b: 2 }] }],
  [
    "$set beside an object with odd names",
    { constructor: { name: "Lotus" } },
    { $set: { a: 1 } },
    { constructor: { name: "Lotus" }, a: 1 },
  ],
  ["$unset", { a: 1, b: 2 }, { $unset: { a: "" } }, { b: 2 }],
  ["$unset of a dotted path", { a: { b: 1, c: 2 } }, { $unset: { "a.b": "" } }, { a: { c: 2 } }],
  ["$inc", { n: 1 }, { $inc: { n: 2 } }, { n: 3 }],
  ["$inc down, by a fraction", { n: 1 }, { $inc: { n: -1.5 } }, { n: -0.5 }],
  ["$inc of a missing field", {}, { $inc: { "stats.runs": 5 } }, { stats: { runs: 5 } }],
  ["$push", { a: [1] }, { $push: { a: { b: 2 } } }, { a: [1, { b: 2 }] }],
  ["$push makes the list", {}, { $push: { "a.b": 1 } }, { a: { b: [1] } }],
  ["$push of a list is one element", { a: [] }, { $push: { a: [1, 2] } }, { a: [[1, 2]] }],
  ["$pull of a value takes all that are equal", { a: [1, 2, 1, "1"] }, { $pull: { a: 1 } }, { a: [2, "1"] }],
  ["$pull by operators", { a: [1, 5, 9] }, { $pull: { a: { $gte: 5 } } }, { a: [1] }],
  ["$pull by $in", { a: ["x", "y", "z"] }, { $pull: { a: { $in: ["x", "z"] } } }, { a: ["y"] }],
  [
    "$pull of objects by their fields",
    { a: [{ b: 1, c: 1 }, { b: 2 }] },
    { $pull: { a: { b: 1 } } },
    { a: [{ b: 2 }] },
  ],
  [
    "several operators at once",
    { a: 1, b: 1, c: [1] },
    { $set: { a: 2 }, $unset: { b: "" }, $push: { c: 2 } },
    { a: 2, c: [1, 2] },
  ],
  ["$setOnInsert does nothing to a match", { a: 1 }, { $set: { a: 2 }, $setOnInsert: { b: 1 } }, { a: 2 }],
];

const UNCHANGED: readonly (readonly [string, Document, Update])[] = [
  ["$set to what stands there", { a: { b: [1, null] } }, { $set: { a: { b: [1, null] } } }],
  ["$unset of a missing field", { a: 1 }, { $unset: { b: "", "c.d": "" } }],
  ["$inc by nothing", { a: 1 }, { $inc: { a: 0 } }],
  ["$pull of what is not there", { a: [1] }, { $pull: { a: 2 } }],
  ["$pull from a missing field", {}, { $pull: { a: 2 } }],
];

export function describeUpdates(makeStore: MakeDocuments, lacks: ServerLacks): void {
  const cases = lacks.nestedLists ? CASES.filter(([title]) => title !== "$push of a list is one element") : CASES;

  test.each(cases)("updateOne: %s", async (_title, before, update, after) => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [{ _id: "x", ...before }]);
    const updated = await documents.updateOne(collection, { _id: "x" }, update);
    expect(updated).toEqual({ ok: true, value: { matchedCount: 1, modifiedCount: 1, upsertedId: null } });
    expect(await documents.findOne(collection, { _id: "x" })).toEqual({ _id: "x", ...after });
  });

  test.each(UNCHANGED)("updateOne modifies nothing: %s", async (_title, before, update) => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [{ _id: "x", ...before }]);
    const updated = await documents.updateOne(collection, { _id: "x" }, update);
    expect(updated).toEqual({ ok: true, value: { matchedCount: 1, modifiedCount: 0, upsertedId: null } });
    expect(await documents.findOne(collection, { _id: "x" })).toEqual({ _id: "x", ...before });
  });

  test("updateOne changes the first match in order of _id, and only it", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [
      { _id: "2", g: 1 },
      { _id: "1", g: 1 },
      { _id: "3", g: 1 },
    ]);
    await documents.updateOne(collection, { g: 1 }, { $set: { hit: true } });
    expect(await idsOf(documents, collection, { hit: true })).toEqual(["1"]);
  });

  test("updateMany counts what matched and what changed", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [
      { _id: "1", g: 1, s: "new" },
      { _id: "2", g: 1 },
      { _id: "3", g: 2 },
    ]);
    const updated = await documents.updateMany(collection, { g: 1 }, { $set: { s: "new" } });
    expect(updated).toEqual({ ok: true, value: { matchedCount: 2, modifiedCount: 1, upsertedId: null } });
    expect(await idsOf(documents, collection, { s: "new" })).toEqual(["1", "2"]);
  });

  test("updates of nothing say so", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    const none = { ok: true, value: { matchedCount: 0, modifiedCount: 0, upsertedId: null } };
    expect(await documents.updateOne(collection, { _id: "x" }, { $set: { a: 1 } })).toEqual(none);
    expect(await documents.updateMany(collection, {}, { $set: { a: 1 } })).toEqual(none);
    expect(await documents.replaceOne(collection, { _id: "x" }, { a: 1 })).toEqual(none);
    expect(await documents.deleteOne(collection, { _id: "x" })).toEqual({ deletedCount: 0 });
    expect(await documents.deleteMany(collection, {})).toEqual({ deletedCount: 0 });
  });

  test("an upsert is made from the filter's equalities, the update and $setOnInsert", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    const filter: Filter = { _id: "x", kind: "k", "deep.er": { $eq: 1 }, n: { $gt: 5 }, $and: [{ m: 2 }] };
    const update: Update = { $set: { a: 1 }, $inc: { runs: 1 }, $setOnInsert: { made: "now" } };
    const upserted = await documents.updateOne(collection, filter, update, { upsert: true });
    expect(upserted).toEqual({ ok: true, value: { matchedCount: 0, modifiedCount: 0, upsertedId: "x" } });
    const expected = { _id: "x", kind: "k", deep: { er: 1 }, m: 2, a: 1, runs: 1, made: "now" };
    expect(await documents.findOne(collection, { _id: "x" })).toEqual(expected);
  });

  test("an upsert without an _id gets a new one", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    const upserted = await documents.updateOne(collection, { a: 1 }, { $set: { b: 2 } }, { upsert: true });
    const id = upserted.ok ? upserted.value.upsertedId : null;
    expect(id).toEqual(expect.stringMatching(/./));
    expect(await documents.findOne(collection, { a: 1 })).toEqual({ _id: id, a: 1, b: 2 });
  });

  test("an upsert that matches is an update", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [{ _id: "x", a: 1 }]);
    const upserted = await documents.updateOne(collection, { a: 1 }, { $set: { b: 2 } }, { upsert: true });
    expect(upserted).toEqual({ ok: true, value: { matchedCount: 1, modifiedCount: 1, upsertedId: null } });
    expect(await idsOf(documents, collection, {})).toEqual(["x"]);
  });

  test("replaceOne keeps the _id and nothing else", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [{ _id: "x", a: 1, b: 2 }]);
    const replaced = await documents.replaceOne(collection, { a: 1 }, { c: 3 });
    expect(replaced).toEqual({ ok: true, value: { matchedCount: 1, modifiedCount: 1, upsertedId: null } });
    expect(await documents.findOne(collection, {})).toEqual({ _id: "x", c: 3 });
  });

  if (!lacks.sameReplacement)
    test("replaceOne by the same modifies nothing", async () => {
      const documents = await makeStore();
      const collection = freshCollection();
      await insertAll(documents, collection, [{ _id: "x", c: 3 }]);
      const same = await documents.replaceOne(collection, { _id: "x" }, { c: 3 });
      expect(same).toEqual({ ok: true, value: { matchedCount: 1, modifiedCount: 0, upsertedId: null } });
    });

  test("replaceOne with upsert inserts the replacement under the filter's _id", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    const replaced = await documents.replaceOne(collection, { _id: "x", a: 1 }, { c: 3 }, { upsert: true });
    expect(replaced).toEqual({ ok: true, value: { matchedCount: 0, modifiedCount: 0, upsertedId: "x" } });
    expect(await documents.findOne(collection, { _id: "x" })).toEqual({ _id: "x", c: 3 });
  });

  test("deleteOne takes the first match in order of _id, deleteMany all", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [
      { _id: "b", g: 1 },
      { _id: "a", g: 1 },
      { _id: "c", g: 1 },
      { _id: "d", g: 2 },
    ]);
    expect(await documents.deleteOne(collection, { g: 1 })).toEqual({ deletedCount: 1 });
    expect(await idsOf(documents, collection, {})).toEqual(["b", "c", "d"]);
    expect(await documents.deleteMany(collection, { g: 1 })).toEqual({ deletedCount: 2 });
    expect(await idsOf(documents, collection, {})).toEqual(["d"]);
  });
}
