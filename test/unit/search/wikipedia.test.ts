import { describe, expect, test } from "vitest";
import type { Json } from "../../../src/core/json.ts";
import {
  buildWikipediaQuery,
  createWikipediaProvider,
  parseWikipediaAnswer,
  wikipediaFailure,
} from "../../../src/search/providers/wikipedia.ts";
import { wikipediaLanguage } from "../../../src/search/providers/wikipedia-languages.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { requestOf } from "../../support/providers/harness.ts";

test("a request asks for articles with snippets", () => {
  expect(Object.fromEntries(buildWikipediaQuery(requestOf("AC/DC & co", { maxResults: 7 })))).toEqual({
    action: "query",
    list: "search",
    srsearch: "AC/DC & co",
    srlimit: "7",
    srprop: "snippet",
    format: "json",
    formatversion: "2",
    utf8: "1",
  });
});

test.each([
  [null, "en"],
  ["de", "de"],
  ["ja", "ja"],
  ["nb", "no"],
  ["xx", "en"],
  ["aa", "en"],
])("the language %s is asked of the Wikipedia %s", (language, expected) => {
  expect(wikipediaLanguage(language)).toBe(expected);
});

describe("an answer of Wikipedia", () => {
  const answerOf = (...search: Json[]): Json => ({
    batchcomplete: true,
    query: { searchinfo: { totalhits: 1 }, search },
  });

  test("becomes links to the articles, without a date: an edit is no publication", () => {
    const article = { title: "AC/DC", snippet: "<span>AC</span>", timestamp: "2026-01-01T00:00:00Z" };
    expect(parseWikipediaAnswer(answerOf(article), "de")).toEqual({
      ok: true,
      httpStatus: 200,
      answer: null,
      results: [
        {
          title: "AC/DC",
          url: "https://de.wikipedia.org/wiki/AC/DC",
          content: "<span>AC</span>",
          score: null,
          publishedDate: null,
          rawContent: null,
        },
      ],
    });
  });

  test.each([
    ["New York City", "https://en.wikipedia.org/wiki/New_York_City"],
    ["What? 100% & more", "https://en.wikipedia.org/wiki/What%3F_100%25_%26_more"],
    ["Portal:Science", "https://en.wikipedia.org/wiki/Portal:Science"],
    ["日本", "https://en.wikipedia.org/wiki/%E6%97%A5%E6%9C%AC"],
    ["C# \ud800", "https://en.wikipedia.org/wiki/C%23_%EF%BF%BD"],
    ["javascript:alert(1)", "https://en.wikipedia.org/wiki/javascript:alert(1)"],
    ["@evil.example", "https://en.wikipedia.org/wiki/%40evil.example"],
  ])("links %j to %s", (title, url) => {
    expect(parseWikipediaAnswer(answerOf({ title, snippet: "" }), "en")).toMatchObject({ results: [{ url }] });
  });

  test("with no articles found nothing", () => {
    expect(parseWikipediaAnswer(answerOf(), "en")).toEqual({ ok: true, httpStatus: 200, results: [], answer: null });
  });

  test.each([
    ["ratelimited", "rate_limited"],
    ["maxlag", "server_error"],
    ["readonly", "server_error"],
    ["internal_api_error_DBQueryError", "server_error"],
    ["cirrussearch-too-busy-error", "server_error"],
    ["blocked", "unauthorized"],
    ["missingparam", "bad_response"],
    [undefined, "bad_response"],
    [7, "bad_response"],
  ])("under 200 with the error %s failed as %s", (code, reason) => {
    expect(wikipediaFailure(code)).toBe(reason);
    expect(parseWikipediaAnswer({ error: { code: code ?? null, info: "x" } }, "en", 5_000)).toEqual({
      ok: false,
      reason,
      httpStatus: 200,
      retryAfterMs: 5_000,
    });
  });

  test.each([
    ["nothing readable", undefined],
    ["a list", []],
    ["no query", { batchcomplete: true }],
    ["no list of results", { query: { search: { 0: { title: "T" } } } }],
    ["articles that are all none", answerOf(null, {}, { title: "" }, { title: 7 })],
    ["an error that is a text", { error: "x" }],
  ])("that is %s is a bad response", (_name, body) => {
    expect(parseWikipediaAnswer(body as never, "en")).toEqual({ ok: false, reason: "bad_response", httpStatus: 200 });
  });
});

test("where its site is not wanted it is not asked", async () => {
  const provider = createWikipediaProvider({
    enabled: true,
    baseUrl: "https://{lang}.wikipedia.org",
    userAgent: "test",
    clock: createFakeClock(),
  });
  const asked: string[] = [];
  const ask = (fields: Parameters<typeof requestOf>[1]) =>
    provider.search(requestOf("q", fields), {
      ownerId: null,
      signal: new AbortController().signal,
      fetch: async (url) => {
        asked.push(new URL(url).hostname);
        return Response.json({ query: { search: [] } });
      },
    });
  const nothing = { ok: true, httpStatus: null, results: [], answer: null };
  expect(await ask({ includeDomains: ["a.example"] })).toEqual(nothing);
  expect(await ask({ excludeDomains: ["wikipedia.org"] })).toEqual(nothing);
  expect(await ask({ includeDomains: ["de.wikipedia.org"] })).toEqual(nothing);
  expect(asked).toEqual([]);
  await ask({ includeDomains: ["de.wikipedia.org"], language: "de" });
  await ask({ includeDomains: ["a.example", "wikipedia.org"], timeRange: "day", topic: "news" });
  expect(asked).toEqual(["de.wikipedia.org", "en.wikipedia.org"]);
});
