import { describe, expect, test } from "vitest";
import { cacheKeyOf, normalizeQuery } from "../../../src/search/cache/cache-key.ts";
import type { SearchRequest } from "../../../src/search/contract.ts";
import { requestOf } from "../../support/providers/harness.ts";

const POLICY = ["tavily", "jina", "index"];
const keyOf = (query: string, fields: Partial<SearchRequest> = {}) => cacheKeyOf(requestOf(query, fields), POLICY);

describe("the cache key", () => {
  test("is a version, a name and a hash, and shows nothing of the question", async () => {
    const key = await keyOf("my very private question");
    expect(key).toMatch(/^v2:search:[0-9a-f]{64}$/);
  });

  test.each<[string, string, Partial<SearchRequest>, string, Partial<SearchRequest>]>([
    ["white space", "a  b\n c", {}, " a b c ", {}],
    ["case", "Hello World", {}, "hello world", {}],
    ["compatibility forms", "ｈｅｌｌｏ ①", {}, "hello 1", {}],
    ["defaults written out", "a", {}, "a", { maxResults: 5, topic: "general", timeRange: null, includeDomains: [] }],
    [
      "the domains' order and case",
      "a",
      { includeDomains: ["b.com", "A.com", "a.com"] },
      "a",
      { includeDomains: ["a.com", "b.com"] },
    ],
    ["how the cache is to be used", "a", { cache: "bypass" }, "a", { cache: "default" }],
    ["a country's case", "a", { country: "DE" }, "a", { country: "de" }],
  ])("does not depend on %s", async (_name, query, fields, otherQuery, otherFields) => {
    expect(await keyOf(query, fields)).toBe(await keyOf(otherQuery, otherFields));
  });

  test("differs for every field that changes the answer", async () => {
    const variants: Partial<SearchRequest>[] = [
      {},
      { maxResults: 6 },
      { topic: "news" },
      { searchDepth: "advanced" },
      { timeRange: "day" },
      { includeDomains: ["a.com"] },
      { excludeDomains: ["a.com"] },
      { country: "de" },
      { language: "de" },
      { includeAnswer: true },
      { includeRawContent: true },
    ];
    const keys = await Promise.all(variants.map((fields) => keyOf("a", fields)));
    expect(new Set(keys).size).toBe(variants.length);
  });

  test("differs with the providers that would be asked", async () => {
    const request = requestOf("a");
    expect(await cacheKeyOf(request, ["tavily", "index"])).not.toBe(await cacheKeyOf(request, ["index", "tavily"]));
  });

  test.each([
    ["Apple", "Apples"],
    ["cats OR dogs", "cats or dogs"],
    ['"Exact Phrase"', '"exact phrase"'],
    ["site:Example.com x", "site:example.com x"],
    ["a b", "ab"],
    ['"a b"', "a b"],
    ["-a b", "a b"],
    ["résumé", "resume"],
  ])("%j and %j are two questions", async (a, b) => {
    expect(await keyOf(a)).not.toBe(await keyOf(b));
  });
});

test("case is folded outside quotes and operators alone", () => {
  expect(normalizeQuery('  Best "New York" PIZZA  OR  Pasta -site:Foo.COM AND “Curly Quote” ')).toBe(
    'best "New York" pizza OR pasta -site:Foo.COM AND “Curly Quote”',
  );
  expect(normalizeQuery('Open "Quote Left OPEN')).toBe('open "quote left open');
});
