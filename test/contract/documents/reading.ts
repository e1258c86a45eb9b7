import { expect, test } from "vitest";
import type { Collection, Document, Sort } from "../../../src/storage/documents/documents.ts";
import { freshCollection, idsOf, insertAll, type MakeDocuments } from "./harness.ts";

const SORTS: readonly (readonly [string, Sort, string])[] = [
  ["by _id", { _id: 1 }, "abcdefg"],
  ["by _id downwards", { _id: -1 }, "gfedcba"],
  ["types in their order, upwards", { v: 1, _id: 1 }, "bfaecgd"],
  ["types in their order, downwards", { v: -1, _id: 1 }, "dgceabf"],
  ["by two keys", { g: -1, _id: 1 }, "cdefgab"],
  ["by two keys, the second downwards", { g: 1, v: -1, _id: 1 }, "abdgcef"],
  ["by a dotted path", { "o.n": 1, _id: 1 }, "cdefgba"],
];

const SORTED: readonly Document[] = [
  { _id: "a", v: 1, g: 1, o: { n: 10 } },
  { _id: "b", g: 1, o: { n: 2 } },
  { _id: "c", v: "text", g: 2 },
  { _id: "d", v: true, g: 2 },
  { _id: "e", v: 7.5, g: 2 },
  { _id: "f", v: null, g: 2 },
  { _id: "g", v: { a: 1 }, g: 2 },
];

export function describeReading(makeStore: MakeDocuments): void {
  test("a document comes back as it was stored, and apart from the caller's own", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    const nested = { list: [1, { deep: null }], empty: {}, none: [] };
    const given = { _id: "x", nested };
    const inserted = await documents.insertOne(collection, given);
    nested.list.push(2);
    const stored = { _id: "x", nested: { list: [1, { deep: null }], empty: {}, none: [] } };
    expect(inserted).toEqual({ ok: true, value: stored });
    expect(await documents.findOne(collection, { _id: "x" })).toEqual(stored);
  });

  test("new _ids sort in the order of their inserts", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    for (let n = 0; n < 5; n++) await documents.insertOne(collection, { n });
    const found = await documents.find(collection, { filter: {}, limit: 10 });
    expect(found.map((document) => document.n)).toEqual([0, 1, 2, 3, 4]);
  });

  test("nothing stored, nothing found", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    expect(await documents.findOne(collection, {})).toBeNull();
    expect(await documents.find(collection, { filter: { a: 1 }, sort: { a: 1 }, limit: 5 })).toEqual([]);
  });

  test.each(SORTS)("find sorts %s", async (_title, sort, expected) => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, SORTED);
    const found = await documents.find(collection, { filter: {}, sort, limit: 100 });
    expect(found.map((document) => document._id).join("")).toBe(expected);
  });

  test("find stops at the limit, after sorting", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, SORTED);
    const found = await documents.find(collection, { filter: { g: 2 }, sort: { v: -1 }, limit: 2 });
    expect(found.map((document) => document._id)).toEqual(["d", "g"]);
    expect(await documents.find(collection, { filter: { g: 2 }, limit: 1 })).toHaveLength(1);
  });

  test("of the fields that are asked for alone come back, and the _id", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    const stored = [
      { _id: "a", n: 2, text: "long", nested: { deep: [1, { x: null }] } },
      { _id: "b", n: 1, other: true },
    ];
    await insertAll(documents, collection, stored);
    const find = (fields: readonly string[]) =>
      documents.find(collection, { filter: { n: { $gte: 1 } }, sort: { n: 1 }, limit: 5, fields });
    expect(await find(["text", "nested"])).toEqual([
      { _id: "b" },
      { _id: "a", text: "long", nested: { deep: [1, { x: null }] } },
    ]);
    expect(await find(["_id", "other"])).toEqual([{ _id: "b", other: true }, { _id: "a" }]);
    expect(await find([])).toEqual([{ _id: "b" }, { _id: "a" }]);
    const byId = { filter: { _id: { $in: ["b", "a", "none"] } }, limit: 3, fields: ["n"] };
    expect(await documents.find(collection, byId)).toEqual([
      { _id: "a", n: 2 },
      { _id: "b", n: 1 },
    ]);
  });

  test("fields come as they were stored, whatever they are and however they are found", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    const values = {
      none: null,
      no: false,
      zero: 0,
      fraction: 0.1,
      large: 1e300,
      whole: 9_007_199_254_740_991,
      text: 'a "quoted" \\ line\nand é \u{1f600}',
      empty: "",
      list: [1, null, "x", { y: [] }],
      object: { deep: { n: 1 }, "a b": true },
      "with-dash": 1,
      "with space": "2",
    };
    await insertAll(documents, collection, [{ _id: "a", ...values, rest: true }, { _id: "b" }]);
    const fields = Object.keys(values);
    for (const filter of [{ _id: { $in: ["a", "b"] } }, { _id: { $gte: "a" } }, { rest: { $ne: false } }, {}]) {
      const found = await documents.find(collection, { filter, limit: 5, fields });
      expect(found, JSON.stringify(filter)).toEqual([{ _id: "a", ...values }, { _id: "b" }]);
      for (const [name, value] of Object.entries(values)) {
        const [one] = await documents.find(collection, { filter, limit: 1, fields: [name, name] });
        expect(one, name).toEqual({ _id: "a", [name]: value });
      }
    }
    const last = { filter: {}, sort: { _id: -1 }, limit: 1, fields: ["no"] } as const;
    expect(await documents.find(collection, last)).toEqual([{ _id: "b" }]);
  });

  test.each(["nested.deep", "$where", "", "a\0b"])("no field is named %j", async (name) => {
    const documents = await makeStore();
    const wanted = documents.find(freshCollection(), { filter: {}, limit: 1, fields: [name] });
    await expect(wanted).rejects.toThrow(TypeError);
  });

  test("pages by _id meet every document once, in either direction", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    const ids = ["!", "0", "A", "a", "a0", "z", "é", "\uff5e", "\u{1f600}"];
    await insertAll(
      documents,
      collection,
      [...ids].reverse().map((_id) => ({ _id, odd: _id.length })),
    );
    const upwards: string[] = [];
    for (let page = await next(null, 1); page.length > 0; page = await next(upwards.at(-1) ?? null, 1))
      upwards.push(...page);
    const downwards: string[] = [];
    for (let page = await next(null, -1); page.length > 0; page = await next(downwards.at(-1) ?? null, -1))
      downwards.push(...page);
    expect(upwards).toEqual(ids);
    expect(downwards).toEqual([...ids].reverse());

    async function next(after: string | null, direction: 1 | -1): Promise<string[]> {
      const beyond = after === null ? {} : { _id: { [direction === 1 ? "$gt" : "$lt"]: after } };
      const filter = { ...beyond, odd: { $gte: 0 } };
      const found = await documents.find(collection, { filter, sort: { _id: direction }, limit: 2 });
      return found.map((document) => document._id);
    }
  });

  test("collections of other names, owners and kinds do not meet", async () => {
    const documents = await makeStore();
    const unique = crypto.randomUUID();
    const collections: readonly Collection[] = [
      { kind: "owned", name: `n-${unique}`, ownerId: "one" },
      { kind: "owned", name: `n-${unique}`, ownerId: "two" },
      { kind: "owned", name: `m-${unique}`, ownerId: "one" },
      { kind: "owned", name: `b:n-${unique}`, ownerId: "a" },
      { kind: "owned", name: `n-${unique}`, ownerId: "a:b" },
      { kind: "owned", name: `n-${unique}`, ownerId: "a%3Ab" },
      { kind: "system", name: `n-${unique}`, partition: "data:one" },
    ];
    for (const [n, collection] of collections.entries()) {
      await documents.insertOne(collection, { _id: "same", email: "same", n }, { unique: ["email"] });
    }
    for (const [n, collection] of collections.entries()) {
      expect(await documents.find(collection, { filter: {}, limit: 10 })).toEqual([{ _id: "same", email: "same", n }]);
    }
    await documents.deleteMany(collections[0] ?? freshCollection(), {});
    for (const collection of collections.slice(1)) expect(await idsOf(documents, collection, {})).toEqual(["same"]);
  });

  test("system collections of one partition do not meet", async () => {
    const documents = await makeStore();
    const partition = `owner:${crypto.randomUUID()}`;
    const one: Collection = { kind: "system", name: `one-${partition}`, partition };
    const two: Collection = { kind: "system", name: `two-${partition}`, partition };
    await documents.insertOne(one, { _id: "x", a: 1 });
    await documents.insertOne(two, { _id: "x", a: 2 });
    await documents.deleteMany(one, {});
    expect(await documents.find(two, { filter: {}, limit: 10 })).toEqual([{ _id: "x", a: 2 }]);
  });

  test("ping answers", async () => {
    const documents = await makeStore();
    await expect(documents.ping()).resolves.toBeUndefined();
  });
}
