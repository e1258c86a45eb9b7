import { expect, test } from "vitest";
import { applyUpdate, UpdateMisfit } from "../../../src/storage/documents/apply-update.ts";
import { loadFilterCompiler } from "../../../src/storage/documents/matcher.ts";

const compile = await loadFilterCompiler();

test("the document given stays as it was", () => {
  const before = { _id: "x", a: { b: [1] } };
  const after = applyUpdate(before, { $push: { "a.b": 2 }, $set: { c: 1 } }, false, compile);
  expect(before).toEqual({ _id: "x", a: { b: [1] } });
  expect(after).toEqual({ _id: "x", a: { b: [1, 2] }, c: 1 });
});

test("the document shares nothing with the update", () => {
  const operand = { list: [1] };
  const after = applyUpdate({ _id: "x" }, { $set: { a: operand } }, false, compile);
  operand.list.push(2);
  expect(after).toEqual({ _id: "x", a: { list: [1] } });
});

test("$setOnInsert acts on inserts only", () => {
  expect(applyUpdate({}, { $setOnInsert: { a: 1 } }, true, compile)).toEqual({ a: 1 });
  expect(applyUpdate({}, { $setOnInsert: { a: 1 } }, false, compile)).toEqual({});
});

test("an index far behind the end of a list is refused, and is a name in an object", () => {
  expect(() => applyUpdate({ a: [] }, { $set: { "a.999999999": 1 } }, false, compile)).toThrow(UpdateMisfit);
  expect(applyUpdate({ a: {} }, { $set: { "a.999999999": 1 } }, false, compile)).toEqual({ a: { "999999999": 1 } });
});

test("a sum that is no number any more is refused", () => {
  expect(() => applyUpdate({ n: 1e308 }, { $inc: { n: 1e308 } }, false, compile)).toThrow(UpdateMisfit);
});

test("$unset of an element leaves null in its place", () => {
  expect(applyUpdate({ a: [1, 2] }, { $unset: { "a.0": "", "a.7": "" } }, false, compile)).toEqual({ a: [null, 2] });
});

test("$pull compares values that look like operators as values", () => {
  const update = { $pull: { a: { $eq: { $gt: 0 } } } };
  expect(applyUpdate({ a: [1, 2] }, update, false, compile)).toEqual({ a: [1, 2] });
});
