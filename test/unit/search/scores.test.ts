import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { comparableScores, type Scorable } from "../../../src/search/quality/scores.ts";
import { CORPUS } from "../../support/search-corpus/corpus.ts";
import { toShown } from "../../support/search-corpus/questions.ts";

const OTHERS = ["jina", "searxng", "wikipedia", "index", "a-registered-one"];

const QUERY = "sourdough bread dense crumb";
const TITLES = ["Dense sourdough bread: the crumb", "Sourdough bread", "Bread", "Curtains"];
const listOf = (scores: readonly unknown[], titles: readonly string[] = TITLES): Scorable[] =>
  titles.map((title, i) => ({
    title,
    content: "",
    url: `https://site${i}.example/`,
    score: (scores[i] ?? null) as number | null,
  }));

describe("scores of a provider without its own measure", () => {
  test("follow the formula", () => {
    expect(comparableScores("jina", QUERY, listOf([]))).toEqual([0.95, 0.6818, 0.5417, 0.4038]);
  });

  test.each(OTHERS)("are the same from %s, whatever numbers it sends", (provider) => {
    const made = comparableScores("jina", QUERY, listOf([]));
    expect(comparableScores(provider, QUERY, listOf([31.5, 8, 4, 0.2]))).toEqual(made);
    expect(comparableScores(provider, QUERY, listOf([Number.NaN, Number.POSITIVE_INFINITY, "9", -3]))).toEqual(made);
  });

  test("are near a calibrated provider's for the same list", () => {
    const calibrated = [0.93, 0.7, 0.52, 0.4];
    const kept = comparableScores("tavily", QUERY, listOf(calibrated));
    const made = comparableScores("searxng", QUERY, listOf(calibrated.map((score) => score * 40)));
    for (const [i, score] of kept.entries()) expect(Math.abs(score - (made[i] ?? 0))).toBeLessThan(0.05);
  });

  test("of results that fit equally well differ by their places alone", () => {
    const same = listOf(
      [],
      Array.from({ length: 20 }, () => "Dense sourdough bread crumb"),
    );
    const scores = comparableScores("jina", QUERY, same);
    expect(scores[0]).toBe(0.95);
    expect(scores[19]).toBeGreaterThan(0.8);
  });

  test("rest on the rank alone where the query holds no words", () => {
    expect(comparableScores("jina", "🎉", listOf([]))).toEqual([0.7, 0.6818, 0.6667, 0.6538]);
  });

  test("tell good lists from unrelated ones", () => {
    const all = Object.values(CORPUS).flat();
    const first = (query: string, list: Parameters<typeof toShown>[0]) =>
      comparableScores(
        "jina",
        query,
        toShown(list).map((shown) => ({ ...shown, score: null })),
      )[0] ?? 0;
    const good = all.map(({ query, good: list }) => first(query, list));
    const bad = all.map(({ query }, i) => first(query, all[(i + 1) % all.length]?.good ?? []));
    const mean = (scores: readonly number[]) => scores.reduce((sum, score) => sum + score, 0) / scores.length;
    console.log(`mean score of a first place: good ${mean(good).toFixed(2)}, unrelated ${mean(bad).toFixed(2)}`);
    expect(mean(good) - mean(bad)).toBeGreaterThan(0.2);
  });
});

describe("scores of a calibrated provider", () => {
  test("are kept", () => {
    expect(comparableScores("tavily", QUERY, listOf([0.91, 0.8, 0.8, 0.123456]))).toEqual([0.91, 0.8, 0.8, 0.1235]);
    expect(comparableScores("tavily-keyless", QUERY, listOf([0.5, 0.4, 0.3, 0]))).toEqual([0.5, 0.4, 0.3, 0]);
  });

  test("are brought into range", () => {
    expect(comparableScores("tavily", QUERY, listOf([7, 0.5, -1, -2]))).toEqual([1, 0.5, 0, 0]);
  });

  test("are made where they are missing or no numbers", () => {
    const scores = comparableScores("tavily", QUERY, listOf([null, Number.NaN, "0.4", Number.NEGATIVE_INFINITY]));
    expect(scores).toEqual(comparableScores("jina", QUERY, listOf([])));
  });

  test("that rise along the list are levelled", () => {
    expect(comparableScores("tavily", QUERY, listOf([0.9, 0.4, 0.6, 0.1]))).toEqual([0.9, 0.5, 0.5, 0.1]);
  });
});

test("any list of any provider gets as many scores as results, from 0 to 1, never rising", () => {
  const item = fc.record({
    title: fc.string({ unit: "binary", maxLength: 60 }),
    content: fc.string({ unit: "binary", maxLength: 200 }),
    url: fc.webUrl(),
    score: fc.option(fc.double()),
  });
  const provider = fc.constantFrom("tavily", ...OTHERS);
  fc.assert(
    fc.property(provider, fc.string({ unit: "binary", maxLength: 400 }), fc.array(item), (name, query, list) => {
      const scores = comparableScores(name, query, list);
      expect(scores).toHaveLength(list.length);
      expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    }),
    { numRuns: 300 },
  );
});
