import { describe, expect, test } from "vitest";
import type { SearchRequest } from "../../../src/search/contract.ts";
import { customFailure, customOutcome } from "../../../src/search/providers/custom.ts";
import { readCustomAnswer, readPath } from "../../../src/search/providers/custom-answer.ts";
import type { CustomDefinition } from "../../../src/search/providers/custom-definition.ts";
import { fillBody, fillUrl } from "../../../src/search/providers/custom-template.ts";
import { registerProviderBody } from "../../../src/search/providers/provider-contract.ts";
import { requestOf } from "../../support/providers/harness.ts";

const answer = { results: "data.items", title: "name", url: "link.href", content: "text" };
const request = { method: "GET", url: "https://api.example/find?q={{query}}" };
const full = { name: "acme", request, answer };

const faultsOf = (body: unknown) => {
  const parsed = registerProviderBody.safeParse(body);
  return parsed.success ? [] : parsed.error.issues.map((issue) => issue.path.join("."));
};
const withRequest = (fields: Record<string, unknown>) => ({ ...full, request: { ...request, ...fields } });

describe("a definition", () => {
  test("needs no more than where to ask and where the results lie", () => {
    expect(registerProviderBody.parse(full)).toEqual({ ...full, checkQuery: "cloudflare workers" });
  });

  test("may say everything", () => {
    const body = {
      ...full,
      priority: 15,
      request: {
        method: "POST",
        url: "http://10.0.0.5:8080/v1/{{topic}}/search",
        headers: { Authorization: "Bearer x y", "X-Key": "k" },
        body: { q: "{{query}}", opts: { n: "{{maxResults}}", tags: ["a", "{{language}}"] } },
      },
      answer: { results: "", title: "t", url: "u", content: "c", score: "s", publishedDate: "d.0", answer: "a.b" },
      errors: { "404": "empty", "418": "quota" },
      checkQuery: "tides",
    };
    expect(registerProviderBody.parse(body)).toEqual(body);
  });

  test.each([
    ["a name in capitals", { ...full, name: "Acme" }, "name"],
    ["a name that is too long", { ...full, name: "a".repeat(33) }, "name"],
    ["a name that is a prototype's", { ...full, name: "__proto__" }, "name"],
    ["the index's priority", { ...full, priority: 100 }, "priority"],
    ["no results path", { ...full, answer: { ...answer, results: undefined } }, "answer.results"],
    ["an empty path", { ...full, answer: { ...answer, title: "" } }, "answer.title"],
    ["a path to a prototype", { ...full, answer: { ...answer, url: "a.__proto__.b" } }, "answer.url"],
    ["a path to a constructor", { ...full, answer: { ...answer, url: "constructor.name" } }, "answer.url"],
    ["a deep path", { ...full, answer: { ...answer, url: "a.b.c.d.e.f.g.h.i" } }, "answer.url"],
    ["a path with a hole", { ...full, answer: { ...answer, url: "a..b" } }, "answer.url"],
    ["an unknown field", { ...full, extra: 1 }, ""],
    ["a table of good statuses", { ...full, errors: { "200": "quota" } }, "errors.200"],
    ["a reason that there is not", { ...full, errors: { "400": "sad" } }, "errors.400"],
    ["a method that changes things", withRequest({ method: "DELETE" }), "request.method"],
    ["a GET with a body", withRequest({ body: { q: "{{query}}" } }), "request.body"],
    ["no place for the question", withRequest({ url: "https://api.example/find" }), "request.url"],
    ["a placeholder that there is not", withRequest({ url: "https://api.example/{{query}}/{{key}}" }), "request.url"],
    ["the same in the body", withRequest({ method: "POST", body: { a: ["{{query}}", "{{x}}"] } }), "request.body"],
    ["a body that is a list", withRequest({ method: "POST", body: ["{{query}}"] }), "request.body"],
    ["a huge body", withRequest({ method: "POST", body: { a: "x".repeat(20_000) } }), "request.body"],
    ["a connection's header", withRequest({ headers: { Host: "a" } }), "request.headers.Host"],
    ["a length", withRequest({ headers: { "content-length": "1" } }), "request.headers.content-length"],
    ["a header with a line break", withRequest({ headers: { "X-A": "a\r\nX-B: b" } }), "request.headers.X-A"],
    ["a header's name with a line break", withRequest({ headers: { "X\r\nA": "a" } }), "request.headers.X\r\nA"],
    ["a header with a placeholder", withRequest({ headers: { "X-A": "{{query}}" } }), "request.headers.X-A"],
    ["an empty header", withRequest({ headers: { "X-A": "" } }), "request.headers.X-A"],
    ["a header that is no text", withRequest({ headers: { "X-A": 7 } }), "request.headers.X-A"],
    ["a header twice", withRequest({ headers: { "X-A": "a", "x-a": "b" } }), "request.headers"],
    [
      "too many headers",
      withRequest({ headers: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`X-${i}`, "a"])) }),
      "request.headers",
    ],
    ["a long header", withRequest({ headers: { "X-A": "a".repeat(5_000) } }), "request.headers.X-A"],
  ])("with %s is refused", (_name, body, path) => {
    expect(faultsOf(body)).toContain(path);
  });

  test.each([
    "ftp://api.example/{{query}}",
    "file:///etc/passwd?{{query}}",
    "javascript:alert('{{query}}')",
    "//api.example/{{query}}",
    "/find?q={{query}}",
    "https://",
    "https://user:pass@api.example/{{query}}",
    "https://user@api.example/{{query}}",
    "https://api.example/{{query}}#part",
    "https://{{query}}/find",
    "https://{{query}}.api.example/find",
    "https://api.example:{{maxResults}}/{{query}}",
    "https://api.example\\@evil.example\\{{query}}?{{query}}@169.254.169.254",
    "https://api.example/../{{query}}",
    "https://api.example/ {{query}}",
    "https://api.example/\n{{query}}",
    `https://api.example/${"a".repeat(2_050)}{{query}}`,
    "http://169.254.169.254/latest/{{query}}",
    "http://2852039166/{{query}}",
    "http://0xa9fea9fe/{{query}}",
    "http://0251.0376.0251.0376/{{query}}",
    "http://169.254.43518/{{query}}",
    "http://[::ffff:169.254.169.254]/{{query}}",
    "http://[fe80::1]/{{query}}",
    "http://metadata.google.internal/{{query}}",
    "http://METADATA.google.internal./{{query}}",
    "http://１６９.254.169.254/{{query}}",
    "http://[fd20:ce::254]/{{query}}",
    "http://[::ffff:0:169.254.169.254]/{{query}}",
    "http://[64:ff9b:1::169.254.169.254]/{{query}}",
    "http://[2002:a9fe:a9fe::]/{{query}}",
    "http://metadata.tencentyun.com/{{query}}",
    "http://169.254.169.254.nip.io/{{query}}",
    "http://A9FEA9FE.7f000001.rbndr.us./{{query}}",
  ])("for %s is refused", (url) => {
    expect(faultsOf(withRequest({ url }))).toContain("request.url");
  });

  test.each([
    "http://127.0.0.1:8080/{{query}}",
    "http://localhost/{{query}}",
    "http://[::1]:3000/{{query}}",
    "http://10.1.2.3/{{query}}",
    "http://192.168.0.1/{{query}}",
    "http://[::ffff:10.0.0.5]/{{query}}",
    "http://searx.internal:8080/{{query}}",
    "http://searxng/{{query}}",
    "http://notnip.io/{{query}}",
    "https://api.example/{{query}}?a={{maxResults}}&b={{country}}",
  ])("for %s is taken", (url) => {
    expect(faultsOf(withRequest({ url }))).toEqual([]);
  });
});

describe("a URL template", () => {
  const at = (template: string, fields: Partial<SearchRequest> & { query?: string } = {}) =>
    fillUrl(template, requestOf(fields.query ?? "a b&c=d#e/f", fields));

  test("takes values percent-encoded", () => {
    expect(at("https://x.example/{{query}}?q={{query}}&n={{maxResults}}&t={{topic}}")).toBe(
      "https://x.example/a%20b%26c%3Dd%23e%2Ff?q=a%20b%26c%3Dd%23e%2Ff&n=5&t=general",
    );
  });

  test("leaves out parameters without a value", () => {
    const template = "https://x.example/?q={{query}}&l={{language}}&c=x-{{country}}&t={{timeRange}}&k=1";
    expect(at(template, { query: "q" })).toBe("https://x.example/?q=q&k=1");
    expect(at(template, { query: "q", language: "de", country: "ch", timeRange: "day" })).toBe(
      "https://x.example/?q=q&l=de&c=x-ch&t=day&k=1",
    );
  });

  test.each(["$&", "$1", "{{topic}}", "%2e%2e", "日本 🌊", "'\"<>"])("takes the question %j as it is", (query) => {
    const url = new URL(at("https://x.example/find?q={{query}}", { query }) ?? "");
    expect(url.searchParams.get("q")).toBe(query);
  });

  test.each([".", ".."])("carries no question %j that would climb out of its path", (query) => {
    expect(at("https://x.example/v1/{{query}}/all", { query })).toBeNull();
    expect(at("https://x.example/v1/{{query}}", { query })).toBeNull();
    expect(at("https://x.example/v1?q={{query}}", { query })).toBe(`https://x.example/v1?q=${query}`);
  });
});

test("a body template keeps types, joins texts, and drops what has no value", () => {
  const template = {
    q: "{{query}}",
    n: "{{maxResults}}",
    text: "{{query}} in {{language}}!",
    lang: "{{language}}",
    deep: { list: ["{{country}}", "{{topic}}", 7, null], when: "{{timeRange}}" },
    "{{query}}": true,
  };
  expect(fillBody(template, requestOf("$& {{topic}}", { maxResults: 3 }))).toEqual({
    q: "$& {{topic}}",
    n: 3,
    text: "$& {{topic}} in !",
    deep: { list: ["general", 7, null] },
    "{{query}}": true,
  });
});

test.each([
  ["a.b", { a: { b: 1 } }, 1],
  ["a.0.b", { a: [{ b: 2 }] }, 2],
  ["", [3], [3]],
  ["a.length", { a: [1] }, undefined],
  ["a.-1", { a: [1] }, undefined],
  ["toString", {}, undefined],
  ["a.b.c", { a: null }, undefined],
  ["a.0", { a: "text" }, undefined],
])("the path %j leads into %j to %j", (path, value, expected) => {
  expect(readPath(value, path)).toEqual(expected);
});

describe("an answer", () => {
  const item = { name: "T", link: { href: "https://a.example/" }, text: "C", rank: 0.5, when: "2026-01-01" };
  const paths = { ...answer, score: "rank", publishedDate: "when", answer: "data.summary" };

  test("is read by its paths", () => {
    expect(readCustomAnswer(paths, { data: { items: [item], summary: "Yes" } })).toEqual({
      ok: true,
      answer: "Yes",
      results: [
        {
          title: "T",
          url: "https://a.example/",
          content: "C",
          score: 0.5,
          publishedDate: "2026-01-01",
          rawContent: null,
        },
      ],
    });
  });

  test("loses the results that are none, keeps the odd ones", () => {
    const items = [null, 7, { name: "T" }, { ...item, text: 7, rank: "high", when: 2026 }];
    expect(readCustomAnswer(paths, { data: { items, summary: 7 } })).toMatchObject({
      ok: true,
      answer: null,
      results: [{ content: "", score: null, publishedDate: null }],
    });
  });

  test.each([
    ["no JSON", undefined, "request.url"],
    ["no list", { data: { items: {} } }, "answer.results"],
    ["nothing there", {}, "answer.results"],
    ["no titles", { data: { items: [{ link: { href: "https://a.example/" } }] } }, "answer.title"],
    ["no addresses", { data: { items: [{ name: "T" }] } }, "answer.url"],
  ])("with %s does not fit", (_name, body, path) => {
    expect(readCustomAnswer(paths, body)).toMatchObject({ ok: false, fault: { path } });
  });

  test("with a million results is not gone through", () => {
    const items = Array.from({ length: 1_000_000 }, () => item);
    const read = readCustomAnswer(paths, { data: { items } });
    expect(read.ok && read.results.length).toBe(100);
  });
});

describe("a failure", () => {
  test.each([
    [401, "unauthorized"],
    [403, "unauthorized"],
    [402, "quota"],
    [429, "rate_limited"],
    [500, "server_error"],
    [503, "server_error"],
    [400, "bad_response"],
    [404, "bad_response"],
    [302, "bad_response"],
  ])("of status %i means %s", (status, reason) => {
    expect(customFailure(status, undefined)).toBe(reason);
  });

  test("means what the definition says", () => {
    const definition: CustomDefinition = {
      request: { method: "GET", url: request.url },
      answer,
      errors: { "404": "empty", "418": "quota" },
    };
    const outcome = (status: number, retryAfter: string | null = null) =>
      customOutcome(definition, { status, ok: false, body: undefined, retryAfter }, 0);
    expect(outcome(404)).toEqual({ ok: true, httpStatus: 404, results: [], answer: null });
    expect(outcome(418, "9")).toEqual({ ok: false, reason: "quota", httpStatus: 418, retryAfterMs: 9_000 });
    expect(outcome(429, "9")).toMatchObject({ reason: "rate_limited", retryAfterMs: 9_000 });
  });
});
