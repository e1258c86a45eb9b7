import { expect, test } from "vitest";
import type { Json } from "../../../src/core/json.ts";
import { compareText, compareValues, orderOf } from "../../../src/storage/documents/compare.ts";

test("values of any type have one order", () => {
  const ascending: Json[] = [
    null,
    -1,
    0.5,
    2,
    "",
    "1",
    "a",
    {},
    { a: 1 },
    { a: 1, b: 0 },
    { b: 0 },
    [],
    [1],
    [1, 2],
    [2],
    false,
    true,
  ];
  for (const [i, a] of ascending.entries()) {
    for (const [j, b] of ascending.entries())
      expect(Math.sign(compareValues(a, b)), `${i} ${j}`).toBe(Math.sign(i - j));
  }
});

test("a missing value counts as null", () => {
  expect(compareValues(undefined, null)).toBe(0);
  expect(compareValues(undefined, 0)).toBeLessThan(0);
});

test("objects with the same fields in another order differ", () => {
  expect(compareValues({ a: 1, b: 2 }, { b: 2, a: 1 })).not.toBe(0);
});

test("text is ordered as its UTF-8 bytes are", () => {
  const texts = ["", "a", "a\0", "aa", "é", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"];
  const encoder = new TextEncoder();
  for (const a of texts) {
    for (const b of texts) {
      expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(encoder.encode(a), encoder.encode(b)));
    }
  }
});

test("of a list its least element counts upwards, and its greatest downwards", () => {
  const documents = [{ _id: "5", v: 5 }, { _id: "1-9", v: [9, 1] }, { _id: "none", v: [] }, { _id: "null" }];
  const sorted = (direction: 1 | -1) => {
    const order = orderOf({ v: direction });
    const all = documents.map((document) => ({ id: document._id, keys: order.keysOf(document) }));
    return all.sort((a, b) => order.compare(a.keys, b.keys)).map(({ id }) => id);
  };
  expect(sorted(1)).toEqual(["none", "null", "1-9", "5"]);
  expect(sorted(-1)).toEqual(["1-9", "5", "null", "none"]);
});
