import { tavily as createTavilyClient } from "@tavily/core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { listen, type NodeListener } from "../../support/node-listener.ts";
import { createSearchHarness } from "../../support/providers/harness.ts";
import type { StandIn } from "../../support/providers/stand-in.ts";
import { startTavily } from "../../support/providers/tavily.ts";
import { createDropInApp, KEY } from "./drop-in-scene.ts";

let upstream: StandIn;
let server: NodeListener;

beforeAll(async () => {
  upstream = await startTavily();
});

afterAll(() => upstream.close());

beforeEach(async () => {
  // The client's HTTP library takes a proxy from the environment.
  for (const name of ["NO_PROXY", "no_proxy"]) vi.stubEnv(name, "127.0.0.1");
  const { service } = createSearchHarness({ tavily: upstream.url });
  const app = createDropInApp(service);
  server = await listen((request) => app.fetch(request));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  upstream.always("ok");
  await server.close();
});

/** The official client with nothing but its base URL changed. */
function clientWith(apiKey: string) {
  return createTavilyClient({ apiKey, apiBaseURL: `${server.url}/tavily` });
}

test("the official client searches", async () => {
  const answer = await clientWith(KEY).search("tides", { maxResults: 3 });
  expect(answer).toMatchObject({ query: "tides", images: [], answer: null, responseTime: expect.any(Number) });
  expect(answer.requestId).toMatch(/^req_/);
  expect(answer.results).toHaveLength(3);
  expect(answer.results[0]).toMatchObject({
    title: "tides · Tavily 1",
    url: "https://site0.tavily.example/page/1",
    content: "What Tavily knows about tides, number 1.",
    rawContent: null,
    score: expect.any(Number),
    images: [],
  });
});

test("the official client searches with all its options", async () => {
  const answer = await clientWith(KEY).search('"tides" of the north', {
    searchDepth: "advanced",
    topic: "general",
    days: 3,
    maxResults: 4,
    includeImages: true,
    includeImageDescriptions: true,
    includeAnswer: "advanced",
    includeRawContent: "markdown",
    includeDomains: ["a.example"],
    excludeDomains: ["b.example"],
    includeDomainsMode: "restrict",
    timeRange: "m",
    chunksPerSource: 2,
    country: "germany",
    startDate: "2020-01-01",
    endDate: "2040-01-01",
    maxHours: 12,
    autoParameters: true,
    timeout: 10,
    includeFavicon: true,
    includeUsage: true,
    exactMatch: true,
    fetchTimeout: 5,
    cacheFallback: true,
    language: "en",
    filterByLanguage: false,
    sessionId: "s",
    humanId: "h",
    clientName: "tests",
    somethingNew: { nested: true },
  });
  expect(answer.results).toHaveLength(4);
  expect(answer.results.every(({ url }) => new URL(url).hostname === "a.example")).toBe(true);
  expect(answer.results[0]?.rawContent).toContain("All of page 1");
  expect(answer).toMatchObject({
    answer: 'An answer to "tides" of the north',
    usage: { credits: 2 },
    autoParameters: { topic: "general", searchDepth: "advanced", timeRange: "month" },
  });
  expect(upstream.calls.at(-1)?.body).toMatchObject({
    country: "germany",
    search_depth: "advanced",
    time_range: "month",
  });
});

test("the official client's older way to ask for an answer works", async () => {
  expect(await clientWith(KEY).searchQNA("tides", {})).toBe("An answer to tides");
});

test("the official client raises its own errors", async () => {
  await expect(clientWith("orx_wrong").search("tides")).rejects.toThrow("Unauthorized: missing or invalid API key.");
  await expect(clientWith("orx_deploy").search("tides")).rejects.toThrow("this key lacks the scope search");
  await expect(clientWith(KEY).search("x".repeat(401))).rejects.toThrow(
    "Query is too long. Max query length is 400 characters.",
  );
  await expect(clientWith(KEY).search("tides", { topic: "gossip" as "news" })).rejects.toThrow("Invalid topic.");
  await expect(clientWith(KEY).search("tides", { country: "atlantis" })).rejects.toThrow("Invalid country.");
  const slow = clientWith("orx_slow");
  await slow.search("tides");
  await expect(slow.search("tides")).rejects.toThrow(/^too many requests/);
  upstream.always(500);
  await expect(clientWith(KEY).search("xylophones")).rejects.toThrow(/^no search provider could answer/);
});

test("the official client without a key is told that it needs one", async () => {
  vi.stubEnv("TAVILY_API_KEY", "");
  const keyless = createTavilyClient({ apiBaseURL: `${server.url}/tavily` });
  await expect(keyless.search("tides")).rejects.toThrow("Unauthorized: missing or invalid API key.");
});
