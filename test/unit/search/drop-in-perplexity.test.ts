import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Call } from "../../../src/core/actor.ts";
import { err, ok, type Result } from "../../../src/core/result.ts";
import type { Gate } from "../../../src/http/admission/contract.ts";
import { type SearchAnswer, type SearchResult, searchRequest } from "../../../src/search/contract.ts";
import { interleave, toPerplexityAnswer } from "../../../src/search/drop-in/perplexity-answer.ts";
import { perplexitySearchBody } from "../../../src/search/drop-in/perplexity-contract.ts";
import { planPerplexitySearch } from "../../../src/search/drop-in/perplexity-request.ts";
import { searchAll } from "../../../src/search/drop-in/perplexity-search.ts";
import type { Searches } from "../../../src/search/drop-in/searches.ts";
import type { SearchReply } from "../../../src/search/reply.ts";

const NOW = Date.parse("2026-02-13T10:30:00.000Z");

function planOf(fields: object) {
  const plan = planPerplexitySearch(perplexitySearchBody.parse({ query: "tides", ...fields }), NOW);
  if (!plan.ok) throw new Error(plan.error.detail);
  return plan.value;
}

function resultOf(url: string, more: Partial<SearchResult> = {}): SearchResult {
  return { title: "T", url, content: "C", score: 0.5, publishedDate: null, provider: "tavily", ...more };
}

function answerOf(results: readonly SearchResult[], query = "tides"): SearchAnswer {
  return {
    query,
    results: [...results],
    answer: null,
    provider: "tavily",
    degraded: false,
    cache: { status: "miss", ageSeconds: 0 },
    attempts: [],
    requestId: "req_1",
    tookMs: 1,
  };
}

const results = (fields: object, ...lists: readonly SearchResult[][]) =>
  toPerplexityAnswer(
    planOf(fields),
    lists.map((list) => answerOf(list)),
    NOW,
  ).results;

describe("Perplexity's request", () => {
  test("with a query alone asks for ten results", () => {
    expect(planOf({}).requests).toEqual([searchRequest.parse({ query: "tides", maxResults: 10 })]);
  });

  test("with null for everything is one with a query alone", () => {
    const names = Object.keys(perplexitySearchBody.shape).filter((name) => name !== "query");
    expect(planOf(Object.fromEntries(names.map((name) => [name, null]))).requests).toEqual(planOf({}).requests);
  });

  test("with several queries becomes one for each, the same one once", () => {
    const { requests } = planOf({ query: ["a", " b ", "a"], country: "DE" });
    expect(requests.map(({ query, country }) => [query, country])).toEqual([
      ["a", "de"],
      ["b", "de"],
    ]);
  });

  test.each<[object, object]>([
    [
      { search_domain_filter: ["a.example", "-b.example"] },
      { includeDomains: ["a.example"], excludeDomains: ["b.example"] },
    ],
    [{ search_domain_filter: ["-a.example/x"] }, { includeDomains: [], excludeDomains: [], maxResults: 20 }],
    [{ search_recency_filter: "hour" }, { timeRange: "day" }],
    [{ search_recency_filter: "month" }, { timeRange: "month" }],
    [{ search_after_date_filter: "2/12/2026" }, { timeRange: "week", maxResults: 20 }],
    [{ search_before_date_filter: "2/12/2020" }, { timeRange: null, maxResults: 20 }],
    [{ search_language_filter: ["de"] }, { language: "de" }],
    [{ search_language_filter: [] }, { language: null }],
    [{ search_mode: "web", model: "sonar", metadata: {} }, { topic: "general" }],
  ])("%j becomes %j", (fields, expected) => {
    expect(planOf(fields).requests[0]).toMatchObject(expected);
  });

  test.each<[object, string]>([
    [{ search_domain_filter: ["a.example", "-.gov"] }, "search_domain_filter.1"],
    [{ search_language_filter: ["de", "fr"] }, "search_language_filter"],
    [{ search_language_filter: ["deutsch"] }, "search_language_filter.0"],
    [{ search_after_date_filter: "soon" }, "search_after_date_filter"],
    [{ search_after_date_filter: "2/13/2026", search_before_date_filter: "2/12/2026" }, "search_after_date_filter"],
    [{ last_updated_after_filter: "2/13/2026" }, "last_updated_after_filter"],
    [{ search_mode: "academic" }, "search_mode"],
  ])("%j is refused by the name of its field", (fields, path) => {
    const plan = planPerplexitySearch(perplexitySearchBody.parse({ query: "tides", ...fields }), NOW);
    expect(plan).toMatchObject({ ok: false, error: { code: "VALIDATION_FAILED", errors: [{ path }] } });
  });
});

describe("Perplexity's answer", () => {
  test("tells the day of a page where it is known", () => {
    const dates = ["Fri, 13 Feb 2026 10:30:00 GMT", "3 days ago", "some day", null];
    const found = results(
      {},
      dates.map((publishedDate, i) => resultOf(`https://a${i}.example/`, { publishedDate })),
    );
    expect(found.map(({ date }) => date)).toEqual(["2026-02-13", "2026-02-10", null, null]);
  });

  test("takes the lists in turn, each page once, up to what was asked", () => {
    const list = (...names: string[]) => names.map((name) => resultOf(`https://${name}.example/`));
    const merged = results(
      { max_results: 4 },
      list("a", "b", "c"),
      [resultOf("http://www.a.example?utm_source=x"), ...list("d")],
      [],
      list("e"),
    );
    expect(merged.map(({ url }) => url)).toEqual(["a", "e", "b", "d"].map((name) => `https://${name}.example/`));
    expect(interleave([], 5)).toEqual([]);
  });

  test("keeps snippets within the tokens given, and characters whole", () => {
    const list = [
      resultOf("https://a.example/", { content: "x".repeat(100) }),
      resultOf("https://b.example/", { content: "abc😀" }),
    ];
    const lengths = (fields: object) => results(fields, list).map(({ snippet }) => snippet.length);
    expect(lengths({})).toEqual([100, 5]);
    expect(lengths({ max_tokens_per_page: 1 })).toEqual([4, 3]);
    expect(lengths({ max_tokens: 26 })).toEqual([100, 3]);
    expect(lengths({ max_tokens: 10 })).toEqual([40, 0]);
  });

  test("leaves out what lies outside the dates and the paths", () => {
    const list = [
      resultOf("https://a.example/blog/1", { publishedDate: "2026-02-01" }),
      resultOf("https://a.example/blog/2", { publishedDate: "2026-01-01" }),
      resultOf("https://a.example/shop/3", { publishedDate: "2026-02-01" }),
    ];
    const fields = { search_domain_filter: ["a.example/blog"], search_after_date_filter: "1/15/2026" };
    expect(results(fields, list).map(({ url }) => url)).toEqual(["https://a.example/blog/1"]);
  });
});

describe("several questions", () => {
  const call: Call = { actor: { kind: "admin", id: "admin" }, requestId: "req_1", origin: "http://localhost" };
  const requests = planOf({ query: ["a", "b", "c"] }).requests;
  const refusal = err({
    code: "RATE_LIMITED",
    detail: "too fast",
    violatedPolicies: [],
    retryAfterSeconds: 1,
  } as const);

  /** Answers at once, once its gate is passed; those named fail. */
  function createSearches(failing: readonly string[] = []) {
    const asked: string[] = [];
    const service: Searches = {
      async search(_call, request, _owner, gate): Promise<Result<SearchReply>> {
        const passed = await gate?.();
        if (passed?.ok === false) return passed;
        asked.push(request.query);
        if (failing.includes(request.query)) return err({ code: "UPSTREAM_FAILED", detail: request.query });
        return ok({ answer: answerOf([], request.query), trace: { status: "miss", stored: false } });
      },
    };
    return { service, asked };
  }

  const queriesOf = (replies: Awaited<ReturnType<typeof searchAll>>) =>
    replies.ok ? replies.value.map(({ answer }) => answer.query) : replies.error.detail;

  test("are asked once the first has passed the gate, which is passed once", async () => {
    const { service, asked } = createSearches();
    const opened = Promise.withResolvers<void>();
    let passed = 0;
    const gate: Gate = async () => {
      passed++;
      await opened.promise;
      return ok(null);
    };
    const replies = searchAll(service, call, requests, gate);
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toEqual([]);
    opened.resolve();
    expect(queriesOf(await replies)).toEqual(["a", "b", "c"]);
    expect([passed, [...asked].sort()]).toEqual([1, ["a", "b", "c"]]);
  });

  test("are not asked where the gate is closed", async () => {
    const { service, asked } = createSearches();
    expect(queriesOf(await searchAll(service, call, requests, async () => refusal))).toBe("too fast");
    expect(asked).toEqual([]);
  });

  test("are asked at once where there is no gate, and make up for each other", async () => {
    expect(queriesOf(await searchAll(createSearches().service, call, requests, undefined))).toEqual(["a", "b", "c"]);
    expect(queriesOf(await searchAll(createSearches(["a"]).service, call, requests, undefined))).toEqual(["b", "c"]);
    expect(queriesOf(await searchAll(createSearches(["b"]).service, call, requests, undefined))).toEqual(["a", "c"]);
    expect(queriesOf(await searchAll(createSearches(["a", "b", "c"]).service, call, requests, undefined))).toBe("a");
  });

  test("of which one breaks break as a whole", async () => {
    const { service } = createSearches();
    const broken: Searches = {
      search: (...given) => (given[1].query === "b" ? Promise.reject(new Error("a bug")) : service.search(...given)),
    };
    await expect(searchAll(broken, call, requests, undefined)).rejects.toThrow("a bug");
    await expect(searchAll(broken, call, requests, async () => ok(null))).rejects.toThrow("a bug");
  });
});

test("whatever is sent as Perplexity's is refused, or becomes a request that our own route takes", () => {
  const texts = fc.constantFrom(
    "example.com",
    "-a.example/x",
    "-.gov",
    "1/2/2026",
    "web",
    "hour",
    "de",
    "",
    "constructor",
  );
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), texts, fc.array(texts, { maxLength: 3 }), fc.integer());
  const body = fc.dictionary(fc.constantFrom(...Object.keys(perplexitySearchBody.shape)), value);
  fc.assert(
    fc.property(body, fc.string({ unit: "binary", maxLength: 50 }), (fields, query) => {
      const parsed = perplexitySearchBody.safeParse({ query, ...fields });
      if (!parsed.success) return;
      const plan = planPerplexitySearch(parsed.data, NOW);
      if (!plan.ok) return;
      for (const request of plan.value.requests) expect(searchRequest.parse(request)).toEqual(request);
      for (const url of ["https://example.com/in/x", "http://[::1]/", "nonsense"]) plan.value.keep(resultOf(url));
    }),
    { numRuns: 1_000 },
  );
});
