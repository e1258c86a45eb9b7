import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { ok } from "../../../src/core/result.ts";
import type { AppEnv } from "../../../src/http/context.ts";
import { mountEndpoints } from "../../../src/http/endpoint.ts";
import { METRIC_CATALOGUE } from "../../../src/observability/metric-catalogue.ts";
import { createMetrics } from "../../../src/observability/metrics.ts";
import { bucketOf, createMetricsBuffer } from "../../../src/observability/metrics-buffer.ts";
import { createMetricsLedger } from "../../../src/observability/metrics-ledger.ts";
import {
  DURATION_BUCKETS_MS,
  GAUGE_MAX_AGE_MS,
  METRICS_FLUSH_GRACE_MS,
  METRICS_FLUSH_MS,
  METRICS_MAX_ISOLATES,
  METRICS_MAX_SERIES,
  METRICS_READ_TIMEOUT_MS,
} from "../../../src/observability/metrics-limits.ts";
import { renderMetrics } from "../../../src/observability/metrics-render.ts";
import { createMetricsEndpoint } from "../../../src/observability/metrics-routes.ts";
import type { MetricsBatch, MetricsSink } from "../../../src/observability/metrics-sink.ts";
import { parseExposition, sampleValue } from "../../support/exposition.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

type Fate = "ok" | "lost" | "unconfirmed" | "hangs";

/** The ledger behind a network that does what `fate` says. */
function createLedgerSink(clock = createFakeClock()) {
  const ledger = createMetricsLedger();
  const sink = {
    fate: "ok" as Fate,
    batches: [] as MetricsBatch[],
    async flush(batch: MetricsBatch) {
      sink.batches.push(batch);
      if (sink.fate === "hangs") await new Promise(() => {});
      if (sink.fate !== "lost") ledger.apply(structuredClone(batch), clock.now());
      if (sink.fate !== "ok") throw new StorageUnavailable("no answer came");
    },
    read: async () => ledger.snapshot(clock.now()),
  } satisfies MetricsSink & Record<string, unknown>;
  return sink;
}

function setUp() {
  const clock = createFakeClock();
  const sink = createLedgerSink(clock);
  const failures: unknown[] = [];
  const isolate = (name: string) =>
    createMetrics({
      sink,
      clock,
      isolate: name,
      strict: true,
      defer: (_what, work) => void work.catch((error: unknown) => failures.push(error)),
    });
  const scrape = async () => renderMetrics(await sink.read());
  return { clock, sink, failures, isolate, scrape };
}

const of = (series: string, value: number) => ({ series, value });
const times = (series: string, counts: number[], sumMs: number) => ({ series, counts, sumMs });

const WARM = { outcome: "refreshed" };

function batchOf(isolate: string, sequence: number, more: Partial<MetricsBatch> = {}): MetricsBatch {
  return { isolate, sequence, counters: [], histograms: [], gauges: [], ...more };
}

describe("counting", () => {
  test("adds up by name and labels, whatever the order of the labels", () => {
    const { metrics, take } = createMetricsBuffer({ strict: true });
    metrics.count("orchestrix_admissions_total", { outcome: "admitted", source: "memory" });
    metrics.count("orchestrix_admissions_total", { source: "memory", outcome: "admitted" }, 4);
    metrics.count("orchestrix_admissions_total", { outcome: "refused", source: "memory" });
    metrics.count("orchestrix_cache_evictions_total", undefined, 3);
    expect(take()).toEqual({
      counters: [
        of('orchestrix_admissions_total{outcome="admitted",source="memory"}', 5),
        of('orchestrix_admissions_total{outcome="refused",source="memory"}', 1),
        of("orchestrix_cache_evictions_total", 3),
      ],
      histograms: [],
      gauges: [],
    });
  });

  test("starts anew once it was taken; gauges stay and are told each time", () => {
    const { metrics, take, hasNews } = createMetricsBuffer({ strict: true });
    metrics.gauge("orchestrix_cache_l1_entries", 7);
    metrics.count("orchestrix_warm_total", WARM);
    expect(take()?.counters).toHaveLength(1);
    expect([hasNews(), take()]).toEqual([false, null]);
    metrics.gauge("orchestrix_cache_l1_entries", 7);
    expect(hasNews()).toBe(false);
    metrics.count("orchestrix_warm_total", WARM);
    expect(take()).toMatchObject({
      counters: [of('orchestrix_warm_total{outcome="refreshed"}', 1)],
      gauges: [of("orchestrix_cache_l1_entries", 7)],
    });
    metrics.gauge("orchestrix_cache_l1_entries", 8);
    expect(take()).toMatchObject({ counters: [], gauges: [of("orchestrix_cache_l1_entries", 8)] });
  });

  test.each([
    [0, 0],
    [1, 0],
    [1.01, 1],
    [2.5, 1],
    [10_000, DURATION_BUCKETS_MS.length - 1],
    [10_000.1, DURATION_BUCKETS_MS.length],
    [1e12, DURATION_BUCKETS_MS.length],
  ])("puts %d ms into bucket %d: a bound belongs to its bucket", (ms, bucket) => {
    expect(bucketOf(ms)).toBe(bucket);
  });

  test("keeps a duration's sum and counts; one below 0 counts as 0", () => {
    const { metrics, take } = createMetricsBuffer({ strict: true });
    for (const ms of [3, 3, 700, 20_000, -5]) {
      metrics.observe("orchestrix_request_duration_seconds", ms, { route: "GET /health" });
    }
    const text = renderMetrics({ counters: [], gauges: [], histograms: take()?.histograms ?? [] });
    const bucket = (le: string) =>
      sampleValue(text, "orchestrix_request_duration_seconds_bucket", { route: "GET /health", le });
    expect([bucket("0.001"), bucket("0.005"), bucket("1"), bucket("10"), bucket("+Inf")]).toEqual([1, 3, 4, 4, 5]);
    expect(sampleValue(text, "orchestrix_request_duration_seconds_sum", { route: "GET /health" })).toBe(20.706);
  });

  test.each<[string, (metrics: ReturnType<typeof createMetricsBuffer>["metrics"]) => void, string]>([
    ["a name that is not listed", (m) => m.count("orchestrix_nonsense_total"), "unlisted"],
    ["a name of every object", (m) => m.count("constructor"), "unlisted"],
    ["a gauge that is a counter", (m) => m.gauge("orchestrix_warm_total", 1, WARM), "unlisted"],
    ["a value that is no number", (m) => m.observe("orchestrix_request_duration_seconds", Number.NaN), "invalid_value"],
    ["a counter that runs backwards", (m) => m.count("orchestrix_warm_total", WARM, -1), "invalid_value"],
    ["a counter without end", (m) => m.count("orchestrix_warm_total", WARM, Number.POSITIVE_INFINITY), "invalid_value"],
    ["a gauge without end", (m) => m.gauge("orchestrix_cache_l1_bytes", Number.NEGATIVE_INFINITY), "invalid_value"],
  ])("%s throws in tests, and is dropped and counted in production", (_name, misuse, reason) => {
    expect(() => misuse(createMetricsBuffer({ strict: true }).metrics)).toThrow(TypeError);
    const { metrics, take } = createMetricsBuffer();
    misuse(metrics);
    expect(take()).toEqual({
      counters: [of(`orchestrix_metrics_dropped_total{reason="${reason}"}`, 1)],
      histograms: [],
      gauges: [],
    });
  });

  test("labels that are missing or too many throw in tests, and harm nobody in production", () => {
    const strict = createMetricsBuffer({ strict: true }).metrics;
    expect(() => strict.count("orchestrix_warm_total")).toThrow(/outcome/);
    expect(() => strict.count("orchestrix_warm_total", { ...WARM, query: "secret" })).toThrow(TypeError);
    const { metrics, take } = createMetricsBuffer();
    metrics.count("orchestrix_admissions_total", { source: "memory", query: "secret" });
    expect(take()?.counters).toEqual([of('orchestrix_admissions_total{source="memory"}', 1)]);
  });

  test("series are bounded; one too many is dropped and counted, those known go on", () => {
    const { metrics, take } = createMetricsBuffer();
    for (let i = 0; i < METRICS_MAX_SERIES + 10; i++) metrics.count("orchestrix_warm_total", { outcome: `o${i}` });
    metrics.count("orchestrix_warm_total", { outcome: "o0" });
    const { counters = [] } = take() ?? {};
    expect(counters).toHaveLength(METRICS_MAX_SERIES + 1);
    expect(counters[0]).toEqual(of('orchestrix_warm_total{outcome="o0"}', 2));
    expect(counters.at(-1)).toEqual(of('orchestrix_metrics_dropped_total{reason="series_limit"}', 10));
  });
});

describe("handing on", () => {
  test("happens once in a while, however many requests come, and takes along what came last", async () => {
    const { clock, sink, isolate, scrape } = setUp();
    const { metrics, flushSoon } = isolate("a");
    for (let i = 0; i < 100; i++) {
      metrics.count("orchestrix_warm_total", WARM);
      flushSoon();
    }
    expect(sink.batches).toHaveLength(0);
    await clock.advance(METRICS_FLUSH_MS);
    expect(sink.batches).toHaveLength(1);
    expect(sampleValue(await scrape(), "orchestrix_warm_total", WARM)).toBe(100);
    flushSoon();
    await clock.advance(METRICS_FLUSH_MS * 3);
    expect(sink.batches).toHaveLength(1);
  });

  test("that fails loses nothing", async () => {
    const { clock, sink, failures, isolate, scrape } = setUp();
    const { metrics, flushSoon } = isolate("a");
    sink.fate = "lost";
    for (let i = 0; i < 3; i++) {
      metrics.count("orchestrix_warm_total", WARM);
      metrics.observe("orchestrix_search_attempt_duration_seconds", 10, { provider: "tavily" });
      flushSoon();
      await clock.advance(METRICS_FLUSH_MS);
    }
    expect(failures).toHaveLength(3);
    expect(sampleValue(await scrape(), "orchestrix_warm_total", WARM)).toBeUndefined();
    sink.fate = "ok";
    flushSoon();
    await clock.advance(METRICS_FLUSH_MS);
    const text = await scrape();
    expect(sampleValue(text, "orchestrix_warm_total", WARM)).toBe(3);
    expect(sampleValue(text, "orchestrix_search_attempt_duration_seconds_count", { provider: "tavily" })).toBe(3);
  });

  test("that did its work but was not confirmed counts once", async () => {
    const { clock, sink, isolate, scrape } = setUp();
    const { metrics, flushSoon } = isolate("a");
    sink.fate = "unconfirmed";
    for (let i = 0; i < 3; i++) {
      metrics.count("orchestrix_warm_total", WARM);
      flushSoon();
      await clock.advance(METRICS_FLUSH_MS);
    }
    sink.fate = "ok";
    flushSoon();
    await clock.advance(METRICS_FLUSH_MS);
    expect(sampleValue(await scrape(), "orchestrix_warm_total", WARM)).toBe(3);
  });

  test("that died with its request is taken up by a later one", async () => {
    const { clock, sink, isolate, scrape } = setUp();
    const { metrics, flushSoon } = isolate("a");
    sink.fate = "hangs";
    metrics.count("orchestrix_warm_total", WARM);
    flushSoon();
    await clock.advance(METRICS_FLUSH_MS);
    sink.fate = "ok";
    flushSoon();
    await clock.advance(METRICS_FLUSH_GRACE_MS + METRICS_FLUSH_MS);
    expect(sink.batches).toHaveLength(1);
    flushSoon();
    await clock.advance(METRICS_FLUSH_MS);
    expect(sampleValue(await scrape(), "orchestrix_warm_total", WARM)).toBe(1);
  });

  test("is not waited for by who reads: what this isolate counted is in what it reads", async () => {
    const { isolate } = setUp();
    const [one, other] = [isolate("a"), isolate("b")];
    one.metrics.count("orchestrix_warm_total", WARM);
    other.metrics.count("orchestrix_warm_total", WARM);
    expect(sampleValue(renderMetrics(await one.read()), "orchestrix_warm_total", WARM)).toBe(1);
    expect(sampleValue(renderMetrics(await other.read()), "orchestrix_warm_total", WARM)).toBe(2);
  });

  test("to a sink that hangs ends the reading with an error", async () => {
    const { clock, sink, isolate } = setUp();
    const { metrics, read } = isolate("a");
    metrics.count("orchestrix_warm_total", WARM);
    sink.fate = "hangs";
    const reading = expect(read()).rejects.toThrow(StorageUnavailable);
    await clock.advance(METRICS_READ_TIMEOUT_MS);
    await reading;
  });
});

describe("the ledger", () => {
  const counters = [of('orchestrix_warm_total{outcome="refreshed"}', 1)];

  test("adds a batch once, late ones of before not at all, and goes on after a gap", () => {
    const ledger = createMetricsLedger();
    const applied = [1, 1, 3, 2, 4].map((sequence) => ledger.apply(batchOf("a", sequence, { counters }), 0));
    expect(applied).toEqual([true, false, true, false, true]);
    expect(ledger.snapshot(0).counters).toEqual([of('orchestrix_warm_total{outcome="refreshed"}', 3)]);
  });

  test("goes on from what was stored, sequences too", () => {
    const first = createMetricsLedger();
    first.apply(
      batchOf("a", 1, { counters, histograms: [times("orchestrix_request_duration_seconds", [1, 0], 5)] }),
      0,
    );
    const second = createMetricsLedger(structuredClone(first.stored()));
    expect(second.apply(batchOf("a", 1, { counters }), 0)).toBe(false);
    second.apply(
      batchOf("a", 2, { counters, histograms: [times("orchestrix_request_duration_seconds", [0, 2], 50)] }),
      0,
    );
    expect(second.snapshot(0)).toMatchObject({
      counters: [of('orchestrix_warm_total{outcome="refreshed"}', 2)],
      histograms: [times("orchestrix_request_duration_seconds", [1, 2], 55)],
    });
  });

  test("begins a histogram anew whose bounds have changed", () => {
    const ledger = createMetricsLedger();
    ledger.apply(batchOf("a", 1, { histograms: [times("orchestrix_request_duration_seconds", [1, 1], 5)] }), 0);
    ledger.apply(batchOf("a", 2, { histograms: [times("orchestrix_request_duration_seconds", [1, 1, 1], 9)] }), 0);
    expect(ledger.snapshot(0).histograms).toEqual([times("orchestrix_request_duration_seconds", [1, 1, 1], 9)]);
  });

  test("makes one value of the isolates' gauges, each in its way, until they have been silent too long", () => {
    const ledger = createMetricsLedger();
    const gauges = (up: number, bytes: number, open: number): MetricsBatch["gauges"] => [
      of("orchestrix_shared_state_up", up),
      of("orchestrix_cache_l1_bytes", bytes),
      of('orchestrix_breaker_open{provider="jina"}', open),
    ];
    ledger.apply(batchOf("a", 1, { gauges: gauges(0, 100, 1) }), 0);
    ledger.apply(batchOf("b", 1, { gauges: gauges(1, 30, 0) }), 1_000);
    expect(ledger.snapshot(1_000).gauges).toEqual(gauges(0, 130, 1));
    ledger.apply(batchOf("b", 2, { gauges: gauges(1, 20, 0) }), 2_000);
    expect(ledger.snapshot(GAUGE_MAX_AGE_MS).gauges).toEqual(gauges(0, 120, 1));
    expect(ledger.snapshot(GAUGE_MAX_AGE_MS + 1).gauges).toEqual(gauges(1, 20, 0));
    expect(ledger.snapshot(GAUGE_MAX_AGE_MS + 2_001).gauges).toEqual([]);
  });

  test("is bounded in series and in isolates", () => {
    const ledger = createMetricsLedger();
    for (let i = 0; i < METRICS_MAX_ISOLATES + 5; i++) {
      const own: MetricsBatch["counters"] = [of(`orchestrix_warm_total{outcome="o${i}"}`, 1)];
      ledger.apply(batchOf(`isolate-${i}`, 1, { counters: own, gauges: [of("orchestrix_cache_l1_bytes", 1)] }), 0);
    }
    const { counters: kept, gauges } = ledger.snapshot(0);
    expect(kept.length).toBe(METRICS_MAX_SERIES + 1);
    expect(kept.at(-1)).toEqual(of('orchestrix_metrics_dropped_total{reason="series_limit"}', 5));
    expect(gauges).toEqual([of("orchestrix_cache_l1_bytes", METRICS_MAX_ISOLATES)]);
    expect(ledger.stored().sequences.size).toBe(METRICS_MAX_ISOLATES);
  });
});

describe("the text", () => {
  test("names every metric, even before anything happened", () => {
    const families = parseExposition(renderMetrics({ counters: [], histograms: [], gauges: [] }));
    expect([...families.keys()]).toEqual([...METRIC_CATALOGUE.keys()]);
    for (const [name, { type, help }] of families) {
      const listed = METRIC_CATALOGUE.get(name);
      expect([type, help]).toEqual([listed?.type, listed?.help]);
      expect(name).toMatch(type === "counter" ? /_total$/ : type === "histogram" ? /_seconds$/ : /^orchestrix_/);
    }
    expect(families.get("orchestrix_cache_evictions_total")?.samples).toEqual([
      { name: "orchestrix_cache_evictions_total", labels: {}, value: 0 },
    ]);
  });

  test.each(['quo"te', "back\\slash", "new\nline", "\\n", 'a",b="c', "}{", "ü漢😀", "\ud800", "# HELP x y", ""])(
    "gives the label value %j back to who reads it",
    (value) => {
      const { metrics, take } = createMetricsBuffer({ strict: true });
      metrics.count("orchestrix_requests_total", { route: value, status: "200" }, 2);
      metrics.observe("orchestrix_request_duration_seconds", 1, { route: value });
      const text = renderMetrics({ counters: [], histograms: [], gauges: [], ...take() });
      const route = value === "" ? {} : { route: value.toWellFormed() };
      expect(sampleValue(text, "orchestrix_requests_total", { ...route, status: "200" })).toBe(2);
      expect(sampleValue(text, "orchestrix_request_duration_seconds_count", route)).toBe(1);
    },
  );

  test("cuts a label value that is none of a fixed set", () => {
    const { metrics, take } = createMetricsBuffer();
    metrics.count("orchestrix_warm_total", { outcome: "x".repeat(10_000) });
    expect(take()?.counters[0]?.series.length).toBeLessThan(200);
  });

  test("leaves out series of metrics that are no longer listed", () => {
    const text = renderMetrics({
      counters: [of("gone_total", 1)],
      histograms: [times("gone", [1], 1)],
      gauges: [of("g", 1)],
    });
    expect(text).not.toMatch(/gone|^g /m);
    parseExposition(text);
  });

  test("of everything at once is well-formed", () => {
    const { metrics, take } = createMetricsBuffer({ strict: true });
    for (const [name, { type, labels }] of METRIC_CATALOGUE) {
      for (const value of ["a", "b"]) {
        const given = Object.fromEntries(labels.map((label) => [label, value]));
        if (type === "counter") metrics.count(name, given, 1.5);
        else if (type === "histogram") metrics.observe(name, 12, given);
        else metrics.gauge(name, -0.25, given);
      }
    }
    const families = parseExposition(renderMetrics({ counters: [], histograms: [], gauges: [], ...take() }));
    for (const { samples } of families.values()) expect(samples.length).toBeGreaterThan(0);
  });
});

test("the endpoint answers in Prometheus' content type, and no cache keeps it", async () => {
  const { isolate } = setUp();
  const { metrics, read } = isolate("a");
  metrics.count("orchestrix_warm_total", WARM);
  const app = mountEndpoints([createMetricsEndpoint(read)], async () => ok(null), 0);
  const response = await new Hono<AppEnv>()
    .use(async (c, next) => {
      c.set("event", {});
      await next();
    })
    .route("/", app)
    .request("/metrics");
  expect([response.status, response.headers.get("content-type"), response.headers.get("cache-control")]).toEqual([
    200,
    "text/plain; version=0.0.4; charset=utf-8",
    "no-store",
  ]);
  expect(sampleValue(await response.text(), "orchestrix_warm_total", WARM)).toBe(1);
});
