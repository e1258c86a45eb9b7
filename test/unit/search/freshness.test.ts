import { describe, expect, test } from "vitest";
import { freshnessFrom, longestLifeMs, stageOf } from "../../../src/search/cache/freshness.ts";

const CONFIG = {
  CACHE_TTL_SECONDS: 3_600,
  CACHE_TTL_NEWS_SECONDS: 300,
  CACHE_STALE_SECONDS: 21_600,
  CACHE_ERROR_SECONDS: 604_800,
};
const NOW = 1_770_000_000_000;
const byte = (value: number) => (length: number) => new Uint8Array(length).fill(value);

describe("the lifetimes of an answer", () => {
  test.each([
    ["an answer", "general", false, 0, 3_600_000],
    ["news", "news", false, 0, 300_000],
    ["nothing found", "general", true, 0, 50_000],
    ["an answer at the shortest", "finance", false, 255, 3_240_000],
    ["an answer in between", "general", false, 51, 3_528_000],
    ["nothing found at the shortest", "news", true, 255, 45_000],
  ] as const)("%s is fresh for its time, shortened by up to a tenth", (_name, topic, nothing, random, expected) => {
    const { storedAt, freshUntil } = freshnessFrom({ topic }, nothing, CONFIG, NOW, byte(random));
    expect([storedAt, freshUntil]).toEqual([NOW, NOW + expected]);
  });

  test("an answer grows stale, then serves in emergencies only, then is gone", () => {
    const entry = freshnessFrom({ topic: "general" }, false, CONFIG, NOW, byte(0));
    const at = (seconds: number) => stageOf(entry, NOW + seconds * 1_000);
    expect([at(0), at(3_599), at(3_600), at(25_199), at(25_200), at(608_399), at(608_400)]).toEqual([
      "fresh",
      "fresh",
      "stale",
      "stale",
      "expired",
      "expired",
      "gone",
    ]);
    expect(entry.errorUntil - entry.storedAt).toBe(longestLifeMs(CONFIG));
  });

  test("that nothing was found is never served stale", () => {
    const entry = freshnessFrom({ topic: "general" }, true, CONFIG, NOW, byte(0));
    expect(stageOf(entry, NOW + 49_999)).toBe("fresh");
    expect(stageOf(entry, NOW + 50_000)).toBe("gone");
  });

  test("an emergency never ends before staleness does", () => {
    const config = { ...CONFIG, CACHE_ERROR_SECONDS: 0 };
    const entry = freshnessFrom({ topic: "general" }, false, config, NOW, byte(0));
    expect(entry.errorUntil).toBe(entry.staleUntil);
  });

  test("without staleness an answer is used up with its freshness", () => {
    const config = { ...CONFIG, CACHE_ERROR_SECONDS: 0, CACHE_STALE_SECONDS: 0 };
    const entry = freshnessFrom({ topic: "general" }, false, config, NOW, byte(0));
    expect(stageOf(entry, entry.freshUntil)).toBe("gone");
  });
});
