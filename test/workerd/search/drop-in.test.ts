import { expect, test } from "vitest";
import { createKey, createTestApp, newOwner } from "../../support/app.ts";

/** The whole app with a Tavily that finds one page. */
function setUp() {
  return createTestApp({
    variables: { TAVILY_API_KEY: "tvly-key-of-the-tests" },
    async fetch(_url, { body }) {
      const { query } = JSON.parse(String(body));
      return Response.json({
        results: [{ title: query, url: "https://a.example/", content: `On ${query}.`, score: 0.9 }],
      });
    },
  });
}

const word = () => `subject${crypto.randomUUID().slice(0, 8)}`;

test("both shapes answer a key with the scope, from one cache", async () => {
  const app = setUp();
  const { key } = await createKey(app, newOwner(), ["search"]);
  const query = word();
  const asTavily = await app.call("POST", "/tavily/search", { key, body: { query, max_results: 10 } });
  expect(asTavily.status).toBe(200);
  expect(asTavily.body).toMatchObject({ query, images: [], results: [{ title: query, raw_content: null }] });
  const asPerplexity = await app.call("POST", "/v1/search", { key, body: { query } });
  expect(asPerplexity.body).toMatchObject({ object: "search", results: [{ title: query, snippet: `On ${query}.` }] });
  expect(asPerplexity.headers.get("cache-status")).toContain("orchestrix-l1; hit");
  for (const { headers } of [asTavily, asPerplexity]) {
    expect(headers.get("ratelimit")).toContain('"minute";r=');
    expect(headers.get("x-request-id")).toMatch(/^req_/);
  }
});

test("a key in the body lets in, and no log line holds it", async () => {
  const app = setUp();
  const { key } = await createKey(app, newOwner(), ["search"]);
  const answer = await app.call("POST", "/tavily/search", { key: null, body: { query: word(), api_key: key } });
  await app.settle();
  expect(answer.status).toBe(200);
  expect(app.logs.join("\n")).not.toContain(key);
});

test("refusals of the whole app have the clients' shape", async () => {
  const app = setUp();
  const { key } = await createKey(app, newOwner(), ["search"], { limits: { burst: 1_000, perMinute: 1 } });
  const body = { query: word() };
  expect((await app.call("POST", "/tavily/search", { key: null, body })).body).toEqual({
    detail: { error: "Unauthorized: missing or invalid API key." },
  });
  expect((await app.call("POST", "/v1/search", { key, body })).status).toBe(200);
  const tooFast = await app.call("POST", "/tavily/search", { key, body });
  expect([tooFast.status, Object.keys(tooFast.body.detail)]).toEqual([429, ["error"]]);
  expect(Number(tooFast.headers.get("retry-after"))).toBeGreaterThan(0);
  const again = await app.call("POST", "/v1/search", { key, body });
  expect([again.status, again.body.error.type]).toEqual([429, "rate_limit_error"]);
  const raw = { raw: "{", headers: { "Content-Type": "application/json" } };
  expect((await app.call("POST", "/tavily/search", raw)).body).toEqual({
    detail: { error: "the body is not valid JSON" },
  });
});

test("both are described", async () => {
  const { body } = await setUp().call("GET", "/openapi.json");
  expect(body.paths["/v1/search"].post.operationId).toBe("searchAsPerplexity");
  expect(body.paths["/tavily/search"].post.operationId).toBe("searchAsTavily");
});
