import { expect, test } from "vitest";
import type { Json } from "../../../src/core/json.ts";
import type { Document, Filter, Sort, Update } from "../../../src/storage/documents/documents.ts";
import { escapeFieldNames, unescapeFieldNames } from "../../../src/storage/documents/field-names.ts";
import { freshCollection, idsOf, insertAll, type MakeDocuments, type ServerLacks } from "./harness.ts";

const LONG_CHARS = 500_000;

const VALUES: readonly (readonly [string, Json])[] = [
  ["the largest number", 1.7976931348623157e308],
  ["a large number", 1e308],
  ["the smallest number", 5e-324],
  ["2^53", 2 ** 53],
  ["-(2^53)", -(2 ** 53)],
  ["a fraction", 0.1 + 0.2],
  ["a small exponent", 1e-7],
  ["a large integer", 1e21],
  ["zero", 0],
  ["the empty text", ""],
  ["a NUL", "a\0b"],
  ["control characters", "\u0001\u001f\u007f\r\n\t"],
  ["quotes and slashes", `'"\`\\/; DROP TABLE documents; --`],
  ["SQL wildcards", "%_*?["],
  ["text beyond the basic plane", "\u{1f600}\u{10ffff}"],
  ["combining marks", "e\u0301 \u00e9"],
  ["line separators", "\u2028\u2029"],
  ["a template", "{{secrets.KEY}} $where"],
  ["a field's name", "$name"],
  ["__proto__ as text", "__proto__"],
];

const NAMES = [
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "length",
  "a b",
  'a"b',
  "a'b",
  "a\\b",
  "[0]",
  "0",
  "é",
  "\u{1f600}",
  "valueOf",
  "",
  "＄where",
  "a．b",
  "␛＄．␛",
];

export function describeHostile(makeStore: MakeDocuments, lacks: ServerLacks): void {
  const names = lacks.quotedNames ? NAMES.filter((name) => !/["\\]/.test(name)) : NAMES;

  test.each(VALUES)("%s is stored, found and told apart", async (_title, value) => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [
      { _id: "x", v: value },
      { _id: "y", v: "another" },
    ]);
    expect(await documents.findOne(collection, { _id: "x" })).toEqual({ _id: "x", v: value });
    expect(await idsOf(documents, collection, { v: value })).toEqual(["x"]);
    expect(await idsOf(documents, collection, { v: { $in: [value] } })).toEqual(["x"]);
    expect(await idsOf(documents, collection, { v: { $ne: value } })).toEqual(["y"]);
  });

  test.each(VALUES.filter(([, value]) => typeof value === "string" && value !== ""))(
    "%s serves as an _id and as a unique value",
    async (_title, value) => {
      const documents = await makeStore();
      const collection = freshCollection();
      const id = String(value);
      const document = { _id: id, v: value };
      expect(await documents.insertOne(collection, document, { unique: ["v"] })).toEqual({ ok: true, value: document });
      expect((await documents.insertOne(collection, { _id: `${id}!`, v: value })).ok).toBe(false);
      expect((await documents.insertOne(collection, { _id: id, v: "free" })).ok).toBe(false);
      expect(await documents.findOne(collection, { _id: id })).toEqual(document);
      expect(await documents.findOne(collection, { _id: { $in: [id] } })).toEqual(document);
      expect(await documents.findOne(collection, { v: value })).toEqual(document);
      expect(await documents.deleteOne(collection, { _id: id })).toEqual({ deletedCount: 1 });
    },
  );

  test("negative zero is zero", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [{ _id: "x", v: -0 }]);
    expect(await idsOf(documents, collection, { v: 0 })).toEqual(["x"]);
    expect((await documents.findOne(collection, { v: -0 }))?.v).toBeCloseTo(0);
  });

  test("a long text is stored and found", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    const text = "é".repeat(LONG_CHARS);
    await insertAll(documents, collection, [{ _id: "x", text }]);
    expect(await idsOf(documents, collection, { text })).toEqual(["x"]);
    expect((await documents.findOne(collection, { _id: "x" }))?.text).toBe(text);
  });

  test.each(names)("a field may be called %j", async (name) => {
    const documents = await makeStore();
    const collection = freshCollection();
    const document = { _id: "x", [name]: { name: "inner" }, n: 1 };
    expect(await documents.insertOne(collection, document)).toEqual({ ok: true, value: document });
    await documents.updateOne(collection, { n: 1 }, { $inc: { n: 1 } });
    expect(await documents.findOne(collection, { n: 2 })).toEqual({ ...document, n: 2 });
  });

  test("names with $ and dots come back as they were where they are written for a store", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    const value = {
      $ref: { "a.b": [{ $where: 1 }], "a．b": 2 },
      "＄ref": { ".": null, "．": true, "..": [], $: {}, "＄": "$" },
      a$: { "␛": 1, "␛．": 2, "␛.": 3, "␛＄": 4, "␛␛": 5 },
    };
    const written = escapeFieldNames(value);
    const read = async () => {
      const [whole, ...more] = await documents.find(collection, { filter: { n: 1 }, limit: 9 });
      const [part] = await documents.find(collection, { filter: { n: 1 }, limit: 9, fields: ["v"] });
      expect([part?.v, more]).toEqual([whole?.v, []]);
      return unescapeFieldNames(whole?.v ?? null);
    };
    await insertAll(documents, collection, [{ _id: "x", n: 1, v: written }]);
    expect(await read()).toEqual(value);
    await documents.updateOne(collection, { _id: "x" }, { $set: { v: escapeFieldNames([value]) } });
    expect(await read()).toEqual([value]);
    await documents.replaceOne(collection, { n: 1 }, { n: 1, v: written });
    expect(await read()).toEqual(value);
    expect(await idsOf(documents, collection, { v: written })).toEqual(["x"]);
  });

  test("names that look like $ and dots are names like others, in paths too", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [
      { _id: "x", "a．b": 1, o: { "＄in": [1], "␛": "y" } },
      { _id: "y", a: { b: 1 }, o: { in: [1] } },
    ]);
    expect(await idsOf(documents, collection, { "a．b": 1 })).toEqual(["x"]);
    expect(await idsOf(documents, collection, { "a.b": 1 })).toEqual(["y"]);
    expect(await idsOf(documents, collection, { "o.＄in": 1, "o.␛": { $exists: true } })).toEqual(["x"]);
    await documents.updateOne(collection, { _id: "x" }, { $inc: { "a．b": 1 }, $set: { "o.␛": "z" } });
    const fields = ["a．b"];
    expect(await documents.find(collection, { filter: {}, sort: { "a．b": -1 }, limit: 9, fields })).toEqual([
      { _id: "x", "a．b": 2 },
      { _id: "y" },
    ]);
    expect(await documents.findOne(collection, { "o.␛": "z" })).toEqual({
      _id: "x",
      "a．b": 2,
      o: { "＄in": [1], "␛": "z" },
    });
    const again = await documents.insertOne(collection, { _id: "z", "a．b": 2 }, { unique: ["a．b"] });
    expect(again).toEqual({ ok: false, error: { kind: "duplicate_key", fields: ["a．b"] } });
    expect((await documents.insertOne(collection, { _id: "z", "a．b": 1, a: { b: 2 } })).ok).toBe(true);
  });

  test("a missing field with an inherited name is missing", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [{ _id: "x" }]);
    expect(await idsOf(documents, collection, { toString: { $exists: true } })).toEqual([]);
    expect(await idsOf(documents, collection, { "toString.name": { $exists: true } })).toEqual([]);
    await documents.updateOne(collection, { _id: "x" }, { $set: { "toString.x": 1 } });
    expect(await documents.findOne(collection, { "toString.x": 1 })).toEqual({ _id: "x", toString: { x: 1 } });
  });

  const proto: Document = JSON.parse('{"a": {"__proto__": {"polluted": 1}}}');
  test.each<readonly [string, Document]>([
    ["a name that starts with $", { $set: 1 }],
    ["such a name in depth", { a: [{ b: { $ne: null } }] }],
    ["a name with a dot", { "a.b": 1 }],
    ["a name with NUL", { "a\0": 1 }],
    ["__proto__", proto],
    ["an _id that is a number", { _id: 1 }],
    ["an _id that is an object", { _id: { $ne: null } }],
    ["an empty _id", { _id: "" }],
    ["half a surrogate pair", { a: "\ud800" }],
    ["no number", { a: Number.NaN }],
    ["more depth than any store takes", nest(150)],
  ])("a document with %s is refused", async (_title, document) => {
    const documents = await makeStore();
    const collection = freshCollection();
    await expect(documents.insertOne(collection, document)).rejects.toThrow(TypeError);
    await expect(documents.replaceOne(collection, {}, document, { upsert: true })).rejects.toThrow(TypeError);
    expect(await idsOf(documents, collection, {})).toEqual([]);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  test.each<readonly [string, Filter]>([
    ["an operator that is not of the subset", { a: { $regex: "x" } }],
    ["$where", { $where: "1" }],
    ["$expr", { $expr: { $eq: [1, 1] } }],
    ["operators beside fields", { a: { $gt: 1, b: 2 } }],
    ["an $in without a list", { a: { $in: "x" } }],
    ["an empty $or", { $or: [] }],
    ["a prototype's name", { "a.constructor.b": 1 }],
    ["an empty part", { "a..b": 1 }],
  ])("a filter with %s is refused", async (_title, filter) => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [{ _id: "x" }]);
    await expect(documents.find(collection, { filter, limit: 1 })).rejects.toThrow(TypeError);
    await expect(documents.findOne(collection, filter)).rejects.toThrow(TypeError);
    await expect(documents.deleteMany(collection, filter)).rejects.toThrow(TypeError);
    await expect(documents.updateMany(collection, filter, { $set: { a: 1 } })).rejects.toThrow(TypeError);
    expect(await documents.find(collection, { filter: {}, limit: 9 })).toEqual([{ _id: "x" }]);
  });

  test.each<readonly [string, Update]>([
    ["no operator", { a: 1 }],
    ["an operator that is not of the subset", { $rename: { a: "b" } }],
    ["the _id", { $set: { _id: "y" } }],
    ["a prototype's name", { $set: { "a.__proto__.b": 1 } }],
    ["an operator as a value", { $set: { a: { $ne: null } } }],
    ["$each", { $push: { a: { $each: [1] } } }],
    ["a positional path", { $set: { "a.$.b": 1 } }],
    ["an $inc by text", { $inc: { a: "1" } }],
    ["one path twice", { $set: { "a.b": 1 }, $unset: { a: "" } }],
  ])("an update with %s is refused", async (_title, update) => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [{ _id: "x", a: [{ b: 1 }] }]);
    await expect(documents.updateOne(collection, {}, update)).rejects.toThrow(TypeError);
    await expect(documents.updateMany(collection, {}, update)).rejects.toThrow(TypeError);
    expect(await documents.findOne(collection, {})).toEqual({ _id: "x", a: [{ b: 1 }] });
  });

  test.each<readonly [string, Document, Update]>([
    ["$inc of a text", { a: "1" }, { $inc: { a: 1 } }],
    ["$inc of null", { a: null }, { $inc: { a: 1 } }],
    ["$push to a text", { a: "x" }, { $push: { a: 1 } }],
    ["$pull from a text", { a: "x" }, { $pull: { a: "x" } }],
    ["$set through a number", { a: 1 }, { $set: { "a.b": 1 } }],
    ["$set through null", { a: null }, { $set: { "a.b": 1 } }],
    ["$set of a name within a list", { a: [1] }, { $set: { "a.b": 1 } }],
  ])("an update that does not fit its document is refused: %s", async (_title, before, update) => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [{ _id: "x", ...before }]);
    await expect(documents.updateOne(collection, { _id: "x" }, update)).rejects.toThrow(TypeError);
    expect(await documents.findOne(collection, {})).toEqual({ _id: "x", ...before });
  });

  test("a replacement may not change the _id", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [{ _id: "x", a: 1 }]);
    await expect(documents.replaceOne(collection, { a: 1 }, { _id: "y", a: 2 })).rejects.toThrow(TypeError);
    expect((await documents.replaceOne(collection, { a: 1 }, { _id: "x", a: 2 })).ok).toBe(true);
    expect(await documents.findOne(collection, {})).toEqual({ _id: "x", a: 2 });
  });

  if (lacks.nestedLists)
    test("a list within a list is refused where the server has none, and nothing is written", async () => {
      const documents = await makeStore();
      const collection = freshCollection();
      await expect(documents.insertOne(collection, { _id: "x", grid: [[1]] })).rejects.toThrow(TypeError);
      await insertAll(documents, collection, [{ _id: "y", list: [] }]);
      await expect(documents.updateOne(collection, { _id: "y" }, { $push: { list: [1] } })).rejects.toThrow(TypeError);
      expect(await documents.find(collection, { filter: {}, limit: 9 })).toEqual([{ _id: "y", list: [] }]);
    });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("a limit of %d is refused", async (limit) => {
    const documents = await makeStore();
    await expect(documents.find(freshCollection(), { filter: {}, limit })).rejects.toThrow(TypeError);
  });

  test("a sort by a prototype's name or another direction is refused", async () => {
    const documents = await makeStore();
    const sideways = { a: 2 } as unknown as Sort;
    await expect(documents.find(freshCollection(), { filter: {}, sort: sideways, limit: 1 })).rejects.toThrow(
      TypeError,
    );
    const sort: Sort = { "a.constructor": 1 };
    await expect(documents.find(freshCollection(), { filter: {}, sort, limit: 1 })).rejects.toThrow(TypeError);
  });
}

function nest(depth: number): Document {
  let inner: Document = {};
  for (let i = 0; i < depth; i++) inner = { a: inner };
  return inner;
}
