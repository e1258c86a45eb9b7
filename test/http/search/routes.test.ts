import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { unpack } from "../../../src/search/cache/cache-codec.ts";
import { searchAnswer } from "../../../src/search/contract.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { ADMIN, createSearchHarness, type HarnessOptions, keyOf } from "../../support/providers/harness.ts";
import { createSearchHttp } from "../../support/providers/http.ts";
import { startJina } from "../../support/providers/jina.ts";
import type { StandIn } from "../../support/providers/stand-in.ts";
import { startTavily } from "../../support/providers/tavily.ts";

let tavily: StandIn;
let jina: StandIn;

beforeAll(async () => {
  tavily = await startTavily();
  jina = await startJina();
});

afterAll(async () => {
  await Promise.all([tavily.close(), jina.close()]);
});

afterEach(() => {
  tavily.always("ok");
  jina.always("ok");
});

function setUp(options: HarnessOptions = {}) {
  const harness = createSearchHarness({ tavily: tavily.url, jina: jina.url, ...options });
  return { ...harness, http: createSearchHttp(harness.service) };
}

const lastCall = () => tavily.calls.at(-1)?.body;

describe("a search", () => {
  test("answers in the form of the contract", async () => {
    const { http } = setUp();
    const { status, headers, body } = await http.post("/search", { query: " tides ", maxResults: 3 });
    expect(status).toBe(200);
    expect(headers.get("content-type")).toContain("application/json");
    expect(searchAnswer.strict().parse(body)).toMatchObject({
      query: "tides",
      answer: null,
      provider: "tavily",
      degraded: false,
      requestId: "req-test",
      cache: { status: "miss", ageSeconds: 0 },
    });
    expect(body.results).toHaveLength(3);
    expect(body.results[0]).toEqual({
      title: "tides · Tavily 1",
      url: "https://site0.tavily.example/page/1",
      content: "What Tavily knows about tides, number 1.",
      score: 0.9,
      publishedDate: null,
      provider: "tavily",
    });
    expect(body.attempts).toHaveLength(1);
  });

  test("by query string asks the same as by body", async () => {
    const fields = {
      query: "tides",
      maxResults: 7,
      topic: "general",
      searchDepth: "advanced",
      timeRange: "week",
      includeDomains: ["a.example", "b.example"],
      excludeDomains: ["c.example"],
      country: "GB",
      language: "en",
      includeAnswer: true,
      includeRawContent: true,
    };
    await setUp().http.post("/search", fields);
    const byBody = lastCall();
    const query = new URLSearchParams({
      q: "tides",
      maxResults: "7",
      topic: "general",
      searchDepth: "advanced",
      timeRange: "week",
      includeDomains: "a.example, B.example",
      excludeDomains: "c.example",
      country: "GB",
      language: "en",
      includeAnswer: "true",
      includeRawContent: "true",
    });
    const { status, body } = await setUp().http.get(`/search?${query}`);
    expect(status).toBe(200);
    expect(lastCall()).toEqual(byBody);
    expect(body.answer).toBe("An answer to tides");
    expect(body.results[0]?.rawContent).toBe("All of page 1 about tides.");
    expect(new Set(body.results.map(({ url }) => new URL(url).hostname))).toEqual(new Set(["a.example", "b.example"]));
  });

  test("by query string needs no more than the question", async () => {
    const { http } = setUp();
    expect((await http.get("/search?q=tides")).body.results).toHaveLength(5);
    expect((await http.post("/search", { query: "Tides" })).body.cache.status).toBe("l1");
  });

  test("leaves out what was excluded, also where the provider does not", async () => {
    tavily.always(500);
    const { http } = setUp();
    const { body } = await http.post("/search", {
      query: "tides",
      maxResults: 3,
      excludeDomains: ["site1.jina.example"],
    });
    expect(body.provider).toBe("jina");
    expect(body.results.map(({ url }) => new URL(url).hostname)).toEqual([
      "site0.jina.example",
      "site2.jina.example",
      "site3.jina.example",
    ]);
  });

  test("carries nothing that a browser would run", async () => {
    tavily.always({
      status: 200,
      body: {
        answer: "<img src=x onerror=alert(1)>yes",
        results: [
          {
            title: "<script>alert(1)</script>One",
            url: "https://a.example/<script>",
            content: "&lt;svg onload=alert(1)&gt;x",
          },
          { title: "Two", url: "javascript:alert(1)", content: "" },
        ],
      },
    });
    const { body } = await setUp().http.post("/search", { query: "q", includeAnswer: true });
    expect(body.answer).toBe("yes");
    expect(body.results).toMatchObject([{ title: "One", url: "https://a.example/%3Cscript%3E", content: "x" }]);
  });

  test.each<[string, unknown, string]>([
    ["no question", {}, "query"],
    ["an empty question", { query: "   " }, "query"],
    ["a question too long", { query: "x".repeat(401) }, "query"],
    ["a question that is an operator", { query: { $ne: null } }, "query"],
    ["a question with control characters", { query: "a\u0000b" }, "query"],
    ["no results wanted", { query: "q", maxResults: 0 }, "maxResults"],
    ["too many results wanted", { query: "q", maxResults: 21 }, "maxResults"],
    ["a half result wanted", { query: "q", maxResults: 1.5 }, "maxResults"],
    ["an unknown topic", { query: "q", topic: "gossip" }, "topic"],
    [
      "too many domains",
      { query: "q", includeDomains: Array.from({ length: 21 }, (_, i) => `a${i}.example`) },
      "includeDomains",
    ],
    ["a domain that is an address", { query: "q", excludeDomains: ["https://a.example"] }, "excludeDomains.0"],
    ["a country that is none", { query: "q", country: "Germany" }, "country"],
    ["an unknown way with the cache", { query: "q", cache: "never" }, "cache"],
    ["an unknown field", { query: "q", limit: 5 }, ""],
    ["no object", [], ""],
  ])("with %s is refused with the field named", async (_name, given, path) => {
    const { status, body } = await setUp().http.post("/search", given);
    expect(status).toBe(400);
    expect(body.code).toBe("VALIDATION_FAILED");
    expect((body.errors as { path: string }[])[0]?.path).toBe(path);
  });

  test.each([
    "/search",
    "/search?q=",
    "/search?q=a&q=b",
    "/search?q=a&maxResults=many",
    "/search?q=a&maxResults=21",
    "/search?q=a&includeAnswer=yes",
    "/search?q=a&includeDomains=not%20a%20host",
    "/search?q=a&timeRange=decade",
    "/search?q=a&limit=5",
  ])("by %s is refused", async (path) => {
    const { status, body } = await setUp().http.get(path);
    expect([status, body.code]).toEqual([400, "VALIDATION_FAILED"]);
  });

  test("a question of 400 characters is asked, of any script", async () => {
    for (const character of ["x", "é", "漢", "😀"]) {
      expect((await setUp().http.post("/search", { query: character.repeat(400) })).body.provider).toBe("tavily");
    }
  });
});

describe("the caches", () => {
  test("say in the headers what they did", async () => {
    const clock = createFakeClock();
    const one = setUp({ clock });
    const miss = await one.http.post("/search", { query: "tides" });
    expect(miss.headers.get("cache-status")).toBe(
      "orchestrix-l2; fwd=uri-miss; fwd-status=200; stored, orchestrix-l1; fwd=uri-miss; stored",
    );
    expect(miss.headers.get("age")).toBeNull();
    await one.settle();
    await clock.advance(100_500);

    const near = await one.http.post("/search", { query: "TIDES " });
    expect(near.headers.get("cache-status")).toMatch(/^orchestrix-l1; hit; ttl=\d+$/);
    expect(near.headers.get("age")).toBe("100");
    expect(near.body).toMatchObject({ cache: { status: "l1", ageSeconds: 100 }, attempts: [], query: "TIDES" });
    expect(near.body.results).toEqual(miss.body.results);

    const other = setUp({ clock, cache: one.cache });
    const far = await other.http.post("/search", { query: "tides" });
    expect(far.headers.get("cache-status")).toMatch(
      /^orchestrix-l2; hit; ttl=\d+, orchestrix-l1; fwd=uri-miss; stored$/,
    );
    expect(far.body.cache).toEqual({ status: "l2", ageSeconds: 100 });
    expect((await other.http.post("/search", { query: "tides" })).body.cache.status).toBe("l1");
  });

  test("are passed by on request, and get the fresh answer", async () => {
    const { http } = setUp();
    await http.post("/search", { query: "tides" });
    const before = tavily.calls.length;
    const { headers, body } = await http.post("/search", { query: "tides", cache: "bypass" });
    expect(tavily.calls.length).toBe(before + 1);
    expect(body.cache).toEqual({ status: "bypass", ageSeconds: 0 });
    expect(headers.get("cache-status")).toContain("fwd=request");
    expect((await http.post("/search", { query: "tides" })).body.cache.status).toBe("l1");
  });

  test("alone are asked on request", async () => {
    const { http } = setUp();
    const before = tavily.calls.length;
    const { status, body } = await http.post("/search", { query: "tides", cache: "only" });
    expect([status, body.code, body.detail]).toEqual([404, "NOT_FOUND", "not in the cache"]);
    expect(tavily.calls.length).toBe(before);
    await http.post("/search", { query: "tides" });
    expect((await http.post("/search", { query: "tides", cache: "only" })).body.cache.status).toBe("l1");
  });

  test("keep no failure and no makeshift", async () => {
    const harness = setUp();
    await harness.http.post("/search", { query: "tides" });
    await harness.settle();
    const stored = [...harness.cache.entries.keys()];
    tavily.always(500);
    jina.always(500);
    expect((await harness.http.post("/search", { query: "xylophones of the south" })).status).toBe(503);
    const degraded = await harness.http.post("/search", { query: "tides again" });
    expect(degraded.body).toMatchObject({ provider: "index", degraded: true });
    expect(degraded.headers.get("cache-status")).not.toContain("stored");
    await harness.settle();
    // What is known of the providers is no answer.
    const answers = [...harness.cache.entries.keys()].filter((key) => key !== "search:breakers");
    expect(answers).toEqual(stored);
    expect((await harness.http.post("/search", { query: "tides again" })).body.cache.status).toBe("miss");
  });

  test("may be lost: searches go on", async () => {
    const harness = setUp();
    harness.cache.state = "down";
    expect((await harness.http.post("/search", { query: "tides" })).status).toBe(200);
    expect((await harness.http.post("/search", { query: "tides" })).body.cache.status).toBe("l1");
    await harness.settle();
    expect(harness.logged).toEqual(["shared_state_unavailable"]);
  });

  test("hold neither who asked nor what", async () => {
    const harness = setUp();
    await harness.http.as(keyOf("owner-of-a-secret")).post("/search", { query: "my very private question" });
    await harness.settle();
    expect(harness.cache.entries.size).toBe(1);
    const [[key, value] = ["", ""]] = harness.cache.entries;
    expect(key).toMatch(/^v2:search:[0-9a-f]{64}$/);
    expect(Object.keys(JSON.parse((await unpack(value)) ?? "").value).sort()).toEqual([
      "answer",
      "provider",
      "results",
    ]);
    expect(key + value).not.toContain("owner-of-a-secret");
  });
});

describe("who may search", () => {
  test("a key with the scope, for its own owner", async () => {
    const { http } = setUp();
    expect((await http.as(keyOf("owner-1", ["deploy"])).post("/search", { query: "q" })).status).toBe(403);
    expect((await http.as({ kind: "anonymous", id: "x" }).post("/search", { query: "q" })).status).toBe(401);
    expect((await http.post("/search", { query: "q", ownerId: "owner-2" })).status).toBe(403);
    expect((await http.get("/search?q=a&ownerId=owner-2")).status).toBe(403);
    expect((await http.post("/search", { query: "q", ownerId: "owner-1" })).status).toBe(200);
    expect((await http.as(ADMIN).post("/search", { query: "q" })).status).toBe(200);
  });

  test("the same holds for documents; admin has to name the owner", async () => {
    const { http } = setUp();
    const documents = [{ id: "d1", url: "https://a.example/", title: "T", content: "C" }];
    expect((await http.as(keyOf("owner-1", ["deploy"])).put("/search/documents", { documents })).status).toBe(403);
    expect((await http.put("/search/documents", { documents, ownerId: "owner-2" })).status).toBe(403);
    expect((await http.as(ADMIN).put("/search/documents", { documents })).status).toBe(400);
    expect((await http.as(ADMIN).put("/search/documents", { documents, ownerId: "owner-2" })).status).toBe(200);
    expect((await http.as(ADMIN).delete("/search/documents/d1")).status).toBe(400);
    expect((await http.delete("/search/documents/d1?ownerId=owner-2")).status).toBe(403);
    expect((await http.delete("/search/documents/d1")).status).toBe(404);
    expect((await http.as(ADMIN).delete("/search/documents/d1?ownerId=owner-2")).status).toBe(204);
  });
});

describe("documents", () => {
  const withoutKeys = () => {
    const harness = createSearchHarness();
    return { ...harness, http: createSearchHttp(harness.service) };
  };

  test("are found, replaced and gone from the very next answer", async () => {
    const { http } = withoutKeys();
    const found = async (query: string) =>
      (await http.post("/search", { query })).body.results.map(({ title }) => title);
    const put = await http.put("/search/documents", {
      documents: [
        { id: "guide", url: "https://docs.example/guide", title: "Guide", content: "All about quokkas." },
        { url: "https://docs.example/other", title: "Other", content: "More about quokkas." },
      ],
    });
    expect(put.status).toBe(200);
    expect(put.body.ids).toEqual(["guide", expect.stringMatching(/^doc_[0-9a-z]{26}$/)]);
    expect((await found("quokkas")).sort()).toEqual(["Guide", "Other"]);
    await http.put("/search/documents", {
      documents: [{ url: "http://www.docs.example/guide/", title: "New guide", content: "About wombats." }],
    });
    expect(await found("quokkas")).toEqual(["Other"]);
    expect(await found("wombats")).toEqual(["New guide"]);
    expect((await http.delete("/search/documents/guide")).status).toBe(204);
    expect(await found("wombats")).toEqual([]);
    expect((await http.delete("/search/documents/guide")).status).toBe(404);
  });

  test("with markup are stored as the text that they show", async () => {
    const { http } = withoutKeys();
    const content = `<h1>Quokkas</h1><script>steal()</script><p onclick="x()">smile &amp; wave</p>`;
    await http.put("/search/documents", { documents: [{ url: "https://a.example/", title: "<i>Q</i>", content }] });
    const { body } = await http.post("/search", { query: "quokkas" });
    expect(body.results).toMatchObject([{ title: "Q", content: "Quokkas smile & wave" }]);
  });

  test.each<[string, object, string]>([
    ["no documents", { documents: [] }, "documents"],
    [
      "too many",
      { documents: Array.from({ length: 101 }, () => ({ url: "https://a.example/", title: "T", content: "" })) },
      "documents",
    ],
    [
      "a script for an address",
      { documents: [{ url: "javascript:alert(1)", title: "T", content: "" }] },
      "documents.0.url",
    ],
    [
      "credentials in the address",
      { documents: [{ url: "https://a:b@c.example/", title: "T", content: "" }] },
      "documents.0.url",
    ],
    ["no title", { documents: [{ url: "https://a.example/", title: " ", content: "" }] }, "documents.0.title"],
    [
      "a title that is markup alone",
      { documents: [{ url: "https://a.example/", title: "<b></b>", content: "" }] },
      "documents.0.title",
    ],
    [
      "too much content",
      { documents: [{ url: "https://a.example/", title: "T", content: "é".repeat(65_537) }] },
      "documents.0.content",
    ],
    [
      "a hostile id",
      { documents: [{ id: "../x", url: "https://a.example/", title: "T", content: "" }] },
      "documents.0.id",
    ],
    [
      "an unknown field",
      { documents: [{ url: "https://a.example/", title: "T", content: "", ownerId: "x" }] },
      "documents.0",
    ],
  ])("with %s are refused", async (_name, given, path) => {
    const { status, body } = await withoutKeys().http.put("/search/documents", given);
    expect(status).toBe(400);
    expect((body.errors as { path: string }[])[0]?.path).toBe(path);
  });

  test("a hostile id deletes nothing", async () => {
    const { http } = withoutKeys();
    for (const id of ["..%2f..%2fx", "%00", "a'%20OR%20'1'='1", "__proto__", "x".repeat(200)]) {
      expect((await http.delete(`/search/documents/${id}`)).status).toBe(400);
    }
  });
});
