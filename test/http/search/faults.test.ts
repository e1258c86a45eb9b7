import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  createSearchHarness,
  type HarnessOptions,
  requestOf,
  type SearchHarness,
} from "../../support/providers/harness.ts";
import { createSearchHttp } from "../../support/providers/http.ts";
import { JINA_KEY, startJina } from "../../support/providers/jina.ts";
import { type Behaviour, refusedUrl, type StandIn } from "../../support/providers/stand-in.ts";
import { startTavily, TAVILY_KEY } from "../../support/providers/tavily.ts";

/** Short where the time-out is what is tested; else long enough for a busy machine. */
const timeoutsFor = (behaviour?: Behaviour) =>
  behaviour === "hang" || behaviour === "drip"
    ? { PROVIDER_TIMEOUT_MS: "500", SEARCH_DEADLINE_MS: "3000" }
    : { PROVIDER_TIMEOUT_MS: "5000", SEARCH_DEADLINE_MS: "20000" };

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

function setUp(options: HarnessOptions = {}, behaviour?: Behaviour): SearchHarness {
  return createSearchHarness({ tavily: tavily.url, jina: jina.url, env: timeoutsFor(behaviour), ...options });
}

const ask = (harness: SearchHarness, body: object = {}) =>
  createSearchHttp(harness.service).post("/search", { query: "how do tides work", ...body });

const brief = (
  attempts: readonly { provider: string; outcome: string; reason: string | null; httpStatus: number | null }[],
) => attempts.map(({ provider, outcome, reason, httpStatus }) => [provider, outcome, reason, httpStatus]);

type Row = [name: string, behaviour: Behaviour, reason: string, httpStatus: number | null];

const BOTH: Row[] = [
  ["hangs", "hang", "timeout", null],
  ["drips", "drip", "timeout", null],
  ["sends a gigabyte", "huge", "bad_response", 200],
  ["sends broken JSON", "garbage", "bad_response", 200],
  ["sends HTML", "html", "bad_response", 200],
  ["sends a JSON list", "array", "bad_response", 200],
  ["sends nothing", "no-content", "bad_response", 204],
  ["sends bytes that are no text", "invalid-utf8", "bad_response", 200],
  ["breaks off", "broken-off", "bad_response", 200],
  ["resets the connection", "reset", "server_error", null],
  ["redirects", "redirect", "bad_response", 302],
  ["answers 400", 400, "bad_response", 400],
  ["answers 401", 401, "unauthorized", 401],
  ["answers 429", 429, "rate_limited", 429],
  ["answers 500", 500, "server_error", 500],
  ["answers 503", 503, "server_error", 503],
];

const TAVILY: Row[] = [
  ...BOTH,
  ["answers 403", 403, "bad_response", 403],
  ["answers 422", 422, "bad_response", 422],
  ["answers 432", 432, "quota", 432],
  ["answers 433", 433, "quota", 433],
];

const JINA: Row[] = [
  ...BOTH,
  ["answers 402", 402, "quota", 402],
  ["answers 403", 403, "unauthorized", 403],
  ["answers 409", 409, "bad_response", 409],
  ["answers 422 for our fault", 422, "bad_response", 422],
  ["answers 422 for its upstream", 42204, "server_error", 422],
  ["answers 451", 451, "bad_response", 451],
  ["answers 524 in HTML", 524, "server_error", 524],
];

describe("when Tavily fails, Jina answers", () => {
  test.each(TAVILY)("Tavily %s", async (_name, behaviour, reason, httpStatus) => {
    tavily.always(behaviour);
    const { status, body } = await ask(setUp({}, behaviour));
    expect(status).toBe(200);
    expect(body).toMatchObject({ provider: "jina", degraded: false, cache: { status: "miss", ageSeconds: 0 } });
    expect(body.results).toHaveLength(5);
    expect(brief(body.attempts)).toEqual([
      ["tavily", "failed", reason, httpStatus],
      ["jina", "ok", null, 200],
    ]);
  });

  test("Tavily refuses connections", async () => {
    const { body } = await ask(setUp({ tavily: await refusedUrl() }));
    expect(brief(body.attempts)).toEqual([
      ["tavily", "failed", "server_error", null],
      ["jina", "ok", null, 200],
    ]);
  });

  test("Tavily finds nothing", async () => {
    tavily.always("empty");
    const { body } = await ask(setUp());
    expect(brief(body.attempts)).toEqual([
      ["tavily", "ok", "empty", 200],
      ["jina", "ok", null, 200],
    ]);
  });
});

describe("when Tavily and Jina fail, what earlier searches brought answers", () => {
  test.each(JINA)("Jina %s", async (_name, behaviour, reason, httpStatus) => {
    const harness = setUp({}, behaviour);
    await ask(harness);
    await harness.settle();
    tavily.always(500);
    jina.always(behaviour);
    const { status, body } = await ask(harness, { query: "tides", maxResults: 3 });
    expect(status).toBe(200);
    expect(body).toMatchObject({ provider: "index", degraded: true });
    expect(body.results).toHaveLength(3);
    expect(body.results[0]).toMatchObject({ provider: "index", title: expect.stringContaining("tides") });
    expect(brief(body.attempts)).toEqual([
      ["tavily", "failed", "server_error", 500],
      ["jina", "failed", reason, httpStatus],
      ["index", "ok", null, null],
    ]);
  });
});

describe("when nobody can answer", () => {
  test.each(BOTH)("both: %s", async (_name, behaviour, reason, httpStatus) => {
    tavily.always(behaviour);
    jina.always(behaviour);
    const { status, headers, body } = await ask(setUp({}, behaviour));
    expect(status).toBe(503);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(body.code).toBe("SEARCH_UNAVAILABLE");
    expect(brief(body.attempts)).toEqual([
      ["tavily", "failed", reason, httpStatus],
      ["jina", "failed", reason, httpStatus],
      ["index", "ok", "empty", null],
    ]);
  });

  test("the wait is the shortest that a provider asked for", async () => {
    tavily.always(429);
    jina.always(429);
    const { headers } = await ask(setUp());
    expect(headers.get("retry-after")).toBe("12");
  });

  test("the index is down as well", async () => {
    tavily.always(500);
    jina.always(500);
    const harness = setUp();
    harness.index.down = true;
    const { status, body } = await ask(harness);
    expect(status).toBe(503);
    expect(body.detail).toBe(
      "no search provider could answer: tavily (server_error), jina (server_error), index (server_error)",
    );
  });

  test("no key, no secret and nothing of an upstream's body is in the problem", async () => {
    tavily.always({ status: 500, body: { error: `internal: key ${TAVILY_KEY} at 10.0.0.1` } });
    jina.always({ status: 200, body: { data: null, message: `mongodb://root:pw@10.0.0.1 ${JINA_KEY}` } });
    const text = JSON.stringify((await ask(setUp())).body);
    for (const secret of [TAVILY_KEY, JINA_KEY, "10.0.0.1", "mongodb"]) expect(text).not.toContain(secret);
  });
});

describe("when there is nothing to find", () => {
  test("that is an answer, of the first that said so", async () => {
    tavily.always("empty");
    jina.always("empty");
    const { status, body } = await ask(setUp());
    expect(status).toBe(200);
    expect(body).toMatchObject({ provider: "tavily", degraded: false, results: [] });
    expect(brief(body.attempts)).toEqual([
      ["tavily", "ok", "empty", 200],
      ["jina", "ok", "empty", 422],
      ["index", "ok", "empty", null],
    ]);
  });

  test("it is not remembered for long, and no index remembers it", async () => {
    tavily.always("empty");
    jina.always("empty");
    const harness = setUp();
    await ask(harness);
    await harness.settle();
    expect([...harness.cache.lifetimes.values()].every((ms) => ms < 60_000)).toBe(true);
    const again = await ask(harness);
    expect(again.body.cache.status).toBe("l1");
  });
});

test("without keys the index answers, and the others are skipped by name", async () => {
  const harness = createSearchHarness();
  const http = createSearchHttp(harness.service);
  const callsBefore = tavily.calls.length + jina.calls.length;
  await http.put("/search/documents", {
    documents: [{ url: "https://me.example/", title: "Tides", content: "The moon." }],
  });
  const { status, body } = await http.post("/search", { query: "tides" });
  expect(status).toBe(200);
  expect(body).toMatchObject({ provider: "index", degraded: true, results: [{ title: "Tides", provider: "index" }] });
  expect(brief(body.attempts)).toEqual([
    ["tavily", "skipped", "not_configured", null],
    ["jina", "skipped", "not_configured", null],
    ["index", "ok", null, null],
  ]);
  expect((await http.post("/search", { query: "xylophone" })).body).toMatchObject({ provider: "index", results: [] });
  expect(tavily.calls.length + jina.calls.length).toBe(callsBefore);
});

test("an upstream that never ends is not read to its end", async () => {
  tavily.always("huge");
  const before = tavily.bytesSent();
  await ask(setUp());
  expect(tavily.bytesSent() - before).toBeLessThan(100_000_000);
});

test("a redirect is not followed: the key goes nowhere else", async () => {
  tavily.always({ status: 307, headers: { Location: `${jina.url}/` }, body: {} });
  const before = jina.calls.length;
  const { body } = await ask(setUp());
  expect(body.attempts[0]).toMatchObject({ reason: "bad_response", httpStatus: 307 });
  expect(jina.calls.slice(before).map((call) => call.headers.authorization)).toEqual([`Bearer ${JINA_KEY}`]);
});

test("keys travel in a header and nowhere else, and the question as it was typed", async () => {
  tavily.always("empty");
  const [tavilyBefore, jinaBefore] = [tavily.calls.length, jina.calls.length];
  await ask(setUp(), { query: "  What IS “this”?  " });
  const [toTavily, toJina] = [tavily.calls[tavilyBefore], jina.calls[jinaBefore]];
  expect(toTavily?.headers.authorization).toBe(`Bearer ${TAVILY_KEY}`);
  expect(toJina?.headers.authorization).toBe(`Bearer ${JINA_KEY}`);
  expect(JSON.stringify([toTavily?.body, toTavily?.path, toJina?.body, toJina?.path])).not.toMatch(/tvly|jina_/);
  expect(toTavily?.body?.query).toBe("What IS “this”?");
  expect(toJina?.body?.q).toBe("What IS “this”?");
});

test("a caller that hangs up ends the attempt and the chain", async () => {
  tavily.always("hang");
  const caller = new AbortController();
  const upstream: AbortSignal[] = [];
  const { service } = setUp({
    fetch(url, init) {
      if (init.signal) upstream.push(init.signal);
      queueMicrotask(() => caller.abort());
      return fetch(url, init);
    },
  });
  const outcome = await service.searchFor("owner-1", requestOf("q"), caller.signal);
  expect(outcome.ok).toBe(false);
  expect(upstream.map((signal) => signal.aborted)).toEqual([true]);
});
