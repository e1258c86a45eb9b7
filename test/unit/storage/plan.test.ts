import { expect, test } from "vitest";
import type { Filter } from "../../../src/storage/documents/documents.ts";
import { planFilter } from "../../../src/storage/documents/plan.ts";

const UNIQUE = ["email", "user.name"];
const EMAIL = "id IN (SELECT id FROM unique_keys WHERE collection = ? AND field = ? AND value = ?)";

test.each<readonly [Filter, string[], (string | number)[], boolean]>([
  [{}, [], [], true],
  [{ _id: "x" }, ["id = ?"], ["x"], true],
  [{ _id: { $eq: "x" } }, ["id = ?"], ["x"], true],
  [{ _id: { $gt: "a", $lte: "b" } }, ["id > ?", "id <= ?"], ["a", "b"], true],
  [{ _id: { $in: ["a", 1, "\ud800"] } }, ["id IN (SELECT value FROM json_each(?))"], ['["a"]'], true],
  [{ _id: { $in: [1] } }, ["0"], [], true],
  [{ _id: 5 }, ["0"], [], true],
  [{ _id: { $gte: null } }, ["0"], [], true],
  [{ _id: "\ud800" }, ["0"], [], true],
  [{ _id: { $lt: "\ud800" } }, [], [], false],
  [{ _id: { $ne: "x" } }, [], [], false],
  [{ $and: [{ _id: "x" }, { $and: [{ _id: { $gt: "a" } }] }] }, ["id = ?", "id > ?"], ["x", "a"], true],
  [{ _id: "x", $or: [{ _id: "y" }] }, ["id = ?"], ["x"], false],
  [{ email: "a" }, [EMAIL], ["things", "email", '"a"'], false],
  [{ "user.name": null }, [EMAIL], ["things", "user.name", "null"], false],
  [{ email: ["a"] }, [], [], false],
  [{ email: { $gt: "a" } }, [], [], false],
  [{ s: "x" }, ["(json_extract(body, '$.s') = ? OR json_type(body, '$.s') = 'array')"], ["x"], false],
  [{ n: 5 }, ["(json_extract(body, '$.n') = ? OR json_type(body, '$.n') = 'array')"], [5], false],
  [{ b: true }, ["json_type(body, '$.b') IN ('true', 'array')"], [], false],
  [{ z: null }, ["(json_type(body, '$.z') IS NULL OR json_type(body, '$.z') IN ('null', 'array'))"], [], false],
  [{ n: 0.1 }, [], [], false],
  [{ s: "a\0" }, [], [], false],
  [{ "a.b": 1 }, [], [], false],
  [{ "it's": 1 }, [], [], false],
  [{ o: { a: 1 } }, [], [], false],
])("%j is narrowed in SQL by what SQL can decide", (filter, conditions, bindings, exact) => {
  expect(planFilter(filter, "things", UNIQUE)).toEqual({ conditions, bindings, exact });
});

test("a filter of any size binds no more than a statement takes", () => {
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`f${n}`, n]));
  const plan = planFilter({ $and: [many, ...Array.from({ length: 200 }, () => ({ email: "a" }))] }, "things", UNIQUE);
  expect(plan.bindings.length).toBeLessThan(100);
  expect(plan.exact).toBe(false);
});
