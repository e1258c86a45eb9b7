import { describe, expect, test } from "vitest";
import { buildSearxngQuery, parseSearxngAnswer } from "../../../src/search/providers/searxng.ts";
import { requestOf } from "../../support/providers/harness.ts";

const queryOf = (...args: Parameters<typeof requestOf>) => Object.fromEntries(buildSearxngQuery(requestOf(...args)));

describe("a request to SearXNG", () => {
  test("asks for JSON and leaves out what was not asked for", () => {
    expect(queryOf("Cats & Dogs")).toEqual({ q: "Cats & Dogs", format: "json", safesearch: "1", pageno: "1" });
  });

  test("carries the locale, the time and the news", () => {
    expect(queryOf("q", { language: "de", country: "CH", timeRange: "day", topic: "news" })).toMatchObject({
      language: "de-CH",
      time_range: "day",
      categories: "news",
    });
    expect(queryOf("q", { language: "de", topic: "finance" })).toMatchObject({ language: "de" });
    expect(queryOf("q", { country: "CH", topic: "finance" })).not.toHaveProperty("categories");
    expect(queryOf("q", { country: "CH" })).not.toHaveProperty("language");
  });

  test("takes a month for a week, which it does not know", () => {
    expect(queryOf("q", { timeRange: "week" }).time_range).toBe("month");
  });

  test("keeps the question as typed, whatever is in it", () => {
    const query = '"a&b" #c?d=é 日本 %20';
    expect(new URL(`http://x/?${buildSearxngQuery(requestOf(query))}`).searchParams.get("q")).toBe(query);
  });
});

describe("an answer of SearXNG", () => {
  const good = { title: "T", url: "https://a.example/", content: "C", engine: "brave", score: 12.5 };
  const read = {
    title: "T",
    url: "https://a.example/",
    content: "C",
    score: null,
    publishedDate: null,
    rawContent: null,
  };

  test("gives results by their order, since its scores have no upper end", () => {
    const outcome = parseSearxngAnswer({ number_of_results: 0, results: [{ ...good, publishedDate: "2026-01-02" }] });
    expect(outcome).toEqual({
      ok: true,
      httpStatus: 200,
      answer: null,
      results: [{ ...read, publishedDate: "2026-01-02" }],
    });
  });

  test.each([
    [["It is so"], "It is so"],
    [[{ answer: "It is so", url: null }], "It is so"],
    [[null, "", { answer: 7 }, "Second"], "Second"],
    [[], null],
    ["It is so", null],
  ])("with the answers %j has the answer %j", (answers, expected) => {
    expect(parseSearxngAnswer({ results: [good], answers })).toMatchObject({ ok: true, answer: expected });
  });

  test("with no results found nothing, unless engines did not answer", () => {
    const empty = { ok: true, httpStatus: 200, results: [], answer: null };
    expect(parseSearxngAnswer({ results: [] })).toEqual(empty);
    expect(parseSearxngAnswer({ results: [], unresponsive_engines: [] })).toEqual(empty);
    expect(parseSearxngAnswer({ results: [], unresponsive_engines: [["google", "timeout"]] })).toEqual({
      ok: false,
      reason: "server_error",
      httpStatus: 200,
    });
    expect(parseSearxngAnswer({ results: [good], unresponsive_engines: [["google", "timeout"]] })).toMatchObject({
      ok: true,
      results: [read],
    });
  });

  test("loses the results that are none, keeps the odd ones", () => {
    const outcome = parseSearxngAnswer({
      results: [null, 7, [], { title: "T" }, { ...good, content: null, publishedDate: 7 }],
      unresponsive_engines: "odd",
    });
    expect(outcome).toMatchObject({ ok: true, results: [{ ...read, content: "" }] });
  });

  test.each([
    ["nothing readable", undefined],
    ["a list", [good]],
    ["no results", { query: "q" }],
    ["results that are all none", { results: [null, {}] }],
    ["results that are no list", { results: { 0: good } }],
  ])("that is %s is a bad response", (_name, body) => {
    expect(parseSearxngAnswer(body)).toEqual({ ok: false, reason: "bad_response", httpStatus: 200 });
  });

  test("with a million results is not gone through", () => {
    const outcome = parseSearxngAnswer({ results: Array.from({ length: 1_000_000 }, () => good) });
    expect(outcome.ok && outcome.results.length).toBe(100);
  });
});
