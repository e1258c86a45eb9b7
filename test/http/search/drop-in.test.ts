import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { perplexitySearchAnswer } from "../../../src/search/drop-in/perplexity-contract.ts";
import { tavilySearchAnswer } from "../../../src/search/drop-in/tavily-contract.ts";
import { createSearchHarness } from "../../support/providers/harness.ts";
import type { StandIn } from "../../support/providers/stand-in.ts";
import { startTavily } from "../../support/providers/tavily.ts";
import { createDropInApp } from "./drop-in-scene.ts";

let tavily: StandIn;

beforeAll(async () => {
  tavily = await startTavily();
});

afterAll(() => tavily.close());

afterEach(() => tavily.always("ok"));

function setUp() {
  const { service } = createSearchHarness({ tavily: tavily.url });
  return createDropInApp(service);
}

/** What the provider was asked since. */
function watchCalls() {
  const before = tavily.calls.length;
  return () => tavily.calls.slice(before).map(({ body }) => body);
}

describe("in Tavily's shape", () => {
  test("a search answers as Tavily does, with our headers", async () => {
    const asked = watchCalls();
    const { status, headers, body } = await setUp().post("/tavily/search", { query: " tides ", max_results: 2 });
    expect(status).toBe(200);
    expect(tavilySearchAnswer.strict().parse(body)).toEqual({
      query: "tides",
      follow_up_questions: null,
      answer: null,
      images: [],
      results: [
        {
          title: "tides · Tavily 1",
          url: "https://site0.tavily.example/page/1",
          content: "What Tavily knows about tides, number 1.",
          score: expect.any(Number),
          raw_content: null,
        },
        expect.objectContaining({ title: "tides · Tavily 2" }),
      ],
      response_time: expect.any(Number),
      request_id: headers.get("x-request-id"),
    });
    expect(headers.get("content-type")).toContain("application/json");
    expect(headers.get("ratelimit")).toContain('"minute";r=');
    expect(headers.get("cache-status")).toContain("fwd=uri-miss");
    expect(asked()).toHaveLength(1);
  });

  test("the same question again comes from the cache, whichever shape it has", async () => {
    const app = setUp();
    const asked = watchCalls();
    await app.post("/tavily/search", { query: "tides", max_results: 3 });
    const again = await app.post("/tavily/search", { query: "TIDES", max_results: 3, include_usage: true });
    expect(again.headers.get("cache-status")).toContain("orchestrix-l1; hit");
    expect(again.body.usage).toEqual({ credits: 0 });
    const other = await app.post("/v1/search", { query: "tides", max_results: 3 });
    expect(other.headers.get("cache-status")).toContain("orchestrix-l1; hit");
    expect(asked()).toHaveLength(1);
  });

  test("what was asked reaches the provider", async () => {
    const asked = watchCalls();
    const { body } = await setUp().post("/tavily/search", {
      query: "tides",
      search_depth: "advanced",
      topic: "general",
      time_range: "w",
      max_results: 20,
      include_answer: "advanced",
      include_raw_content: "markdown",
      include_domains: ["https://www.a.example/", "*.b.example"],
      exclude_domains: ["c.example"],
      country: "United Kingdom",
      auto_parameters: true,
      include_usage: true,
      include_favicon: true,
      include_images: true,
      chunks_per_source: 2,
    });
    expect(asked()).toEqual([
      expect.objectContaining({
        query: "tides",
        search_depth: "advanced",
        time_range: "week",
        max_results: 20,
        include_domains: ["a.example", "b.example"],
        exclude_domains: ["c.example"],
        country: "united kingdom",
      }),
    ]);
    expect(body).toMatchObject({
      answer: "An answer to tides",
      images: [],
      usage: { credits: 2 },
      auto_parameters: { topic: "general", search_depth: "advanced", time_range: "week" },
    });
    expect(body.results[0]).toMatchObject({ raw_content: "All of page 1 about tides.", favicon: null });
  });

  test("none wanted are none given", async () => {
    const { body } = await setUp().post("/tavily/search", { query: "tides", max_results: 0, include_answer: true });
    expect(body).toMatchObject({ results: [], answer: "An answer to tides" });
  });

  test("news tell their dates", async () => {
    const { body } = await setUp().post("/tavily/search", { query: "tides", topic: "news" });
    expect(body.results[0].published_date).toBe("Fri, 13 Feb 2026 10:30:00 GMT");
  });

  test("the key may stand in the body, where it is neither kept nor logged", async () => {
    const app = setUp();
    const { status, text } = await app.post("/tavily/search", { query: "tides", api_key: "orx_search" }, null);
    expect(status).toBe(200);
    expect(text + app.logged.join("")).not.toContain("orx_search");
    expect((await app.post("/tavily/search", { query: "tides", api_key: "orx_wrong" }, null)).status).toBe(401);
    expect((await app.post("/tavily/search", { query: "tides", api_key: { $ne: "" } }, null)).status).toBe(401);
    expect((await app.post("/v1/search", { query: "tides", api_key: "orx_search" }, null)).status).toBe(401);
  });

  test.each<[string, unknown, string | null, number, string]>([
    ["no key", { query: "q" }, null, 401, "Unauthorized: missing or invalid API key."],
    ["a wrong key", { query: "q" }, "orx_wrong", 401, "Unauthorized: missing or invalid API key."],
    ["a key without the scope", { query: "q" }, "orx_deploy", 403, "this key lacks the scope search"],
    ["no query", {}, "orx_search", 400, "Query is missing."],
    ["an empty query", { query: " " }, "orx_search", 400, "Query is missing."],
    [
      "a long query",
      { query: "x".repeat(401) },
      "orx_search",
      400,
      "Query is too long. Max query length is 400 characters.",
    ],
    ["an unknown topic", { query: "q", topic: "gossip" }, "orx_search", 400, "Invalid topic."],
    ["too many results", { query: "q", max_results: 21 }, "orx_search", 400, "max_results"],
    ["no object", [], "orx_search", 400, "body"],
    ["a body too large", { query: "q", more: "x".repeat(70_000) }, "orx_search", 413, "larger than"],
  ])("%s is told as Tavily tells it", async (_name, given, key, expected, message) => {
    const asked = watchCalls();
    const { status, headers, body } = await setUp().post("/tavily/search", given, key);
    expect(status).toBe(expected);
    expect(body).toEqual({ detail: { error: expect.stringContaining(message) } });
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("x-request-id")).not.toBeNull();
    expect(asked()).toEqual([]);
  });

  test("too fast is a 429 with the time to wait, and asks nobody", async () => {
    const app = setUp();
    await app.post("/tavily/search", { query: "tides" }, "orx_slow");
    const asked = watchCalls();
    const { status, headers, body } = await app.post("/tavily/search", { query: "other tides" }, "orx_slow");
    expect(status).toBe(429);
    expect(body.detail.error).toContain("too many requests");
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect(headers.get("ratelimit-policy")).toContain('"minute";q=1;w=60');
    expect(asked()).toEqual([]);
  });

  test("when nobody can answer it is a failure of ours", async () => {
    tavily.always(500);
    const { status, headers, body } = await setUp().post("/tavily/search", { query: "xylophones" });
    expect(status).toBe(503);
    expect(body).toEqual({ detail: { error: expect.stringContaining("tavily (server_error)") } });
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
  });
});

describe("in Perplexity's shape", () => {
  test("a search answers as Perplexity does, with our headers", async () => {
    const asked = watchCalls();
    const { status, headers, body } = await setUp().post("/v1/search", {
      query: "tides",
      max_results: 2,
      country: "GB",
      search_domain_filter: ["a.example", "-b.example"],
      search_recency_filter: "month",
      search_language_filter: ["en"],
      search_tool_name: "any",
    });
    expect(status).toBe(200);
    expect(perplexitySearchAnswer.strict().parse(body)).toEqual({
      object: "search",
      id: headers.get("x-request-id"),
      results: [1, 2].map((n) => ({
        title: `tides · Tavily ${n}`,
        url: `https://a.example/page/${n}`,
        snippet: `What Tavily knows about tides, number ${n}.`,
        date: null,
        last_updated: null,
      })),
    });
    expect(headers.get("cache-status")).toContain("fwd=uri-miss");
    expect(headers.get("ratelimit")).not.toBeNull();
    expect(asked()).toEqual([
      expect.objectContaining({
        query: "tides",
        include_domains: ["a.example"],
        exclude_domains: ["b.example"],
        time_range: "month",
        country: "united kingdom",
      }),
    ]);
  });

  test("several queries are asked at once and interleaved; one asked twice is asked once", async () => {
    const asked = watchCalls();
    const { body } = await setUp().post("/v1/search", { query: ["tides", "moons", "tides"], max_results: 5 });
    expect(
      asked()
        .map((call) => call?.query)
        .sort(),
    ).toEqual(["moons", "tides"]);
    // Both found the same pages: each stands once.
    expect(body.results.map(({ url }: { url: string }) => url)).toEqual(
      [1, 2, 3, 4, 5].map((n) => `https://site${n - 1}.tavily.example/page/${n}`),
    );
  });

  test("several queries count as one request, and none is asked where it is refused", async () => {
    const app = setUp();
    const first = await app.post("/v1/search", { query: ["a tide", "a moon", "a star"] }, "orx_slow");
    expect(first.status).toBe(200);
    const asked = watchCalls();
    const second = await app.post("/v1/search", { query: ["b tide", "b moon"] }, "orx_slow");
    expect(second.status).toBe(429);
    expect(asked()).toEqual([]);
  });

  test("one query that fails leaves the others' answers", async () => {
    tavily.script(500, 500, "ok", "ok", "ok");
    const { status, body } = await setUp().post("/v1/search", { query: ["tides", "moons", "stars"], max_results: 3 });
    expect([status, body.results.length]).toEqual([200, 3]);
    tavily.script();
  });

  test.each<[string, unknown, string | null, number, string, string]>([
    ["no key", { query: "q" }, null, 401, "authentication_error", "send a key"],
    ["a wrong key", { query: "q" }, "orx_wrong", 401, "authentication_error", "not valid"],
    ["a key without the scope", { query: "q" }, "orx_deploy", 403, "permission_error", "scope search"],
    ["no query", {}, "orx_search", 400, "invalid_request_error", "query"],
    ["no queries", { query: [] }, "orx_search", 400, "invalid_request_error", "query"],
    ["six queries", { query: [..."abcdef"] }, "orx_search", 400, "invalid_request_error", "query"],
    ["too many results", { query: "q", max_results: 21 }, "orx_search", 400, "invalid_request_error", "max_results"],
    [
      "a mode of its own",
      { query: "q", search_mode: "academic" },
      "orx_search",
      400,
      "invalid_request_error",
      "search_mode",
    ],
    [
      "too large a body",
      { query: "q", more: "x".repeat(70_000) },
      "orx_search",
      413,
      "invalid_request_error",
      "larger",
    ],
  ])("%s is told as Perplexity tells it", async (_name, given, key, expected, type, message) => {
    const asked = watchCalls();
    const { status, body } = await setUp().post("/v1/search", given, key);
    expect(status).toBe(expected);
    expect(body).toEqual({ error: { message: expect.stringContaining(message), type, code: expected } });
    expect(asked()).toEqual([]);
  });

  test("too fast, and nobody there, are told so too", async () => {
    const app = setUp();
    await app.post("/v1/search", { query: "tides" }, "orx_slow");
    const fast = await app.post("/v1/search", { query: "more tides" }, "orx_slow");
    expect([fast.status, fast.body.error.type]).toEqual([429, "rate_limit_error"]);
    expect(Number(fast.headers.get("retry-after"))).toBeGreaterThan(0);
    tavily.always(500);
    const lost = await setUp().post("/v1/search", { query: "xylophones" });
    expect([lost.status, lost.body.error.type]).toEqual([503, "api_error"]);
  });
});
