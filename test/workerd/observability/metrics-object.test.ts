import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { createMetrics } from "../../../src/observability/metrics.ts";
import type { MetricsObject } from "../../../src/observability/metrics-object.ts";
import { renderMetrics } from "../../../src/observability/metrics-render.ts";
import {
  createDurableMetricsSink,
  type MetricsBatch,
  type MetricsSink,
} from "../../../src/observability/metrics-sink.ts";
import { parseExposition, sampleValue } from "../../support/exposition.ts";

/** An object of its own for each test. */
function newObject(): { readonly stub: DurableObjectStub<MetricsObject>; readonly sink: MetricsSink } {
  const name = crypto.randomUUID();
  const own = { getByName: () => env.METRICS.getByName(name) } as unknown as DurableObjectNamespace<MetricsObject>;
  return { stub: env.METRICS.getByName(name), sink: createDurableMetricsSink(own) };
}

const SERIES = 'orchestrix_warm_total{outcome="refreshed"}';
const WARM = { outcome: "refreshed" };

function batchOf(sequence: number, more: Partial<MetricsBatch> = {}): MetricsBatch {
  return { isolate: "a", sequence, counters: [{ series: SERIES, value: 1 }], histograms: [], gauges: [], ...more };
}

test("a batch that comes again counts once, also after the object was started anew", async () => {
  const { stub, sink } = newObject();
  await sink.flush(batchOf(1));
  await sink.flush(batchOf(1));
  await evictDurableObject(stub);
  await sink.flush(batchOf(1));
  await sink.flush(batchOf(2));
  expect((await sink.read()).counters).toEqual([{ series: SERIES, value: 2 }]);
});

test("what was read is never taken back", async () => {
  const { stub, sink } = newObject();
  for (let sequence = 1; sequence <= 50; sequence++) {
    await sink.flush(
      batchOf(sequence, { histograms: [{ series: "orchestrix_request_duration_seconds", counts: [1, 2], sumMs: 3 }] }),
    );
  }
  const shown = await sink.read();
  await evictDurableObject(stub);
  expect(await sink.read()).toEqual(shown);
});

test("gauges come back with the isolates that tell them", async () => {
  const { stub, sink } = newObject();
  await sink.flush(batchOf(1, { gauges: [{ series: "orchestrix_cache_l1_bytes", value: 5 }] }));
  expect((await sink.read()).gauges).toEqual([{ series: "orchestrix_cache_l1_bytes", value: 5 }]);
  await evictDurableObject(stub);
  expect((await sink.read()).gauges).toEqual([]);
  await sink.flush(batchOf(2, { gauges: [{ series: "orchestrix_cache_l1_bytes", value: 6 }] }));
  expect((await sink.read()).gauges).toEqual([{ series: "orchestrix_cache_l1_bytes", value: 6 }]);
});

test("a busy object writes once in a while", async () => {
  const { stub, sink } = newObject();
  for (let sequence = 1; sequence <= 20; sequence++) await sink.flush(batchOf(sequence));
  const stored = await runInDurableObject(stub, (_object, { storage }) =>
    storage.kv.get<{ readonly counters: ReadonlyMap<string, number> }>("ledger"),
  );
  expect(stored?.counters.get(SERIES)).toBe(1);
});

test("100 isolates at once: each count arrives, each once, though every third answer is lost", async () => {
  const { sink } = newObject();
  const deferred: Promise<unknown>[] = [];
  let calls = 0;
  let isFlaky = true;
  const flaky: MetricsSink = {
    read: sink.read,
    async flush(batch) {
      await sink.flush(batch);
      if (isFlaky && ++calls % 3 === 0) throw new StorageUnavailable("the answer was lost");
    },
  };
  const isolates = Array.from({ length: 100 }, (_, i) =>
    createMetrics({
      sink: flaky,
      clock: systemClock,
      isolate: `isolate-${i}`,
      flushEveryMs: 0,
      strict: true,
      defer: (_what, work) => void deferred.push(work.catch(() => {})),
    }),
  );
  for (let round = 0; round < 5; round++) {
    for (const { metrics, flushSoon } of isolates) {
      metrics.count("orchestrix_warm_total", WARM, 2);
      metrics.observe("orchestrix_search_attempt_duration_seconds", 30, { provider: "tavily" });
      metrics.gauge("orchestrix_cache_l1_entries", round + 1);
      flushSoon();
    }
    await Promise.all(deferred.splice(0));
  }
  isFlaky = false;
  await Promise.all(isolates.map(({ read }) => read()));
  const text = renderMetrics(await sink.read());
  expect(sampleValue(text, "orchestrix_warm_total", WARM)).toBe(1_000);
  expect(sampleValue(text, "orchestrix_search_attempt_duration_seconds_count", { provider: "tavily" })).toBe(500);
  expect(sampleValue(text, "orchestrix_search_attempt_duration_seconds_sum", { provider: "tavily" })).toBe(15);
  expect(sampleValue(text, "orchestrix_cache_l1_entries")).toBe(500);
  parseExposition(text);
});

test("a sink that fails is unavailable storage, with its cause", async () => {
  const failure = new Error("overloaded");
  const broken = { getByName: () => ({ flush: () => Promise.reject(failure), read: () => Promise.reject(failure) }) };
  const sink = createDurableMetricsSink(broken as unknown as DurableObjectNamespace<MetricsObject>);
  for (const call of [sink.flush(batchOf(1)), sink.read()]) {
    const error = await call.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StorageUnavailable);
    expect(error).toMatchObject({ cause: failure });
  }
});
