import { StorageUnavailable } from "../core/errors.ts";
import type { MetricsObject } from "./metrics-object.ts";
import type { SeriesKey } from "./metrics-series.ts";

/** What one isolate counted since its last batch. */
export interface MetricsBatch {
  /** Tells isolates apart, and nothing else. */
  readonly isolate: string;
  /** From 1 upwards. The same batch may come any number of times, and counts once. */
  readonly sequence: number;
  /** What each gained. */
  readonly counters: readonly Sample[];
  readonly histograms: readonly HistogramSample[];
  /** All that the isolate has, changed or not. */
  readonly gauges: readonly Sample[];
}

export interface Sample {
  readonly series: SeriesKey;
  readonly value: number;
}

/** `counts` by bucket, not cumulative, the last one for what lies above every bound. */
export interface HistogramSample {
  readonly series: SeriesKey;
  readonly counts: readonly number[];
  readonly sumMs: number;
}

/** Everything counted so far by all isolates; the gauges already made one. */
export interface MetricsSnapshot {
  readonly counters: readonly Sample[];
  readonly histograms: readonly HistogramSample[];
  readonly gauges: readonly Sample[];
}

/** Where the isolates' metrics come together. Throws `StorageUnavailable` where it does not answer. */
export interface MetricsSink {
  flush(batch: MetricsBatch): Promise<void>;
  /** What is given out here is never taken back, whatever crashes. */
  read(): Promise<MetricsSnapshot>;
}

/** All isolates hand on to one object. The stub is made per call: it must not outlive its request. */
export function createDurableMetricsSink(namespace: DurableObjectNamespace<MetricsObject>): MetricsSink {
  const ask = async <T>(call: (stub: DurableObjectStub<MetricsObject>) => Promise<T>): Promise<T> => {
    try {
      return await call(namespace.getByName("metrics"));
    } catch (cause) {
      throw new StorageUnavailable("the metrics object does not answer", { cause });
    }
  };
  return {
    flush: (batch) => ask((stub) => stub.flush(batch)),
    read: () => ask<MetricsSnapshot>((stub) => stub.read()),
  };
}
