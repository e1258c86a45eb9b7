import { describe, expect, test } from "vitest";
import {
  buildTavilyRequest,
  parseTavilyAnswer,
  parseTavilyUsage,
  tavilyFailure,
} from "../../../src/search/providers/tavily.ts";
import { tavilyCountry } from "../../../src/search/providers/tavily-countries.ts";
import { requestOf } from "../../support/providers/harness.ts";

describe("a request to Tavily", () => {
  test("always says how many results, and leaves out what was not asked for", () => {
    expect(buildTavilyRequest(requestOf("Cats & Dogs"))).toEqual({
      query: "Cats & Dogs",
      search_depth: "basic",
      max_results: 5,
      topic: "general",
      include_answer: false,
      include_raw_content: false,
    });
  });

  test("carries every field, the domains as a restriction and the country by its name", () => {
    const request = requestOf("q", {
      maxResults: 20,
      searchDepth: "advanced",
      timeRange: "week",
      includeDomains: ["a.example"],
      excludeDomains: ["b.example"],
      country: "GB",
      language: "de",
      includeAnswer: true,
      includeRawContent: true,
    });
    expect(buildTavilyRequest(request)).toEqual({
      query: "q",
      search_depth: "advanced",
      max_results: 20,
      topic: "general",
      time_range: "week",
      include_answer: true,
      include_raw_content: "text",
      include_domains: ["a.example"],
      include_domains_mode: "restrict",
      exclude_domains: ["b.example"],
      country: "united kingdom",
    });
  });

  test("names a country only where Tavily takes one", () => {
    expect(buildTavilyRequest(requestOf("q", { topic: "news", country: "de" }))).not.toHaveProperty("country");
    expect(buildTavilyRequest(requestOf("q", { country: "aq" }))).not.toHaveProperty("country");
    expect(tavilyCountry("US")).toBe("united states");
    expect(tavilyCountry("__proto__")).toBeNull();
  });
});

test.each([
  [400, "bad_response"],
  [403, "bad_response"],
  [422, "bad_response"],
  [404, "bad_response"],
  [204, "bad_response"],
  [302, "bad_response"],
  [401, "unauthorized"],
  [429, "rate_limited"],
  [432, "quota"],
  [433, "quota"],
  [500, "server_error"],
  [502, "server_error"],
  [503, "server_error"],
  [529, "server_error"],
])("a status of %i means %s", (status, reason) => {
  expect(tavilyFailure(status)).toBe(reason);
});

describe("an answer of Tavily", () => {
  const good = { title: "T", url: "https://a.example/", content: "C", score: 0.8, raw_content: null };

  test("is read whatever stands beside the results", () => {
    const outcome = parseTavilyAnswer({
      query: "q",
      answer: "Yes",
      images: ["https://i.example/", { url: "https://i.example/", description: null }],
      results: [{ ...good, raw_content: "raw", published_date: "Jan 2, 2026", favicon: 7 }],
      response_time: "1.67",
      usage: null,
    });
    expect(outcome).toEqual({
      ok: true,
      httpStatus: 200,
      answer: "Yes",
      results: [
        {
          title: "T",
          url: "https://a.example/",
          content: "C",
          score: 0.8,
          publishedDate: "Jan 2, 2026",
          rawContent: "raw",
        },
      ],
    });
  });

  test("with no results is a good answer", () => {
    expect(parseTavilyAnswer({ results: [] })).toEqual({ ok: true, httpStatus: 200, results: [], answer: null });
  });

  test("loses the results that are none, keeps the odd ones", () => {
    const outcome = parseTavilyAnswer({
      answer: { text: "no string" },
      results: [
        null,
        7,
        "x",
        [],
        {},
        { title: 1, url: "https://a.example/" },
        { title: "T" },
        { ...good, score: "high", content: null },
      ],
    });
    expect(outcome).toEqual({
      ok: true,
      httpStatus: 200,
      answer: null,
      results: [
        { title: "T", url: "https://a.example/", content: "", score: null, publishedDate: null, rawContent: null },
      ],
    });
  });

  test.each([
    ["nothing readable", undefined],
    ["null", null],
    ["a text", "ok"],
    ["a list", [good]],
    ["no results", { answer: "x" }],
    ["results that are no list", { results: { 0: good } }],
    ["results that are all none", { results: [null, {}, { title: "T" }] }],
    ["an error under 200", { detail: { error: "x" } }],
  ])("that is %s is a bad response", (_name, body) => {
    expect(parseTavilyAnswer(body)).toEqual({ ok: false, reason: "bad_response", httpStatus: 200 });
  });

  test("with a million results is not gone through", () => {
    const outcome = parseTavilyAnswer({ results: Array.from({ length: 1_000_000 }, () => good) });
    expect(outcome.ok && outcome.results.length).toBe(100);
  });
});

describe("the usage that Tavily tells", () => {
  const account = { current_plan: "Bootstrap", plan_usage: 1_500, plan_limit: 15_000, paygo_usage: 0, paygo_limit: 0 };

  test.each([
    ["the key's own limit counts first", { key: { usage: 5, limit: 10 }, account }, { used: 5, limit: 10 }],
    ["else the plan's", { key: { usage: 5, limit: null }, account }, { used: 1_500, limit: 15_000 }],
    ["a plan without a limit has none", { account: { plan_usage: 3, plan_limit: null } }, { used: 3, limit: null }],
    ["a key alone is enough", { key: { usage: 5, limit: null } }, { used: 5, limit: null }],
    ["odd figures are none", { key: { usage: "5", limit: 10 }, account: { plan_usage: -1, plan_limit: 9 } }, null],
    ["an odd limit is none", { key: { usage: 5, limit: "10" }, account: null }, { used: 5, limit: null }],
    ["lists are no figures", { key: [1], account: "x" }, null],
    ["nothing is told by nothing", {}, null],
    ["or by no object", [account], null],
    ["or by no JSON", undefined, null],
  ])("%s", (_name, body, expected) => {
    expect(parseTavilyUsage(body)).toEqual(expected);
  });
});
