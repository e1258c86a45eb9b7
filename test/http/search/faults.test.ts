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

type Brief = [provider: string, outcome: string, reason: string | null, httpStatus: number | null];

/** Who was asked, or could have been. */
const brief = (
  attempts: readonly { provider: string; outcome: string; reason: string | null; httpStatus: number | null }[],
) =>
  attempts
    .filter(({ reason }) => reason !== "not_configured")
    .map(({ provider, outcome, reason, httpStatus }): Brief => [provider, outcome, reason, httpStatus]);

/** What can pass is tried twice. */
function failures(provider: string, reason: string, httpStatus: number | null): Brief[] {
  const failure: Brief = [provider, "failed", reason, httpStatus];
  return reason === "server_error" || reason === "timeout" ? [failure, failure] : [failure];
}

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
    expect(brief(body.attempts)).toEqual([...failures("tavily", reason, httpStatus), ["jina", "ok", null, 200]]);
  });

  test("Tavily refuses connections", async () => {
    const { body } = await ask(setUp({ tavily: await refusedUrl() }));
    expect(brief(body.attempts)).toEqual([...failures("tavily", "server_error", null), ["jina", "ok", null, 200]]);
  });

  test("Tavily sends pages about something else", async () => {
    tavily.always("unrelated");
    const { body } = await ask(setUp(), { query: "why do ocean tides rise and fall twice a day" });
    expect(body.provider).toBe("jina");
    expect(brief(body.attempts)).toEqual([
      ["tavily", "failed", "irrelevant", 200],
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
      ...failures("tavily", "server_error", 500),
      ...failures("jina", reason, httpStatus),
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
      ...failures("tavily", reason, httpStatus),
      ...failures("jina", reason, httpStatus),
      ["index", "ok", "empty", null],
    ]);
  });

  test("both send pages about something else, which is no answer", async () => {
    tavily.always("unrelated");
    jina.always("unrelated");
    const { status, body } = await ask(setUp(), { query: "why do ocean tides rise and fall twice a day" });
    expect(status).toBe(503);
    expect(brief(body.attempts)).toEqual([
      ["tavily", "failed", "irrelevant", 200],
      ["jina", "failed", "irrelevant", 200],
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
    expect(brief(body.attempts)).toEqual([
      ...failures("tavily", "server_error", 500),
      ...failures("jina", "server_error", 500),
      ...failures("index", "server_error", null),
    ]);
  });

  test("no key, no secret and nothing of an upstream's body is in the problem", async () => {
    tavily.always({ status: 500, body: { error: `internal: key ${TAVILY_KEY} at 10.0.0.1` } });
    jina.always({ status: 200, body: { data: null, message: `mongodb://root:pw@10.0.0.1 ${JINA_KEY}` } });
    const text = JSON.stringify((await ask(setUp())).body);
    for (const secret of [TAVILY_KEY, JINA_KEY, "10.0.0.1", "mongodb"]) expect(text).not.toContain(secret);
  });
});

describe("what keeps failing is left alone", () => {
  const CIRCUIT_OPEN: Brief = ["tavily", "skipped", "circuit_open", null];
  const JINA_OK: Brief = ["jina", "ok", null, 200];

  const searches = async (harness: SearchHarness, queries: readonly string[]) => {
    const told: Brief[][] = [];
    for (const query of queries) told.push(brief((await ask(harness, { query })).body.attempts));
    return told;
  };

  test("after three failures in a row the next questions do not ask it", async () => {
    tavily.always(500);
    const failure: Brief = ["tavily", "failed", "server_error", 500];
    const before = tavily.calls.length;
    expect(await searches(setUp(), ["spring tides", "neap tides", "ebb tides", "high tides"])).toEqual([
      [failure, failure, JINA_OK],
      [failure, JINA_OK],
      [CIRCUIT_OPEN, JINA_OK],
      [CIRCUIT_OPEN, JINA_OK],
    ]);
    expect(tavily.calls.length - before).toBe(3);
  });

  test.each<[number, string]>([
    [401, "unauthorized"],
    [429, "rate_limited"],
    [432, "quota"],
    [433, "quota"],
  ])("after one %i the next question does not ask it", async (status, reason) => {
    tavily.always(status);
    expect(await searches(setUp(), ["spring tides", "neap tides"])).toEqual([
      [["tavily", "failed", reason, status], JINA_OK],
      [CIRCUIT_OPEN, JINA_OK],
    ]);
  });

  test("what it refuses is not held against it", async () => {
    tavily.always(400);
    const told = await searches(setUp(), ["spring tides", "neap tides", "ebb tides", "high tides", "low tides"]);
    expect(told).toEqual(told.map(() => [["tavily", "failed", "bad_response", 400], JINA_OK]));
  });

  test("one isolate's finding is another's, at once where it has not looked yet", async () => {
    tavily.always(401);
    const first = setUp();
    await ask(first);
    await first.settle();
    const second = setUp({ cache: first.cache });
    expect(await searches(second, ["neap tides"])).toEqual([[CIRCUIT_OPEN, JINA_OK]]);
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
  for (const provider of ["tavily", "jina"]) {
    expect(body.attempts).toContainEqual(
      expect.objectContaining({ provider, outcome: "skipped", reason: "not_configured" }),
    );
  }
  expect(brief(body.attempts)).toEqual([["index", "ok", null, null]]);
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

test("a caller that hangs up takes nothing from those who ask the same: the search goes on and is kept", async () => {
  const caller = new AbortController();
  const harness = setUp({
    fetch(url, init) {
      queueMicrotask(() => caller.abort());
      return fetch(url, init);
    },
  });
  const before = tavily.calls.length;
  void harness.service.searchFor("owner-1", requestOf("q"), caller.signal);
  const follower = await harness.service.searchFor("owner-2", requestOf("q"));
  expect(follower).toMatchObject({ ok: true, value: { provider: "tavily", cache: { status: "coalesced" } } });
  expect(caller.signal.aborted).toBe(true);
  expect(await harness.service.searchFor("owner-3", requestOf("q"))).toMatchObject({
    value: { cache: { status: "l1" } },
  });
  expect(tavily.calls.length - before).toBe(1);
});
