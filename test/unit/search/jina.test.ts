import { describe, expect, test } from "vitest";
import {
  buildJinaRequest,
  jinaFailure,
  jinaHeaders,
  jinaRefusal,
  parseJinaAnswer,
} from "../../../src/search/providers/jina.ts";
import { requestOf } from "../../support/providers/harness.ts";

describe("a request to Jina", () => {
  test("asks for snippets alone", () => {
    expect(buildJinaRequest(requestOf("Cats"))).toEqual({ q: "Cats", num: 5 });
    expect(jinaHeaders(requestOf("Cats"))).toEqual({ "X-Respond-With": "no-content" });
  });

  test("carries country, language, sites and kind", () => {
    const request = requestOf("q", {
      topic: "news",
      country: "DE",
      language: "EN",
      includeDomains: ["a.example", "b.example"],
      includeRawContent: true,
      cache: "bypass",
    });
    expect(buildJinaRequest(request)).toEqual({
      q: "q",
      num: 5,
      type: "news",
      gl: "de",
      hl: "en",
      site: ["a.example", "b.example"],
    });
    expect(jinaHeaders(request)).toEqual({ "X-No-Cache": "true" });
  });

  test("asks for more where hosts will be left out, never for more than Jina gives", () => {
    expect(buildJinaRequest(requestOf("q", { excludeDomains: ["a.example"] })).num).toBe(10);
    expect(buildJinaRequest(requestOf("q", { excludeDomains: ["a.example"], maxResults: 15 })).num).toBe(20);
  });
});

test.each([
  [401, null, "unauthorized"],
  [403, null, "unauthorized"],
  [402, null, "quota"],
  [422, 42204, "server_error"],
  [422, 42205, "server_error"],
  [422, 42201, "bad_response"],
  [422, null, "bad_response"],
  [400, null, "bad_response"],
  [409, null, "bad_response"],
  [451, null, "bad_response"],
  [429, 42903, "rate_limited"],
  [500, null, "server_error"],
  [503, null, "server_error"],
  [524, null, "server_error"],
  [302, null, "bad_response"],
  [204, null, "bad_response"],
])("a status of %i with the code %s means %s", (status, code, reason) => {
  expect(jinaFailure(status, code)).toBe(reason);
});

describe("a refusal of Jina", () => {
  test("that says nothing was found is an empty answer", () => {
    const body = { data: null, code: 422, status: 42206, message: "No search results available for query X" };
    expect(jinaRefusal(422, body, null)).toEqual({ ok: true, httpStatus: 422, results: [], answer: null });
  });

  test.each([
    [{ status: 42903, retryAfter: 12 }, null, 12_000],
    [{ status: 42903, retryAfter: 12 }, 30_000, 30_000],
    [{ status: 42903 }, 7_000, 7_000],
    [{ status: 42903, retryAfter: "soon" }, 7_000, 7_000],
    [{ status: 42903, retryAfter: 1e12 }, null, 86_400_000],
    [undefined, 7_000, 7_000],
  ])("%j with a header of %s ms waits %i ms", (body, headerMs, expected) => {
    expect(jinaRefusal(429, body, headerMs)).toEqual({
      ok: false,
      reason: "rate_limited",
      httpStatus: 429,
      retryAfterMs: expected,
    });
  });

  test("that names no wait has none", () => {
    expect(jinaRefusal(429, {}, null)).toEqual({ ok: false, reason: "rate_limited", httpStatus: 429 });
  });
});

describe("an answer of Jina", () => {
  test("takes the snippet from the description, else from the content", () => {
    const outcome = parseJinaAnswer({
      code: 200,
      status: 20_000,
      data: [
        {
          title: "A",
          url: "https://a.example/",
          description: "snippet",
          content: "page",
          date: "3 days ago",
          usage: {},
        },
        { title: "B", url: "https://b.example/", content: "page" },
        { title: "C", url: "https://c.example/", description: 7, date: 2026 },
        { title: null, url: "https://d.example/" },
      ],
    });
    expect(outcome.ok && outcome.results).toEqual([
      {
        title: "A",
        url: "https://a.example/",
        content: "snippet",
        score: null,
        publishedDate: "3 days ago",
        rawContent: "page",
      },
      { title: "B", url: "https://b.example/", content: "page", score: null, publishedDate: null, rawContent: "page" },
      { title: "C", url: "https://c.example/", content: "", score: null, publishedDate: null, rawContent: null },
    ]);
  });

  test.each([
    ["nothing readable", undefined],
    ["a list", []],
    ["no data", { code: 200 }],
    ["data that is null", { code: 200, data: null }],
    ["data that is all odd", { data: [1, null, {}] }],
  ])("that is %s is a bad response", (_name, body) => {
    expect(parseJinaAnswer(body)).toEqual({ ok: false, reason: "bad_response", httpStatus: 200 });
  });

  test("under 200 whose body names a failure is that failure", () => {
    expect(parseJinaAnswer({ data: null, code: 402, status: 40203 })).toEqual({
      ok: false,
      reason: "quota",
      httpStatus: 200,
    });
    expect(parseJinaAnswer({ data: null, code: 422, status: 42206 })).toMatchObject({ ok: true, results: [] });
  });
});
