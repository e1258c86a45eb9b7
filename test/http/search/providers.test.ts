import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../../src/config/config.ts";
import type { SearchRequest } from "../../../src/search/contract.ts";
import { createProviderChain } from "../../../src/search/providers/chain.ts";
import type { ProviderOutcome, SearchProvider } from "../../../src/search/providers/provider.ts";
import { cleanResults } from "../../../src/search/quality/results.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { requestOf } from "../../support/providers/harness.ts";
import { noIndex } from "../../support/providers/scene.ts";
import { ENGINES_DOWN, startSearxng } from "../../support/providers/searxng.ts";
import { type Behaviour, refusedUrl, type StandIn } from "../../support/providers/stand-in.ts";
import { keylessError, startTavily, startTavilyKeyless, TAVILY_KEY } from "../../support/providers/tavily.ts";
import { startWikipedia, wikipediaFault } from "../../support/providers/wikipedia.ts";

const NAMES = ["tavily-keyless", "searxng", "wikipedia"] as const;
type Name = (typeof NAMES)[number];

let standIns: Readonly<Record<Name, StandIn>>;

beforeAll(async () => {
  const [keyless, searxng, wikipedia] = await Promise.all([startTavilyKeyless(), startSearxng(), startWikipedia()]);
  standIns = { "tavily-keyless": keyless, searxng, wikipedia };
});

afterAll(async () => {
  await Promise.all(Object.values(standIns).map((standIn) => standIn.close()));
});

beforeEach(() => {
  for (const standIn of Object.values(standIns)) standIn.always("ok");
});

function providerOf(name: string, env: Record<string, string>): SearchProvider {
  const chain = createProviderChain(loadConfig(env), noIndex, createFakeClock());
  const found = chain.find((provider) => provider.name === name);
  if (found === undefined) throw new Error(`no provider ${name}`);
  return found;
}

function askAt(name: Name, url: string, fields: Partial<SearchRequest> = {}, ms = 10_000): Promise<ProviderOutcome> {
  const env = { TAVILY_BASE_URL: url, SEARXNG_URL: url, WIKIPEDIA_BASE_URL: `${url}/{lang}` };
  return providerOf(name, env).search(requestOf("deep sea tides", fields), {
    fetch: (address, init) => fetch(address, init),
    ownerId: null,
    signal: AbortSignal.timeout(ms),
  });
}

const ask = (name: Name, fields?: Partial<SearchRequest>, ms?: number) => askAt(name, standIns[name].url, fields, ms);
const lastCall = (name: Name) => standIns[name].calls.at(-1);

describe.each(NAMES)("%s", (name) => {
  test("answers with results that can be shown", async () => {
    const outcome = await ask(name, { maxResults: 4 });
    if (!outcome.ok) throw new Error(outcome.reason);
    const shown = cleanResults(name, outcome.results, requestOf("deep sea tides", { maxResults: 4 }));
    expect(shown).toHaveLength(4);
    for (const { title, content } of shown) {
      expect(title).toContain("deep sea tides");
      expect(content).toContain("deep sea tides");
      expect(content).not.toMatch(/[<>]|&amp;/);
    }
  });

  test("finds nothing where there is nothing", async () => {
    standIns[name].always("empty");
    expect(await ask(name)).toMatchObject({ ok: true, results: [] });
  });

  test.each<[Behaviour, string, number | null]>([
    [401, "unauthorized", 401],
    [500, "server_error", 500],
    [503, "server_error", 503],
    [429, "rate_limited", 429],
    [400, "bad_response", 400],
    ["html", "bad_response", 200],
    ["garbage", "bad_response", 200],
    ["array", "bad_response", 200],
    ["invalid-utf8", "bad_response", 200],
    ["broken-off", "bad_response", 200],
    ["huge", "bad_response", 200],
    ["no-content", "bad_response", 204],
    ["redirect", "bad_response", 302],
    ["reset", "server_error", null],
  ])("that answers %s failed as %s", async (behaviour, reason, httpStatus) => {
    standIns[name].always(behaviour);
    expect(await ask(name)).toMatchObject({ ok: false, reason, httpStatus });
  });

  test("that nobody serves failed", async () => {
    expect(await askAt(name, await refusedUrl())).toEqual({ ok: false, reason: "server_error", httpStatus: null });
  });

  test.each(["hang", "drip"] as const)("that %ss is given up with its signal", async (behaviour) => {
    standIns[name].always(behaviour);
    await expect(ask(name, {}, 100)).rejects.toThrow();
  });
});

test("the keyless Tavily sends no key, and takes the wait out of the body", async () => {
  await ask("tavily-keyless");
  expect(lastCall("tavily-keyless")?.headers).toMatchObject({ "x-tavily-access-mode": "keyless" });
  expect(lastCall("tavily-keyless")?.headers).not.toHaveProperty("authorization");
  standIns["tavily-keyless"].script(429, keylessError(429, null));
  expect(await ask("tavily-keyless")).toMatchObject({ reason: "rate_limited", retryAfterMs: 40_000 });
  expect(await ask("tavily-keyless")).toEqual({ ok: false, reason: "rate_limited", httpStatus: 429 });
});

test("a SearXNG that allows no JSON has to be set up, and one whose engines are down has found nothing out", async () => {
  standIns.searxng.script(403, ENGINES_DOWN, 429);
  expect(await ask("searxng")).toMatchObject({ reason: "unauthorized", httpStatus: 403 });
  expect(await ask("searxng")).toMatchObject({ reason: "server_error", httpStatus: 200 });
  expect(await ask("searxng")).toMatchObject({ reason: "rate_limited", retryAfterMs: 30_000 });
});

test("what SearXNG has too much of, and of other sites, is cut from its answer", async () => {
  const wanted = requestOf("deep sea tides", { maxResults: 2, includeDomains: ["site28.searxng.example"] });
  const outcome = await ask("searxng", wanted);
  if (!outcome.ok) throw new Error(outcome.reason);
  expect(outcome.results).toHaveLength(30);
  expect(cleanResults("searxng", outcome.results, wanted)).toMatchObject([
    { url: "https://site28.searxng.example/page/29", title: "deep sea tides · SearXNG 29" },
  ]);
});

test("every field that SearXNG knows is one that it takes", async () => {
  const fields = { language: "de", country: "AT", timeRange: "week", topic: "news" } as const;
  expect(await ask("searxng", fields)).toMatchObject({ ok: true, answer: "In short: deep sea tides" });
  expect(lastCall("searxng")?.path).toContain("language=de-AT&time_range=month");
});

test("Wikipedia is asked in the question's language, by a name that says where to reach us", async () => {
  expect(await ask("wikipedia", { language: "de" })).toMatchObject({
    ok: true,
    results: [{ url: "https://de.wikipedia.org/wiki/deep_sea_tides" }, {}, {}, {}, {}],
  });
  expect(lastCall("wikipedia")?.path).toMatch(/^\/de\/w\/api\.php\?/);
  expect(lastCall("wikipedia")?.headers["user-agent"]).toMatch(/^Orchestrix\/\S+ \(https:/);
  const named = providerOf("wikipedia", {
    WIKIPEDIA_BASE_URL: standIns.wikipedia.url,
    PUBLIC_URL: "https://search.acme.example",
  });
  const signal = AbortSignal.timeout(10_000);
  await named.search(requestOf("q"), { fetch: (url, init) => fetch(url, init), ownerId: null, signal });
  expect(lastCall("wikipedia")?.headers["user-agent"]).toContain("https://search.acme.example");
});

test("an error of Wikipedia under 200 is one, and says how long to wait", async () => {
  standIns.wikipedia.script(
    wikipediaFault("ratelimited", "3"),
    wikipediaFault("maxlag", "5"),
    wikipediaFault("badvalue"),
  );
  expect(await ask("wikipedia")).toMatchObject({ reason: "rate_limited", httpStatus: 200, retryAfterMs: 3_000 });
  expect(await ask("wikipedia")).toMatchObject({ reason: "server_error", httpStatus: 200, retryAfterMs: 5_000 });
  expect(await ask("wikipedia")).toEqual({ ok: false, reason: "bad_response", httpStatus: 200 });
});

describe("the quota of Tavily", () => {
  let tavily: StandIn;

  beforeAll(async () => {
    tavily = await startTavily();
  });

  afterAll(() => tavily.close());

  const quota = (key: string, ms = 10_000) =>
    providerOf("tavily", { TAVILY_API_KEY: key, TAVILY_BASE_URL: tavily.url }).quota?.({
      fetch: (url, init) => fetch(url, init),
      signal: AbortSignal.timeout(ms),
    });

  test("is what its usage says", async () => {
    expect(await quota(TAVILY_KEY)).toEqual({ used: 500, limit: 1_000 });
    expect(tavily.calls.at(-1)).toMatchObject({ method: "GET", path: "/usage" });
  });

  test.each<Behaviour>([401, 429, 500, "html", "garbage", "array", "huge", "redirect", "reset", "no-content"])(
    "is unknown where that is %s",
    async (behaviour) => {
      tavily.script(behaviour);
      expect(await quota(TAVILY_KEY)).toBeNull();
    },
  );

  test("is unknown to a wrong key", async () => {
    expect(await quota("tvly-wrong")).toBeNull();
  });
});
