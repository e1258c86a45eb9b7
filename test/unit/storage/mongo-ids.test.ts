import { expect, test } from "vitest";
import { objectIdRange, type RangeOperator } from "../../../src/storage/documents/mongo-ids.ts";

const COMPARE: Readonly<Record<RangeOperator, (a: string, b: string) => boolean>> = {
  $gt: (a, b) => a > b,
  $gte: (a, b) => a >= b,
  $lt: (a, b) => a < b,
  $lte: (a, b) => a <= b,
};

function isIn(range: ReturnType<typeof objectIdRange>, hex: string): boolean {
  if (range === "all" || range === "none") return range === "all";
  return COMPARE[range.operator](hex, range.hex);
}

const OBJECT_IDS = [
  "000000000000000000000000",
  "00000000000000000000000f",
  "64b000000000000000000001",
  "64b0ffffffffffffffffffff",
  "64b100000000000000000000",
  "9fffffffffffffffffffffff",
  "a00000000000000000000000",
  "ffffffffffffffffffffffff",
];

const TEXTS = [
  "",
  "!",
  "0",
  "64b0",
  "64b0-text",
  "64b0z",
  "64b000000000000000000001",
  "64b000000000000000000001x",
  "64B000000000000000000001",
  "9",
  "9g",
  "a",
  "f",
  "ffffffffffffffffffffffff",
  "ffffffffffffffffffffffff0",
  "fz",
  "g",
  "mcp_1",
  "é",
  "\u{1f600}",
  ":",
  "/",
];

test("a range among texts is the same range among the texts of ObjectIds", () => {
  for (const operator of ["$gt", "$gte", "$lt", "$lte"] as const) {
    for (const text of [...TEXTS, ...OBJECT_IDS]) {
      const range = objectIdRange(operator, text);
      const got = OBJECT_IDS.filter((hex) => isIn(range, hex));
      expect(got, `${operator} ${text}`).toEqual(OBJECT_IDS.filter((hex) => COMPARE[operator](hex, text)));
    }
  }
});
