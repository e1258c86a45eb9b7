import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SearchAnswer, SearchResult } from "../../../src/search/contract.ts";
import { searchRequest } from "../../../src/search/contract.ts";
import { toTavilyAnswer } from "../../../src/search/drop-in/tavily-answer.ts";
import { tavilySearchBody } from "../../../src/search/drop-in/tavily-contract.ts";
import { planTavilySearch } from "../../../src/search/drop-in/tavily-request.ts";

const NOW = Date.parse("2026-02-13T10:30:00.000Z");

const bodyOf = (fields: object) => tavilySearchBody.parse({ query: "tides", ...fields });

function planOf(fields: object) {
  const plan = planTavilySearch(bodyOf(fields), NOW);
  if (!plan.ok) throw new Error(plan.error.detail);
  return plan.value;
}

const requestOf = (fields: object) => planOf(fields).request;

function resultOf(url: string, more: Partial<SearchResult> = {}): SearchResult {
  return { title: "T", url, content: "C", score: 0.5, publishedDate: null, provider: "tavily", ...more };
}

function answerOf(results: readonly SearchResult[], more: Partial<SearchAnswer> = {}): SearchAnswer {
  return {
    query: "tides",
    results: [...results],
    answer: "yes",
    provider: "tavily",
    degraded: false,
    cache: { status: "miss", ageSeconds: 0 },
    attempts: [{ provider: "tavily", outcome: "ok", reason: null, httpStatus: 200, durationMs: 5 }],
    requestId: "req_1",
    tookMs: 1_234,
    ...more,
  };
}

const answered = (fields: object, answer: SearchAnswer) => toTavilyAnswer(bodyOf(fields), planOf(fields), answer);
const urls = (fields: object, results: readonly SearchResult[]) =>
  answered(fields, answerOf(results)).results.map(({ url }) => url);

describe("Tavily's request", () => {
  test("with a query alone asks for what Tavily gives by itself", () => {
    expect(requestOf({})).toEqual(searchRequest.parse({ query: "tides", maxResults: 5 }));
  });

  test("with null for everything is one with a query alone", () => {
    const names = Object.keys(tavilySearchBody.shape).filter((name) => name !== "query");
    const nulls = Object.fromEntries(names.map((name) => [name, null]));
    expect(requestOf(nulls)).toEqual(requestOf({}));
  });

  test.each<[object, object]>([
    [{ search_depth: "fast" }, { searchDepth: "basic" }],
    [{ search_depth: "ultra-fast" }, { searchDepth: "basic" }],
    [{ search_depth: "advanced" }, { searchDepth: "advanced" }],
    [{ time_range: "d" }, { timeRange: "day" }],
    [{ time_range: "year" }, { timeRange: "year" }],
    [{ start_date: "2026-02-10" }, { timeRange: "week", maxResults: 20 }],
    [{ start_date: "2010-01-01" }, { timeRange: null, maxResults: 20 }],
    [{ start_date: "2026-02-10", time_range: "d" }, { timeRange: "day" }],
    [{ end_date: "2026-01-01" }, { timeRange: null, maxResults: 20 }],
    [
      { topic: "news", days: 3 },
      { topic: "news", timeRange: "week" },
    ],
    [{ days: 3 }, { timeRange: null, maxResults: 5 }],
    [{ include_answer: true }, { includeAnswer: true }],
    [{ include_answer: "basic" }, { includeAnswer: true }],
    [{ include_answer: false }, { includeAnswer: false }],
    [{ include_raw_content: "text" }, { includeRawContent: true }],
    [
      { include_domains: ["www.a.example", "a.example", "b.example/x"] },
      { includeDomains: ["a.example", "b.example"] },
    ],
    [{ exclude_domains: ["a.example", "b.example/x"] }, { excludeDomains: ["a.example"], maxResults: 20 }],
    [{ include_domains: ["a.example"], include_domains_mode: "prefer" }, { includeDomains: [] }],
    [{ include_domains: ["a.example"], include_domains_mode: "restrict" }, { includeDomains: ["a.example"] }],
    [{ country: "South Korea" }, { country: "kr" }],
    [{ country: "nowhere", topic: "news" }, { country: null }],
    [{ language: "DE" }, { language: "de" }],
    [{ max_results: 0 }, { maxResults: 1 }],
    [{ filter_by_language: true, safe_search: false }, { language: null }],
  ])("%j becomes %j", (fields, expected) => {
    expect(requestOf(fields)).toMatchObject(expected);
  });

  test.each<[object, string]>([
    [{ start_date: "13.02.2026" }, "start_date"],
    [{ end_date: "2026-02-30" }, "end_date"],
    [{ start_date: "2026-02-13", end_date: "2026-02-12" }, "start_date"],
    [{ include_domains: ["a.example", "*.com"] }, "include_domains.1"],
    [{ exclude_domains: ["not a host"] }, "exclude_domains.0"],
    [{ country: "atlantis" }, "country"],
    [{ language: "english" }, "language"],
    [{ language: "en", filter_by_language: true }, "filter_by_language"],
    [{ safe_search: true }, "safe_search"],
  ])("%j is refused by the name of its field", (fields, path) => {
    const plan = planTavilySearch(bodyOf(fields), NOW);
    expect(plan).toMatchObject({ ok: false, error: { code: "VALIDATION_FAILED", errors: [{ path }] } });
  });

  test("may name as many domains as Tavily takes", () => {
    const domains = (count: number) => Array.from({ length: count }, (_, i) => `a${i}.example`);
    expect(requestOf({ include_domains: domains(300) }).includeDomains).toHaveLength(300);
    expect(tavilySearchBody.safeParse({ query: "q", include_domains: domains(301) }).success).toBe(false);
    expect(tavilySearchBody.safeParse({ query: "q", exclude_domains: domains(151) }).success).toBe(false);
  });
});

describe("Tavily's answer", () => {
  test("has every field that its clients read", () => {
    const result = resultOf("https://a.example/", { rawContent: "R" });
    expect(answered({ include_raw_content: true, include_answer: true }, answerOf([result]))).toEqual({
      query: "tides",
      follow_up_questions: null,
      answer: "yes",
      images: [],
      results: [{ title: "T", url: "https://a.example/", content: "C", score: 0.5, raw_content: "R" }],
      response_time: 1.234,
      request_id: "req_1",
    });
  });

  test("tells the answer only where it was asked for", () => {
    expect(answered({}, answerOf([])).answer).toBeNull();
  });

  test("leaves out what the request does not want", () => {
    const dated = (url: string, publishedDate: string | null) => resultOf(url, { publishedDate });
    expect(
      urls({ start_date: "2026-01-01", end_date: "2026-01-31" }, [
        dated("https://old.example/", "2025-12-31"),
        dated("https://in.example/", "Jan 31, 2026"),
        dated("https://new.example/", "2 days ago"),
        dated("https://undated.example/", null),
      ]),
    ).toEqual(["https://in.example/", "https://undated.example/"]);
    const pages = ["https://a.example/in/x", "https://a.example/y", "https://b.example/"].map((url) => resultOf(url));
    expect(urls({ include_domains: ["a.example/in"] }, pages)).toEqual(["https://a.example/in/x"]);
    expect(urls({ exclude_domains: ["a.example/in"] }, pages)).toEqual(["https://a.example/y", "https://b.example/"]);
  });

  test("keeps to exact phrases where they are asked for", () => {
    const query = 'tides "high water" “spring tide”';
    const results = [
      resultOf("https://a.example/", { title: "High  Water", content: "at spring TIDE" }),
      resultOf("https://b.example/", { content: "high water" }),
      resultOf("https://c.example/", { rawContent: "high\nwater, spring tide" }),
    ];
    const found = urls({ query, exact_match: true }, results);
    expect(found).toEqual(["https://a.example/", "https://c.example/"]);
    expect(urls({ query }, results)).toHaveLength(3);
    expect(urls({ exact_match: true }, results)).toHaveLength(3);
  });

  test("puts preferred domains first and keeps the rest", () => {
    const results = ["https://a.example/", "https://b.example/", "https://c.example/"].map((url) => resultOf(url));
    const fields = { include_domains: ["c.example"], include_domains_mode: "prefer", max_results: 2 };
    expect(urls(fields, results)).toEqual(["https://c.example/", "https://a.example/"]);
  });

  test("is never longer than was asked", () => {
    const results = Array.from({ length: 20 }, (_, i) => resultOf(`https://a${i}.example/`));
    expect(urls({ max_results: 3, start_date: "2026-01-01" }, results)).toHaveLength(3);
    expect(urls({ max_results: 0 }, results)).toEqual([]);
  });

  test("tells credits that were spent for it, and none for what another paid", () => {
    const usage = (fields: object, more: Partial<SearchAnswer> = {}) =>
      answered({ include_usage: true, ...fields }, answerOf([], more)).usage;
    expect(usage({})).toEqual({ credits: 1 });
    expect(usage({ search_depth: "advanced" })).toEqual({ credits: 2 });
    expect(usage({}, { attempts: [] })).toEqual({ credits: 0 });
    expect(usage({}, { cache: { status: "coalesced", ageSeconds: 0 } })).toEqual({ credits: 0 });
    expect(answered({}, answerOf([]))).not.toHaveProperty("usage");
  });

  test("tells dates where they are known, asked for, or expected", () => {
    const dates = (fields: object, publishedDate: string | null) =>
      answered(fields, answerOf([resultOf("https://a.example/", { publishedDate })])).results[0]?.published_date;
    expect(dates({}, "2026-01-01")).toBe("2026-01-01");
    expect(dates({}, null)).toBeUndefined();
    expect(dates({ topic: "news" }, null)).toBeNull();
    expect(dates({ include_published_date: true }, null)).toBeNull();
  });
});

test("whatever is sent as Tavily's is refused, or becomes a request that our own route takes", () => {
  const texts = fc.constantFrom(
    "example.com",
    "*.com",
    "a.example/x",
    "2026-01-01",
    "news",
    "advanced",
    "germany",
    "en",
    "d",
    "",
    "__proto__",
  );
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), texts, fc.array(texts, { maxLength: 3 }), fc.integer());
  const body = fc.dictionary(fc.constantFrom(...Object.keys(tavilySearchBody.shape)), value);
  fc.assert(
    fc.property(body, fc.string({ unit: "binary", maxLength: 50 }), (fields, query) => {
      const parsed = tavilySearchBody.safeParse({ query, ...fields });
      if (!parsed.success) return;
      const plan = planTavilySearch(parsed.data, NOW);
      if (!plan.ok) return;
      for (const request of [plan.value.request]) expect(searchRequest.parse(request)).toEqual(request);
      for (const url of ["https://example.com/in/x", "http://[::1]/", "nonsense"]) plan.value.keep(resultOf(url));
    }),
    { numRuns: 1_000 },
  );
});
