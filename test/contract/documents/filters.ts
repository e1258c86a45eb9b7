import { expect, test } from "vitest";
import type { Document, Filter } from "../../../src/storage/documents/documents.ts";
import { freshCollection, idsOf, insertAll, type MakeDocuments, type ServerLacks } from "./harness.ts";

const DOCUMENTS: readonly Document[] = [
  { _id: "a", name: "Ada", age: 36, tags: ["math", "code"], address: { city: "London", zip: null } },
  { _id: "b", name: "Bob", age: 20, tags: [], active: true },
  { _id: "c", name: "Cleo", age: null, tags: "code", active: false },
  {
    _id: "d",
    age: "36",
    items: [
      { sku: "x", n: 1 },
      { sku: "y", n: 5 },
    ],
  },
  { _id: "e", age: 36.5, items: [{ sku: "z" }], grid: [[1, 2], [3]] },
  { _id: "f", address: { city: "London" } },
];

const CASES: readonly (readonly [string, Filter, string])[] = [
  ["nothing asked matches all", {}, "abcdef"],
  ["equal text", { name: "Ada" }, "a"],
  ["a number is not its text", { age: 36 }, "a"],
  ["a text is not its number", { age: "36" }, "d"],
  ["a fraction", { age: 36.5 }, "e"],
  ["true is not 1", { active: true }, "b"],
  ["1 is not true", { active: 1 }, ""],
  ["false is not missing", { active: false }, "c"],
  ["null matches null and missing", { age: null }, "cf"],
  ["text within a list", { tags: "code" }, "ac"],
  ["a whole list", { tags: ["math", "code"] }, "a"],
  ["a whole list counts its order", { tags: ["code", "math"] }, ""],
  ["the empty list", { tags: [] }, "b"],
  ["a list within a list", { grid: [3] }, "e"],
  ["not an element of an inner list", { grid: 3 }, ""],
  ["a whole object", { address: { city: "London" } }, "f"],
  ["an object with null is another", { address: { city: "London", zip: null } }, "a"],
  ["a dotted path", { "address.city": "London" }, "af"],
  ["a dotted path to null or nothing", { "address.zip": null }, "abcdef"],
  ["a path through a list of objects", { "items.sku": "y" }, "d"],
  ["a path by index", { "items.0.sku": "x" }, "d"],
  ["an element by index", { "tags.1": "code" }, "a"],
  ["a path that ends in one object and not in the other", { "items.n": null }, "abcef"],
  ["$eq", { name: { $eq: "Bob" } }, "b"],
  ["$ne keeps missing ones", { name: { $ne: "Ada" } }, "bcdef"],
  ["$ne null drops missing ones", { name: { $ne: null } }, "abc"],
  ["$ne looks into lists", { tags: { $ne: "code" } }, "bdef"],
  ["$gt stays within its type", { age: { $gt: 20 } }, "ae"],
  ["$gte", { age: { $gte: 20 } }, "abe"],
  ["$lt", { age: { $lt: 36 } }, "b"],
  ["$lte", { age: { $lte: 36 } }, "ab"],
  ["$lt of text", { age: { $lt: "9" } }, "d"],
  ["a range", { age: { $gt: 20, $lt: 36.5 } }, "a"],
  ["$gt through a list of objects", { "items.n": { $gt: 4 } }, "d"],
  ["a range may be met by two elements", { "items.n": { $gt: 3, $lt: 2 } }, "d"],
  ["$gte null matches null and missing", { age: { $gte: null } }, "cf"],
  ["$in", { name: { $in: ["Ada", "Bob", "Zoe"] } }, "ab"],
  ["$in nothing", { name: { $in: [] } }, ""],
  ["$in with null matches missing ones", { name: { $in: [null, "Ada"] } }, "adef"],
  ["$in looks into lists", { tags: { $in: ["math"] } }, "a"],
  ["$in of a whole list", { tags: { $in: [["math", "code"]] } }, "a"],
  ["$in through a list of objects", { "items.sku": { $in: ["z", "y"] } }, "de"],
  ["$nin keeps missing ones", { name: { $nin: ["Ada", "Bob"] } }, "cdef"],
  ["$nin with null drops missing ones", { name: { $nin: [null] } }, "abc"],
  ["$exists", { active: { $exists: true } }, "bc"],
  ["$exists counts null", { age: { $exists: true } }, "abcde"],
  ["$exists false", { age: { $exists: false } }, "f"],
  ["$exists through a list of objects", { "items.n": { $exists: true } }, "d"],
  ["$and", { $and: [{ age: { $gte: 20 } }, { tags: [] }] }, "b"],
  ["$or", { $or: [{ name: "Ada" }, { active: false }] }, "ac"],
  ["$or beside a field", { "address.city": "London", $or: [{ age: 36 }, { age: 1 }] }, "a"],
  ["nested $and and $or", { $and: [{ $or: [{ _id: "a" }, { _id: "b" }] }, { $or: [{ age: 20 }, { age: 1 }] }] }, "b"],
  ["_id", { _id: "c" }, "c"],
  ["_id beside a condition that fails", { _id: "c", active: true }, ""],
  ["_id $in", { _id: { $in: ["f", "a", "nobody"] } }, "af"],
  ["_id range", { _id: { $gt: "b", $lte: "d" } }, "cd"],
  ["_id $ne", { _id: { $ne: "a" } }, "bcdef"],
  ["a number is no _id", { _id: 1 }, ""],
  ["an object that looks like an operator is a value under $eq", { name: { $eq: { $ne: null } } }, ""],
  ["and under $ne", { name: { $ne: { $exists: true } } }, "abcdef"],
  ["and under $in", { name: { $in: [{ $gt: "" }, "Bob"] } }, "b"],
  ["and under $nin", { name: { $nin: [{ $gt: "" }] } }, "abcdef"],
  ["and inside a value", { address: { city: { $ne: "x" } } }, ""],
];

/** The case that takes a list within a list, and the document without one. */
const NESTED_LISTS = new Set(["a list within a list"]);

function withoutNestedLists({ grid: _, ...document }: Document): Document {
  return document;
}

export function describeFilters(makeStore: MakeDocuments, lacks: ServerLacks): void {
  const cases = lacks.nestedLists ? CASES.filter(([title]) => !NESTED_LISTS.has(title)) : CASES;
  const documentsToFind = lacks.nestedLists ? DOCUMENTS.map(withoutNestedLists) : DOCUMENTS;

  test.each(cases)("find by filter: %s", async (_title, filter, expected) => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, documentsToFind);
    expect((await idsOf(documents, collection, filter)).join("")).toBe(expected);
  });
}
