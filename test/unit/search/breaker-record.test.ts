import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readBreakers, writeBreakers } from "../../../src/search/breakers/breaker-record.ts";
import type { Breaker } from "../../../src/search/breakers/breaker-states.ts";

const NOW = Date.parse("2026-02-13T10:30:00.000Z");
const HOUR = 3_600_000;

const open: Breaker = { failures: 3, reason: "timeout", openUntil: NOW + 5_000, trips: 1, changedAt: NOW };

const recordOf = (...items: unknown[]) => JSON.stringify({ breakers: items });

describe("the record", () => {
  test("reads back as it was written", () => {
    const closed: Breaker = { failures: 0, reason: null, openUntil: null, trips: 0, changedAt: NOW - 1 };
    const breakers = new Map([
      ["tavily#0f3a", open],
      ["jina", closed],
    ]);
    expect(readBreakers(writeBreakers(breakers, NOW), NOW)).toEqual(breakers);
  });

  test("holds what changed within a day or so, newest first, and no more than its limit", () => {
    const many = Array.from({ length: 100 }, (_, i) => [`p${i}`, { ...open, changedAt: NOW - i }] as const);
    const never = ["never", { ...open, openUntil: null, reason: null, changedAt: 0 }] as const;
    const names = [...readBreakers(writeBreakers([never, ...many], NOW), NOW).keys()];
    expect(names).toEqual(many.slice(0, 64).map(([name]) => name));
    expect(readBreakers(writeBreakers([["old", { ...open, changedAt: NOW - 26 * HOUR }]], NOW), NOW).size).toBe(0);
  });
});

describe("a record that lies", () => {
  const item = { name: "tavily", ...open };

  test.each<[string, string | null]>([
    ["nothing", null],
    ["no text", ""],
    ["no JSON", '{"breakers":[{'],
    ["a list", recordOf(item).slice(12, -1)],
    ["another shape", JSON.stringify({ breakers: { tavily: open } })],
    ["a prototype key", `{"breakers":[],"__proto__":{"breakers":[]}}`],
    ["depth", "[".repeat(100_000)],
    ["length", recordOf({ ...item, padding: "x".repeat(40_000) })],
    ["too many items", recordOf(...Array.from({ length: 65 }, () => item))],
    ["a name that is none", recordOf({ ...item, name: "a\u0000b" })],
    ["an endless name", recordOf({ ...item, name: "a".repeat(200) })],
    ["a reason that is none", recordOf({ ...item, reason: "circuit_open" })],
    ["an opening without a reason", recordOf({ ...item, reason: null })],
    ["a reason without an opening", recordOf({ ...item, openUntil: null })],
    ["broken numbers", recordOf({ ...item, openUntil: 1.5 }, { ...item, trips: -1 }, { ...item, failures: "3" })],
    ["numbers that are none", `{"breakers":[{"name":"tavily","changedAt":1e999}]}`],
    ["a change in the future", recordOf({ ...item, changedAt: NOW + 61_000 })],
  ])("%s gives nothing", (_name, text) => {
    expect([...readBreakers(text, NOW)]).toEqual([]);
  });

  test("an item that is broken does not spoil the others", () => {
    expect([...readBreakers(recordOf(null, 7, { name: "x" }, item), NOW).keys()]).toEqual(["tavily"]);
  });

  test.each([
    ["timeout", 300_000],
    ["irrelevant", 300_000],
    ["rate_limited", 24 * HOUR],
    ["quota", 24 * HOUR],
    ["unauthorized", 24 * HOUR],
  ])("%s is open for its longest cool-down at most, counted from the change", (reason, longestMs) => {
    const endless = { ...item, reason, openUntil: Number.MAX_SAFE_INTEGER, changedAt: NOW - 1_000 };
    const expected = NOW - 1_000 + longestMs;
    expect(readBreakers(recordOf(endless), NOW).get("tavily")?.openUntil).toBe(expected);
    expect(readBreakers(recordOf(endless), NOW + 60_000).get("tavily")?.openUntil).toBe(expected);
  });

  test("no JSON whatever makes it throw, or keeps a breaker open for more than a day", () => {
    const hostile = fc.record(
      {
        name: fc.oneof(fc.constant("tavily"), fc.string()),
        failures: fc.oneof(fc.integer(), fc.anything()),
        reason: fc.oneof(fc.constantFrom("timeout", "quota", "unauthorized"), fc.anything()),
        openUntil: fc.oneof(fc.maxSafeInteger(), fc.anything()),
        trips: fc.oneof(fc.maxSafeNat(), fc.anything()),
        changedAt: fc.oneof(fc.maxSafeNat(), fc.constant(NOW)),
      },
      { requiredKeys: [] },
    );
    const text = fc.oneof(
      fc.json(),
      fc.string(),
      fc.array(hostile).map((breakers) => JSON.stringify({ breakers }) ?? ""),
    );
    fc.assert(
      fc.property(text, (record) => {
        for (const { openUntil } of readBreakers(record, NOW).values()) {
          expect(openUntil ?? 0).toBeLessThanOrEqual(NOW + 60_000 + 24 * HOUR);
        }
      }),
    );
  });
});
