import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Call } from "../../../src/core/actor.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { parseTraceparent, type TraceContext } from "../../../src/core/trace-context.ts";
import { createDropInEndpoints } from "../../../src/search/drop-in/routes.ts";
import { registerProviderBody } from "../../../src/search/providers/provider-contract.ts";
import { createSearchEndpoints } from "../../../src/search/routes.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { customDefinitionAt, startCustom } from "../../support/providers/custom.ts";
import { ADMIN, createSearchHarness, keyOf, requestOf, type SearchHarness } from "../../support/providers/harness.ts";
import { startJina } from "../../support/providers/jina.ts";
import { createMemoryCache } from "../../support/providers/memory-cache.ts";
import type { StandIn } from "../../support/providers/stand-in.ts";
import { startTavily } from "../../support/providers/tavily.ts";
import { createRoutesClient } from "../../support/routes-client.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const CALLER = `00-${TRACE}-${SPAN}-01`;
const QUERY = "how do tides work";
const STALE_MS = 3_601_000;

let tavily: StandIn;
let jina: StandIn;
let custom: StandIn;

beforeAll(async () => {
  [tavily, jina, custom] = await Promise.all([startTavily(), startJina(), startCustom()]);
});

afterAll(async () => {
  await Promise.all([tavily.close(), jina.close(), custom.close()]);
});

afterEach(() => {
  tavily.always("ok");
});

function setUp(shared: Parameters<typeof createSearchHarness>[0] = {}) {
  const harness = createSearchHarness({ tavily: tavily.url, jina: jina.url, ...shared });
  const endpoints = [...createSearchEndpoints(harness.service), ...createDropInEndpoints(harness.service, systemClock)];
  return { harness, send: createRoutesClient(endpoints, keyOf("owner-1")) };
}

/** What the providers were told of traces while the work was done, as headers. */
async function toldDuring(work: () => Promise<unknown>) {
  const servers = [tavily, jina, custom];
  const before = servers.map(({ calls }) => calls.length);
  await work();
  return servers.flatMap(({ calls }, i) =>
    calls
      .slice(before[i])
      .map(({ headers: { traceparent = null, tracestate = null } }) => ({ traceparent, tracestate })),
  );
}

const placeOf = (told: { traceparent: unknown } | undefined): TraceContext | null =>
  typeof told?.traceparent === "string" ? parseTraceparent(told.traceparent) : null;

/** A call whose trace counts how often it is read. */
function callOf(traceparent: string | null, owner = "owner-1") {
  const reads = { count: 0 };
  const trace = () => {
    reads.count++;
    return traceparent === null ? null : { traceparent, tracestate: "vendor=1" };
  };
  const call: Call = { actor: keyOf(owner), requestId: "req-test", origin: "http://localhost", trace };
  return { call, reads };
}

const traceOf = (digit: string) => `00-${digit.repeat(32)}-${SPAN}-01`;

describe("the caller's trace", () => {
  test.each([
    ["POST", "/search", { query: QUERY }],
    ["GET", `/search?q=${encodeURIComponent(QUERY)}`, undefined],
    ["POST", "/v1/search", { query: QUERY }],
    ["POST", "/tavily/search", { query: QUERY }],
  ])("%s %s tells a provider a child of it, and nothing of its state", async (method, path, body) => {
    const { send } = setUp();
    const headers = { traceparent: CALLER, tracestate: "vendor=1" };
    const told = await toldDuring(async () => expect((await send(method, path, body, headers)).status).toBe(200));
    expect(told).toEqual([{ traceparent: expect.any(String), tracestate: null }]);
    expect(placeOf(told[0])).toMatchObject({ traceId: TRACE, sampled: true });
    expect(placeOf(told[0])?.spanId).not.toBe(SPAN);
  });

  test("is told to each provider that is asked, under a span of its own, sampled or not as the caller's", async () => {
    const { send } = setUp();
    tavily.always(400);
    const told = await toldDuring(() =>
      send("POST", "/search", { query: QUERY }, { traceparent: `${CALLER.slice(0, -2)}00` }),
    );
    const places = told.map(placeOf);
    expect(places).toMatchObject([
      { traceId: TRACE, sampled: false },
      { traceId: TRACE, sampled: false },
    ]);
    expect(new Set(places.map((place) => place?.spanId)).size).toBe(2);
  });

  test.each([
    ["none", {}],
    ["a state alone", { tracestate: "vendor=1" }],
    ["one that is wrong", { traceparent: "00-a-b-01", tracestate: "vendor=1" }],
    ["two of them", { traceparent: `${CALLER}, ${CALLER}` }],
    ["one without end", { traceparent: `01-${TRACE}-${SPAN}-01-${"a".repeat(5_000)}` }],
  ])("is not made up: %s", async (_what, headers) => {
    const { send } = setUp();
    const told = await toldDuring(() => send("POST", "/search", { query: QUERY }, headers));
    expect(told).toEqual([{ traceparent: null, tracestate: null }]);
  });

  test("does not displace the one that a registered provider's author wrote", async () => {
    const { harness, send } = setUp({ env: { ENCRYPTION_KEY: btoa("0123456789abcdef0123456789abcdef") } });
    const { request, ...definition } = customDefinitionAt(custom.url);
    const register = async (name: string, priority: number, headers: Record<string, string>) => {
      const body = registerProviderBody.parse({ ...definition, name, priority, request: { ...request, headers } });
      const admin = { actor: ADMIN, requestId: "req-test", origin: "http://localhost" };
      const registered = await harness.providers.register(admin, body);
      expect(registered).toMatchObject({ ok: true });
    };
    const own = `00-${"a".repeat(32)}-${"b".repeat(16)}-00`;
    await register("plain", 2, request.headers);
    const plain = await toldDuring(() => send("POST", "/search", { query: QUERY }, { traceparent: CALLER }));
    expect(plain.map(placeOf)).toMatchObject([{ traceId: TRACE }]);
    await register("traced", 1, { ...request.headers, TraceParent: own });
    const told = await toldDuring(() => send("POST", "/search", { query: "other tides" }, { traceparent: CALLER }));
    expect(told).toEqual([{ traceparent: own, tracestate: null }]);
  });
});

describe("one question for several", () => {
  test("is asked in the trace of the caller who was first", async () => {
    const { harness } = setUp();
    const told = await toldDuring(() =>
      Promise.all(["1", "2", "3"].map((n) => harness.service.search(callOf(traceOf(n), n).call, requestOf(QUERY)))),
    );
    expect(told.map(placeOf)).toMatchObject([{ traceId: "1".repeat(32) }]);
  });

  test("that is answered out of a cache never looks at a trace", async () => {
    const cache = createMemoryCache();
    const { harness } = setUp({ cache });
    const asked = async (to: SearchHarness) => {
      const { call, reads } = callOf(CALLER);
      const reply = await to.service.search(call, requestOf(QUERY));
      await to.settle();
      return [reply.ok && reply.value.answer.cache.status, reads.count];
    };
    expect(await asked(harness)).toEqual(["miss", 1]);
    expect(await asked(harness)).toEqual(["l1", 0]);
    expect(await asked(setUp({ cache }).harness)).toEqual(["l2", 0]);
  });
});

describe("what goes on behind answers is in nobody's trace", () => {
  test.each([["memory"], ["the shared cache"]])("a refresh of what is stale in %s", async (where) => {
    const clock = createFakeClock();
    const cache = createMemoryCache(clock);
    const { harness } = setUp({ clock, cache });
    await harness.service.search(callOf(CALLER).call, requestOf(QUERY));
    await harness.settle();
    await clock.advance(STALE_MS);
    const later = where === "memory" ? harness : setUp({ clock, cache }).harness;
    const told = await toldDuring(async () => {
      const reply = await later.service.search(callOf(CALLER).call, requestOf(QUERY));
      expect(reply).toMatchObject({ ok: true, value: { answer: { cache: { status: "stale" } } } });
      await later.settle();
    });
    expect(told).toEqual([{ traceparent: null, tracestate: null }]);
  });

  test("and warming", async () => {
    const { harness } = setUp({ env: { WARM_QUERIES: QUERY } });
    const told = await toldDuring(() => harness.warmCache({ thorough: false }));
    expect(told.length).toBeGreaterThan(0);
    expect(told.filter(({ traceparent }) => traceparent !== null)).toEqual([]);
  });
});
