import { describe, expect, test } from "vitest";
import { backoffMs, leavesTimeForRetry, mayPass } from "../../../src/search/chain/retry.ts";

test.each([
  ["server_error", null, true],
  ["timeout", null, true],
  ["server_error", 30_000, false],
  ["rate_limited", null, false],
  ["quota", null, false],
  ["unauthorized", null, false],
  ["bad_response", null, false],
  ["irrelevant", null, false],
] as const)("%s with a Retry-After of %s may pass: %s", (reason, retryAfterMs, expected) => {
  expect(mayPass({ reason, retryAfterMs })).toBe(expected);
});

test("what did not fail is not repeated", () => {
  expect(mayPass(null)).toBe(false);
});

test("the pause is from nothing to a tenth of a second", () => {
  const pauses = [0, 51, 255].map((byte) => backoffMs((length) => new Uint8Array(length).fill(byte)));
  expect(pauses).toEqual([0, 20, 100]);
});

describe("time for a repeat", () => {
  test.each([
    ["an instant failure of the first of five", 7_900, 4, true],
    ["a hang of the first of two", 5_000, 1, false],
    ["a hang of the only one", 5_000, 0, true],
    ["just enough for two", 6_000, 1, true],
    ["just too little for two", 5_999, 1, false],
    ["the reserve of a third is missing", 6_499, 2, false],
    ["the last with little left", 2_999, 0, false],
  ])("%s: %i ms left, %i to come: %s", (_name, remaining, later, expected) => {
    expect(leavesTimeForRetry(remaining, later, 3_000)).toBe(expected);
  });
});
