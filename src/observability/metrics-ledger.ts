import { DROPPED_METRIC, METRIC_CATALOGUE } from "./metric-catalogue.ts";
import { GAUGE_MAX_AGE_MS, METRICS_MAX_ISOLATES, METRICS_MAX_SERIES } from "./metrics-limits.ts";
import { formatSeries, type SeriesKey, splitSeries } from "./metrics-series.ts";
import type { HistogramSample, MetricsBatch, MetricsSnapshot, Sample } from "./metrics-sink.ts";

/**
 * What is stored of a ledger. Totals and last sequences belong together: stored apart, a batch could be lost or count
 * twice. Gauges are not stored, since every isolate tells its own again with its next batch.
 */
export interface StoredLedger {
  readonly counters: ReadonlyMap<SeriesKey, number>;
  readonly histograms: ReadonlyMap<SeriesKey, { readonly counts: readonly number[]; readonly sumMs: number }>;
  /** The last batch of each isolate, the isolate silent for longest first. */
  readonly sequences: ReadonlyMap<string, number>;
}

export interface MetricsLedger {
  /** Adds the batch; false where it was added already. */
  apply(batch: MetricsBatch, nowMs: number): boolean;
  snapshot(nowMs: number): MetricsSnapshot;
  /** Not to be changed, and good until the next `apply`. */
  stored(): StoredLedger;
}

interface Gauges {
  readonly toldAtMs: number;
  readonly values: MetricsBatch["gauges"];
}

const OVERFLOW = formatSeries(DROPPED_METRIC, ["reason"], { reason: "series_limit" });

/** The totals of all isolates, bounded in series and isolates. */
export function createMetricsLedger(kept?: StoredLedger): MetricsLedger {
  const counters = new Map(kept?.counters);
  const histograms = new Map(kept?.histograms);
  const sequences = new Map(kept?.sequences);
  const gauges = new Map<string, Gauges>();

  function mayAdd(): boolean {
    if (counters.size + histograms.size < METRICS_MAX_SERIES) return true;
    counters.set(OVERFLOW, (counters.get(OVERFLOW) ?? 0) + 1);
    return false;
  }

  function addToCounter({ series, value }: Sample): void {
    const total = counters.get(series);
    if (total !== undefined || mayAdd()) counters.set(series, (total ?? 0) + value);
  }

  function addToHistogram({ series, counts, sumMs }: HistogramSample): void {
    const total = histograms.get(series);
    if (total === undefined && !mayAdd()) return;
    // Other bounds than before: counts of both cannot be added up, so the series begins anew.
    const fits = total !== undefined && total.counts.length === counts.length;
    histograms.set(
      series,
      fits
        ? { counts: counts.map((count, i) => count + (total.counts[i] ?? 0)), sumMs: sumMs + total.sumMs }
        : { counts, sumMs },
    );
  }

  return {
    apply({ isolate, sequence, ...batch }, nowMs) {
      const last = sequences.get(isolate) ?? 0;
      if (sequence <= last) return false;
      remember(sequences, isolate, sequence);
      batch.counters.forEach(addToCounter);
      batch.histograms.forEach(addToHistogram);
      remember(gauges, isolate, { toldAtMs: nowMs, values: batch.gauges });
      return true;
    },
    snapshot(nowMs) {
      for (const [isolate, { toldAtMs }] of gauges) if (nowMs - toldAtMs > GAUGE_MAX_AGE_MS) gauges.delete(isolate);
      return {
        counters: toSamples(counters),
        histograms: Array.from(histograms, ([series, total]) => ({ series, ...total })),
        gauges: toSamples(unite(gauges.values())),
      };
    },
    stored: () => ({ counters, histograms, sequences }),
  };
}

function toSamples(values: ReadonlyMap<SeriesKey, number>): Sample[] {
  return Array.from(values, ([series, value]) => ({ series, value }));
}

/** Puts the isolate last, and forgets the one silent for longest where there are too many. */
function remember<T>(isolates: Map<string, T>, isolate: string, value: T): void {
  isolates.delete(isolate);
  isolates.set(isolate, value);
  const oldest = isolates.size > METRICS_MAX_ISOLATES ? isolates.keys().next() : undefined;
  if (oldest !== undefined && !oldest.done) isolates.delete(oldest.value);
}

function unite(isolates: Iterable<Gauges>): Map<SeriesKey, number> {
  const united = new Map<SeriesKey, number>();
  for (const { values } of isolates) {
    for (const { series, value } of values) {
      const before = united.get(series);
      if (before !== undefined) united.set(series, join(series, before, value));
      else if (united.size < METRICS_MAX_SERIES) united.set(series, value);
    }
  }
  return united;
}

function join(series: SeriesKey, a: number, b: number): number {
  const definition = METRIC_CATALOGUE.get(splitSeries(series).name);
  switch (definition?.type === "gauge" ? definition.across : undefined) {
    case "sum":
      return a + b;
    case "min":
      return Math.min(a, b);
    default:
      return Math.max(a, b);
  }
}
