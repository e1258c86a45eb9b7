import { expect, test } from "vitest";
import type { FieldError } from "../../../src/core/errors.ts";
import { checkDocument, checkFilter, checkSort, checkUpdate } from "../../../src/storage/documents/operators.ts";

function paths(faults: readonly FieldError[]): string[] {
  return faults.map((fault) => fault.path);
}

function nest(depth: number, innermost: unknown): unknown {
  let value = innermost;
  for (let i = 0; i < depth; i++) value = { a: value };
  return value;
}

test.each([
  {},
  { a: 1, "b.c.0": null, d: [1, { e: 2 }] },
  { a: { $gt: 1, $lte: 5, $ne: 3 } },
  { a: { $in: [] }, b: { $nin: [{ $where: "1" }] }, c: { $exists: false } },
  { a: { $eq: { $ne: null, plain: 1 } } },
  { a: { b: { $gt: 1 } } },
  { $and: [{ a: 1 }, { $or: [{ b: 1 }, { c: { $lt: "x" } }] }] },
  { _id: { $gt: "x" } },
])("a filter of the subset has no fault: %j", (filter) => {
  expect(checkFilter(filter)).toEqual([]);
});

test.each<readonly [unknown, string[]]>([
  [null, [""]],
  [[], [""]],
  ["x", [""]],
  [{ a: { $regex: "x" } }, ["a.$regex"]],
  [{ a: { $gt: 1, b: 2 } }, ["a.b"]],
  [{ a: { b: 2, $gt: 1 } }, ["a.b"]],
  [{ a: { $not: { $gt: 1 } } }, ["a.$not"]],
  [{ $nor: [{ a: 1 }] }, ["$nor"]],
  [{ $eq: 1 }, ["$eq"]],
  [{ $and: { a: 1 } }, ["$and"]],
  [{ $or: [] }, ["$or"]],
  [{ $or: [{ a: 1 }, 5, { b: { $bad: 1 } }] }, ["$or.1", "$or.2.b.$bad"]],
  [{ a: { $in: "x" } }, ["a.$in"]],
  [{ a: { $exists: 1 } }, ["a.$exists"]],
  [{ "": 1 }, [""]],
  [{ "a.": 1, ".b": 1 }, ["a.", ".b"]],
  [{ "a.$b": 1 }, ["a.$b"]],
  [{ "a.prototype": 1 }, ["a.prototype"]],
  [{ a: undefined }, ["a"]],
  [{ a: { $gt: Number.NaN } }, ["a.$gt"]],
  [{ a: new Date(0) }, []],
  [{ a: { $eq: JSON.parse('{"__proto__": 1}') } }, ["a.$eq.__proto__"]],
])("a filter's faults are named by their paths: %j", (filter, expected) => {
  expect(paths(checkFilter(filter))).toEqual(expected);
});

test("a filter too deep is refused without a crash", () => {
  expect(checkFilter({ a: nest(20_000, 1) })).toHaveLength(1);
  let branches: unknown = { a: 1 };
  for (let i = 0; i < 20_000; i++) branches = { $and: [branches] };
  expect(checkFilter(branches)).toHaveLength(1);
});

test.each([
  { $set: { a: 1, "b.c": { d: [null] } }, $unset: { e: "" }, $inc: { n: -1.5 } },
  { $push: { list: { a: 1 } }, $pull: { other: { $in: [1, 2] } }, $setOnInsert: { made: "now" } },
  { $pull: { list: { name: "x", n: { $gt: 1 } } } },
  { $pull: { list: [1, 2] } },
  { $set: { a: 1, ab: 1, "b.c": 1, "b.d": 1 } },
  { $set: {} },
])("an update of the subset has no fault: %j", (update) => {
  expect(checkUpdate(update)).toEqual([]);
});

test.each<readonly [unknown, string[]]>([
  [null, [""]],
  [{}, [""]],
  [{ a: 1 }, ["a"]],
  [{ $rename: { a: "b" } }, ["$rename"]],
  [{ $set: 5 }, ["$set"]],
  [{ $set: { _id: "x" }, $unset: { "_id.a": "" } }, ["$set._id", "$unset._id.a"]],
  [
    { $set: { "a..b": 1, "constructor.prototype.x": 1, "a.$[]": 1 } },
    ["$set.a..b", "$set.constructor.prototype.x", "$set.a.$[]"],
  ],
  [{ $set: { a: { $ne: 1 } } }, ["$set.a.$ne"]],
  [{ $set: { a: { "b.c": 1 } } }, ["$set.a.b.c"]],
  [{ $setOnInsert: { a: "\udc00" } }, ["$setOnInsert.a"]],
  [{ $inc: { n: "1", m: Number.POSITIVE_INFINITY } }, ["$inc.n", "$inc.m"]],
  [{ $push: { list: { $each: [1] } } }, ["$push.list.$each"]],
  [{ $pull: { list: { $regex: "x" } } }, ["$pull.list.$regex"]],
  [{ $pull: { list: { "a.__proto__": 1 } } }, ["$pull.list.a.__proto__"]],
  [{ $set: { a: 1 }, $inc: { a: 1 } }, ["$inc.a"]],
  [{ $set: { "a.b": 1, "a.b.c": 1 }, $unset: { a: "" } }, ["$set.a.b.c", "$unset.a"]],
])("an update's faults are named by their paths: %j", (update, expected) => {
  expect(paths(checkUpdate(update))).toEqual(expected);
});

test.each<readonly [unknown, string[]]>([
  [{ _id: "x", a: { b: [1, { c: null }] }, constructor: 1, "": 1 }, []],
  [{}, []],
  [[], [""]],
  [{ _id: 5 }, ["_id"]],
  [{ _id: "" }, ["_id"]],
  [{ _id: undefined }, ["_id", "_id"]],
  [{ a: [{ $b: 1 }, { "c.d": 1 }], "e\0": 1 }, ["a.0.$b", "a.1.c.d", "e\0"]],
  [JSON.parse('{"a": {"__proto__": {"x": 1}}}'), ["a.__proto__"]],
  [{ a: Number.NaN, b: 1n, c: () => 1, d: undefined, e: "\ud800" }, ["a", "b", "c", "d", "e"]],
  [{ "\ud800": 1 }, ["\ud800"]],
  [nest(101, 1), ["a"]],
  [nest(99, 1), []],
])("a document's faults are named by their paths: case %#", (document, expected) => {
  expect(paths(checkDocument(document))).toEqual(expected);
});

test("a path too long is refused", () => {
  const path = Array.from({ length: 101 }, () => "a").join(".");
  expect(paths(checkFilter({ [path]: 1 }))).toEqual([path]);
  expect(paths(checkUpdate({ $set: { [path]: 1 } }))).toEqual([`$set.${path}`]);
});

test("an update of very many paths is checked in good time", () => {
  const fields = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`a.f${n}`, n]));
  expect(checkUpdate({ $set: fields })).toEqual([]);
  expect(paths(checkUpdate({ $set: fields, $unset: { a: "" } }))).toEqual(["$unset.a"]);
});

test("a sort has paths and directions", () => {
  expect(checkSort({ a: 1, "b.c": -1 })).toEqual([]);
  expect(paths(checkSort({ a: 0, "b.__proto__": 1, $c: 1, d: "asc" }))).toEqual(["a", "b.__proto__", "$c", "d"]);
  expect(paths(checkSort(null))).toEqual([""]);
});
