import { describe, expect, test } from "vitest";
import { cleanAnswer, cleanResults, type RawResult } from "../../../src/search/quality/results.ts";

type Wanted = Parameters<typeof cleanResults>[2];

const WANTED: Wanted = {
  query: "some content",
  maxResults: 5,
  includeDomains: [],
  excludeDomains: [],
  includeRawContent: false,
};

function raw(fields: Partial<RawResult> = {}): RawResult {
  return {
    title: "A title",
    url: "https://example.com/a",
    content: "Some content",
    score: 0.5,
    publishedDate: null,
    rawContent: null,
    ...fields,
  };
}

const urlsOf = (items: readonly RawResult[], wanted: Partial<Wanted> = {}) =>
  cleanResults("tavily", items, { ...WANTED, ...wanted }).map((result) => result.url);

describe("cleaning results", () => {
  test("a good result passes with its provider's name", () => {
    expect(cleanResults("tavily", [raw({ publishedDate: " Jan 2, 2026 " })], WANTED)).toEqual([
      {
        title: "A title",
        url: "https://example.com/a",
        content: "Some content",
        score: 0.5,
        publishedDate: "Jan 2, 2026",
        provider: "tavily",
      },
    ]);
  });

  test("results without a title or a safe address are left out", () => {
    const items = [
      raw({ title: " <b></b> " }),
      raw({ url: "javascript:alert(1)" }),
      raw({ url: "https://user:secret@example.com/" }),
      raw({ url: "https://example.com/good" }),
    ];
    expect(urlsOf(items)).toEqual(["https://example.com/good"]);
  });

  test("one page counts once, the first time", () => {
    const items = [
      raw({ url: "https://www.example.com/a/?utm_source=x" }),
      raw({ url: "http://example.com/a" }),
      raw({ url: "https://example.com/b" }),
    ];
    expect(urlsOf(items)).toEqual(["https://www.example.com/a/?utm_source=x", "https://example.com/b"]);
  });

  test("only the hosts asked for remain, their subdomains with them", () => {
    const items = ["https://a.example/1", "https://sub.a.example/2", "https://nota.example/3", "https://b.example/4"];
    const results = items.map((url) => raw({ url }));
    expect(urlsOf(results, { includeDomains: ["a.example"] })).toEqual([items[0], items[1]]);
    expect(urlsOf(results, { excludeDomains: ["a.example"] })).toEqual([items[2], items[3]]);
    expect(urlsOf(results, { includeDomains: ["a.example"], excludeDomains: ["sub.a.example"] })).toEqual([items[0]]);
  });

  test("what is filtered out makes room for what comes after it", () => {
    const items = Array.from({ length: 10 }, (_, i) => raw({ url: `https://${i < 5 ? "x" : "y"}.example/${i}` }));
    expect(urlsOf(items, { excludeDomains: ["x.example"], maxResults: 3 })).toHaveLength(3);
  });

  test("scores lie between 0 and 1 and never rise", () => {
    const items = [7, -1, Number.NaN, null, 0.123456].map((score, i) => raw({ score, url: `https://a.example/${i}` }));
    const scores = cleanResults("tavily", items, WANTED).map((result) => result.score);
    expect(scores[0]).toBe(1);
    expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  test("texts are bounded and plain", () => {
    const [result] = cleanResults(
      "tavily",
      [
        raw({
          title: `<b>${"t".repeat(999)}</b>`,
          content: "&lt;img src=x onerror=alert(1)&gt;ok",
          rawContent: "<p>x</p>",
        }),
      ],
      { ...WANTED, includeRawContent: true },
    );
    expect(result?.title).toHaveLength(300);
    expect(result?.content).toBe("ok");
    expect(result?.rawContent).toBe("x");
  });

  test("raw content is only there when it was asked for", () => {
    expect(cleanResults("tavily", [raw({ rawContent: "text" })], WANTED)[0]).not.toHaveProperty("rawContent");
  });
});

test("a provider's answer is plain text, or none", () => {
  expect(cleanAnswer("<p>Paris &amp; Rome</p>")).toBe("Paris & Rome");
  expect(cleanAnswer("<p></p>")).toBeNull();
  expect(cleanAnswer(null)).toBeNull();
});
