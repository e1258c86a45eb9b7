import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { Fetch } from "../../../../src/core/fetch.ts";
import { systemRandom } from "../../../../src/core/ids.ts";
import type { Defer } from "../../../../src/core/logger.ts";
import { parseTraceparent } from "../../../../src/core/trace-context.ts";
import { createTracer, SPANS_DROPPED_METRIC } from "../../../../src/observability/tracing/tracer.ts";
import type { RunTrace, StepTrace } from "../../../../src/runtime/contract.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { listen } from "../../../support/node-listener.ts";
import { createTestLog } from "../../../support/runtime/runtime.ts";

const CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const FLUSH_MS = 1_000;
const TIMEOUT_MS = 5_000;

const STEP: StepTrace = {
  toolId: "fetchUser",
  name: "httpRequest",
  status: "ok",
  startedAt: "2026-02-13T10:30:00.007Z",
  durationMs: 12.5,
  attempts: 2,
  outputBytes: 321,
  error: null,
  rule: null,
  input: { url: "https://input-of-a-step.test" },
  output: { body: "output-of-a-step" },
};

const RUN: RunTrace = {
  runId: "run_01khb0cq70aaaaaaaaaaaaaaaa",
  agentId: "agent_01khb0cq70bbbbbbbbbbbbbbbb",
  serverId: "mcp_1",
  version: 3,
  requestId: "req_1",
  traceId: null,
  trigger: "http",
  dryRun: false,
  outcome: "ok",
  status: 201,
  startedAt: "2026-02-13T10:30:00.000Z",
  durationMs: 40,
  error: null,
  steps: [STEP],
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Received {
  readonly request: Request;
  readonly text: string;
}

/** A collector on a port of this machine; `answer` says what becomes of each request. */
async function createCollector(answer: (nth: number) => Response | Promise<Response> = () => Response.json({})) {
  const received: Received[] = [];
  const listener = await listen(async (request) => {
    received.push({ request, text: await request.clone().text() });
    return answer(received.length);
  });
  closing.push(() => listener.close());
  return { url: listener.url, received };
}

/** A server below HTTP's conveniences. */
async function createRawServer(handle: RequestListener): Promise<string> {
  const server = createServer(handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function createScene(endpoint: string | undefined, fetchFrom: Fetch = (url, init) => fetch(url, init)) {
  const fake = createFakeClock();
  const waits: number[] = [];
  const clock = {
    ...fake,
    after(ms: number, action: () => void) {
      waits.push(ms);
      return fake.after(ms, action);
    },
  };
  const deferred: Promise<unknown>[] = [];
  const defer: Defer = (_what, work) => void deferred.push(work);
  const dropped = new Map<string, number>();
  const { log, lines } = createTestLog();
  const tracer = createTracer({
    endpoint,
    headers: { "x-api-key": "key-of-the-collector", "content-type": "text/plain" },
    serviceName: "orchestrix",
    version: "1.2.3",
    fetch: fetchFrom,
    clock,
    defer,
    random: systemRandom,
    metrics: {
      count(name, labels = {}, by = 1) {
        expect(name).toBe(SPANS_DROPPED_METRIC);
        dropped.set(labels.reason ?? "", (dropped.get(labels.reason ?? "") ?? 0) + by);
      },
      observe() {},
      gauge() {},
    },
    log,
  });
  const exportRun = (changes: Partial<RunTrace> = {}, traceparent: string | null = null) => {
    const span = tracer.startRun(traceparent === null ? null : { traceparent, tracestate: null });
    tracer.exportRun(() => ({ ...RUN, ...changes }), span);
    return span;
  };
  return { clock, waits, deferred, dropped, lines, tracer, exportRun, done: () => Promise.all(deferred) };
}

/** Waits for what the real network brings about. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly [field: string]: unknown;
}

function spansOf(received: readonly Received[]): SentSpan[] {
  return received.flatMap(({ text }) => JSON.parse(text).resourceSpans[0].scopeSpans[0].spans);
}

describe("startRun", () => {
  test("continues the caller's trace under a span of its own", () => {
    const { tracer } = createScene(undefined);
    const span = tracer.startRun({ traceparent: CALLER, tracestate: " a=1,b=2" });
    expect(span).toMatchObject({
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      parentSpanId: "00f067aa0ba902b7",
      sampled: true,
      tracestate: "a=1,b=2",
    });
    expect(parseTraceparent(span.traceparent)).toEqual({
      traceId: span.traceId,
      spanId: span.spanId,
      sampled: true,
    });
    expect(span.spanId).not.toBe("00f067aa0ba902b7");
  });

  test("passes on that the caller does not sample", () => {
    const { tracer } = createScene("http://collector.test");
    const span = tracer.startRun({ traceparent: CALLER.replace(/01$/, "00"), tracestate: null });
    expect(span.sampled).toBe(false);
    expect(span.traceparent).toMatch(/-00$/);
  });

  test("drops a state that is none", () => {
    const span = createScene(undefined).tracer.startRun({ traceparent: CALLER, tracestate: "A=1" });
    expect(span).toMatchObject({ parentSpanId: "00f067aa0ba902b7", tracestate: null });
  });

  test.each([null, "", "rubbish", `${CALLER}-more`, CALLER.toUpperCase()])(
    "begins a trace where the header is %j, without the state beside it",
    (traceparent) => {
      const trace = traceparent === null ? null : { traceparent, tracestate: "a=1" };
      const span = createScene("http://collector.test").tracer.startRun(trace);
      expect(span).toMatchObject({ parentSpanId: null, sampled: true, tracestate: null });
      expect(parseTraceparent(span.traceparent)).not.toBeNull();
      expect(createScene(undefined).tracer.startRun(trace).sampled).toBe(false);
    },
  );
});

describe("the payload", () => {
  test("is one OTLP/JSON request, to the letter", async () => {
    const { url, received } = await createCollector();
    const { clock, tracer, done } = createScene(url);
    const span = tracer.startRun({ traceparent: CALLER, tracestate: "congo=t61rcWkgMzE" });
    tracer.exportRun(() => RUN, span);
    await clock.advance(FLUSH_MS);
    await done();
    expect(received).toHaveLength(1);
    const [{ request, text } = { request: new Request("http://none"), text: "" }] = received;
    expect(request.method).toBe("POST");
    expect(new URL(request.url).pathname).toBe("/v1/traces");
    expect(request.headers.get("content-type")).toBe("application/json");
    expect(request.headers.get("x-api-key")).toBe("key-of-the-collector");
    const body = JSON.parse(text);
    const stepSpanId = body.resourceSpans[0].scopeSpans[0].spans[1].spanId;
    expect(stepSpanId).toMatch(/^[0-9a-f]{16}$/);
    expect(body).toEqual({
      resourceSpans: [
        {
          resource: {
            attributes: [
              { key: "service.name", value: { stringValue: "orchestrix" } },
              { key: "service.version", value: { stringValue: "1.2.3" } },
            ],
          },
          scopeSpans: [
            {
              scope: { name: "orchestrix.runtime", version: "1.2.3" },
              spans: [
                {
                  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
                  spanId: span.spanId,
                  parentSpanId: "00f067aa0ba902b7",
                  traceState: "congo=t61rcWkgMzE",
                  flags: 1,
                  name: "run mcp_1",
                  kind: 2,
                  startTimeUnixNano: "1770978600000000000",
                  endTimeUnixNano: "1770978600040000000",
                  attributes: [
                    { key: "orchestrix.run.id", value: { stringValue: RUN.runId } },
                    { key: "orchestrix.agent.id", value: { stringValue: RUN.agentId } },
                    { key: "orchestrix.server.id", value: { stringValue: "mcp_1" } },
                    { key: "orchestrix.server.version", value: { intValue: "3" } },
                    { key: "orchestrix.request.id", value: { stringValue: "req_1" } },
                    { key: "orchestrix.run.trigger", value: { stringValue: "http" } },
                    { key: "orchestrix.run.dry_run", value: { boolValue: false } },
                    { key: "orchestrix.run.outcome", value: { stringValue: "ok" } },
                    { key: "http.response.status_code", value: { intValue: "201" } },
                  ],
                  status: { code: 1 },
                },
                {
                  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
                  spanId: stepSpanId,
                  parentSpanId: span.spanId,
                  flags: 1,
                  name: "httpRequest fetchUser",
                  kind: 1,
                  startTimeUnixNano: "1770978600007000000",
                  endTimeUnixNano: "1770978600019500000",
                  attributes: [
                    { key: "orchestrix.step.id", value: { stringValue: "fetchUser" } },
                    { key: "orchestrix.step.tool", value: { stringValue: "httpRequest" } },
                    { key: "orchestrix.step.status", value: { stringValue: "ok" } },
                    { key: "orchestrix.step.attempts", value: { intValue: "2" } },
                    { key: "orchestrix.step.output_bytes", value: { intValue: "321" } },
                  ],
                  status: { code: 1 },
                },
              ],
            },
          ],
        },
      ],
    });
  });

  test("tells how steps and runs went wrong, and never what steps took in or gave out", async () => {
    const { url, received } = await createCollector();
    const { clock, exportRun, done } = createScene(url);
    exportRun({
      agentId: null,
      status: null,
      outcome: "timeout",
      error: "the run took longer than 30000 ms",
      steps: [
        STEP,
        { ...STEP, toolId: "a", status: "failed", error: "x".repeat(600) },
        { ...STEP, toolId: "b", status: "refused", error: "denied", rule: "no-writes", outputBytes: null },
        { ...STEP, toolId: "c", status: "timeout", error: null },
        { ...STEP, toolId: "d", status: "skipped", attempts: 0, durationMs: -3 },
        { ...STEP, toolId: "e", status: "cancelled", error: "cut \ud83d" },
      ],
    });
    await clock.advance(FLUSH_MS);
    await done();
    const [run, ...steps] = spansOf(received);
    expect(run).not.toHaveProperty("parentSpanId");
    expect(run).not.toHaveProperty("traceState");
    expect(run?.status).toEqual({ code: 2, message: "the run took longer than 30000 ms" });
    expect(JSON.stringify(run?.attributes)).not.toMatch(/orchestrix\.agent\.id|http\.response\.status_code|null/);
    expect(steps.map(({ status }) => status)).toEqual([
      { code: 1 },
      { code: 2, message: "x".repeat(500) },
      { code: 2, message: "denied" },
      { code: 2 },
      {},
      {},
    ]);
    expect(steps[2]?.attributes).toContainEqual({ key: "orchestrix.step.rule", value: { stringValue: "no-writes" } });
    expect(steps[4]?.endTimeUnixNano).toBe(steps[4]?.startTimeUnixNano);
    expect(new Set([run, ...steps].map((span) => span?.spanId)).size).toBe(7);
    expect(received[0]?.text).not.toContain("-of-a-step");
  });

  test("holds the runs of a while, each in its own trace", async () => {
    const { url, received } = await createCollector();
    const { clock, exportRun, done } = createScene(url);
    const spans = [exportRun(), exportRun({}, CALLER), exportRun()];
    await clock.advance(FLUSH_MS - 1);
    expect(received).toEqual([]);
    await clock.advance(1);
    await done();
    expect(received).toHaveLength(1);
    expect(spansOf(received).map(({ traceId }) => traceId)).toEqual(spans.flatMap(({ traceId }) => [traceId, traceId]));
  });
});

describe("what is exported", () => {
  test("is neither a run that is not sampled nor one that still runs, nor anything without a collector", async () => {
    const { url, received } = await createCollector();
    const { exportRun, deferred } = createScene(url);
    exportRun({}, CALLER.replace(/01$/, "00"));
    exportRun({ outcome: "running" });
    createScene(undefined).exportRun({}, CALLER);
    expect(deferred).toEqual([]);
    expect(received).toEqual([]);
  });

  test("goes at once when there is much of it, and in requests of a bounded size", async () => {
    const { url, received } = await createCollector();
    const { waits, exportRun, done, dropped } = createScene(url);
    exportRun({ steps: Array.from({ length: 100 }, () => STEP) });
    for (let i = 0; i < 12; i++) exportRun({ steps: Array.from({ length: 100 }, () => STEP) });
    await done();
    expect(waits).not.toContain(FLUSH_MS);
    const counts = received.map((one) => spansOf([one]).length);
    expect(counts.reduce((sum, n) => sum + n, 0)).toBe(13 * 101);
    expect(Math.max(...counts)).toBeLessThanOrEqual(512);
    expect(dropped.size).toBe(0);
  });

  test("is bounded: whole runs are dropped and counted, and the run is not told", async () => {
    let answer: (response: Response) => void = () => {};
    const { url, received } = await createCollector(() => new Promise<Response>((resolve) => (answer = resolve)));
    const { exportRun, dropped, done } = createScene(url);
    exportRun({ steps: Array.from({ length: 99 }, () => STEP) });
    await until(() => received.length === 1);
    for (let i = 0; i < 22; i++) exportRun({ steps: Array.from({ length: 99 }, () => STEP) });
    expect(dropped).toEqual(new Map([["queue_full", 200]]));
    answer(Response.json({}));
    for (let nth = 2; nth <= 5; nth++) {
      await until(() => received.length === nth);
      answer(Response.json({}));
    }
    await done();
    expect(spansOf(received)).toHaveLength(2_100);
  });

  test("is not kept back by a flush that died with its request", async () => {
    const { url, received } = await createCollector();
    const { clock, deferred, exportRun } = createScene(url);
    const { after } = clock;
    clock.after = () => () => {};
    exportRun();
    clock.after = after;
    await clock.advance(FLUSH_MS);
    exportRun();
    expect(deferred).toHaveLength(1);
    await clock.advance(2_000);
    exportRun();
    await clock.advance(FLUSH_MS);
    await deferred.at(-1);
    expect(spansOf(received)).toHaveLength(6);
  });

  test("a run whose times are none is dropped and counted", () => {
    const { exportRun, dropped, lines } = createScene("http://collector.test");
    exportRun({ startedAt: "yesterday" });
    expect(dropped).toEqual(new Map([["invalid", 2]]));
    expect(lines.map(({ event }) => event)).toEqual(["spans_not_made"]);
  });
});

describe("a collector that fails", () => {
  test.each([429, 502, 503, 504])("with %i is asked once more, after the time that it names", async (status) => {
    const { url, received } = await createCollector((nth) =>
      nth === 1 ? new Response("busy", { status, headers: { "retry-after": "3" } }) : Response.json({}),
    );
    const { clock, waits, exportRun, dropped, done } = createScene(url);
    exportRun();
    await clock.advance(FLUSH_MS);
    await until(() => waits.includes(3_000));
    await clock.advance(2_999);
    expect(received).toHaveLength(1);
    await clock.advance(1);
    await done();
    expect(received).toHaveLength(2);
    expect(received[1]?.text).toBe(received[0]?.text);
    expect(dropped.size).toBe(0);
  });

  test("twice loses its spans, which are counted, and is left alone for a while", async () => {
    const { url, received } = await createCollector((nth) =>
      nth <= 2 ? new Response(null, { status: 503 }) : Response.json({}),
    );
    const { clock, waits, deferred, exportRun, dropped, lines, done } = createScene(url);
    exportRun();
    await clock.advance(FLUSH_MS);
    await until(() => waits.some((ms) => ms >= 500 && ms <= 750));
    await clock.advance(750);
    await done();
    expect(received).toHaveLength(2);
    expect(dropped).toEqual(new Map([["overloaded", 2]]));
    expect(lines).toEqual([
      {
        level: "warn",
        event: "spans_not_exported",
        fields: { reason: "overloaded", status: 503, count: 2, pauseMs: 5_000 },
      },
    ]);
    exportRun();
    expect(deferred).toHaveLength(1);
    await clock.advance(5_000);
    exportRun();
    await clock.advance(FLUSH_MS);
    await done();
    expect(spansOf(received.slice(2))).toHaveLength(4);
  });

  test("and wants more time than a retry may wait gets it", async () => {
    const { url, received } = await createCollector((nth) =>
      nth === 1 ? new Response(null, { status: 429, headers: { "retry-after": "60" } }) : Response.json({}),
    );
    const { clock, deferred, exportRun, dropped, done } = createScene(url);
    exportRun();
    await clock.advance(FLUSH_MS);
    await done();
    expect(dropped).toEqual(new Map([["overloaded", 2]]));
    await clock.advance(59_999);
    exportRun();
    expect(deferred).toHaveLength(1);
    await clock.advance(1);
    exportRun();
    await clock.advance(FLUSH_MS);
    await done();
    expect(spansOf(received.slice(1))).toHaveLength(4);
  });

  test.each([400, 401, 404, 413, 500, 501])("with %i is not asked again", async (status) => {
    const { url, received } = await createCollector(() => new Response("no", { status }));
    const { clock, exportRun, dropped, lines, done } = createScene(url);
    exportRun();
    await clock.advance(FLUSH_MS);
    await done();
    expect(received).toHaveLength(1);
    expect(dropped).toEqual(new Map([["refused", 2]]));
    expect(JSON.stringify(lines)).not.toContain("key-of-the-collector");
  });

  test("by a redirect does not get the credentials sent elsewhere", async () => {
    const elsewhere = await createCollector();
    const { url } = await createCollector(() => Response.redirect(`${elsewhere.url}/v1/traces`, 307));
    const { clock, exportRun, dropped, done } = createScene(url);
    exportRun();
    await clock.advance(FLUSH_MS);
    await done();
    expect(elsewhere.received).toEqual([]);
    expect(dropped).toEqual(new Map([["refused", 2]]));
  });

  test("by never answering is given up", async () => {
    let asked = 0;
    const url = await createRawServer(() => {
      asked++;
    });
    const { clock, exportRun, dropped, done } = createScene(url);
    exportRun();
    await clock.advance(FLUSH_MS);
    await until(() => asked === 1);
    await clock.advance(TIMEOUT_MS);
    await done();
    expect(asked).toBe(1);
    expect(dropped).toEqual(new Map([["timeout", 2]]));
  });

  test("by an answer that drips has the spans all the same", async () => {
    let dripping: NodeJS.Timeout | undefined;
    const url = await createRawServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write("{");
      dripping = setInterval(() => response.write(" "), 5);
    });
    const answered: number[] = [];
    const { clock, exportRun, dropped, done } = createScene(url, async (address, init) => {
      const response = await fetch(address, init);
      answered.push(response.status);
      return response;
    });
    exportRun();
    await clock.advance(FLUSH_MS);
    await until(() => answered.length === 1);
    await clock.advance(TIMEOUT_MS);
    await done();
    clearInterval(dripping);
    expect(dropped.size).toBe(0);
  });

  test("by dropping the connection is asked once more", async () => {
    let asked = 0;
    const url = await createRawServer((request, response) => {
      if (++asked === 1) request.socket.destroy();
      else response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
    const { clock, waits, exportRun, dropped, done } = createScene(url);
    exportRun();
    await clock.advance(FLUSH_MS);
    await until(() => waits.some((ms) => ms >= 500 && ms <= 750));
    await clock.advance(750);
    await done();
    expect(asked).toBe(2);
    expect(dropped.size).toBe(0);
  });

  test("by not being there loses the spans, which are counted", async () => {
    const url = await createRawServer(() => {});
    await closing.pop()?.();
    const { clock, waits, exportRun, dropped, done } = createScene(url);
    exportRun();
    await clock.advance(FLUSH_MS);
    await until(() => waits.some((ms) => ms >= 500 && ms <= 750));
    await clock.advance(750);
    await done();
    expect(dropped).toEqual(new Map([["unreachable", 2]]));
  });

  test.each([
    ["some spans, as text", '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}', 1],
    ["some spans, as a number", '{"partialSuccess":{"rejectedSpans":2}}', 2],
    ["none, with a warning", '{"partialSuccess":{"rejectedSpans":"0","errorMessage":"slow down"}}', 0],
    ["nobody knows what", '{"partialSuccess":{"rejectedSpans":"many"}}', 0],
    ["with no JSON", "<html>", 0],
    ["with too much", `"${"x".repeat(100_000)}"`, 0],
  ])("for %s is not asked again, and what it says is counted", async (_, answer, rejected) => {
    const { url, received } = await createCollector(() => new Response(answer));
    const { clock, exportRun, dropped, done } = createScene(url);
    exportRun();
    await clock.advance(FLUSH_MS);
    await done();
    expect(received).toHaveLength(1);
    expect(dropped).toEqual(rejected === 0 ? new Map() : new Map([["rejected", rejected]]));
  });
});
