import type { MetricLabels, Metrics } from "../core/metrics.ts";
import { DROPPED_METRIC, METRIC_CATALOGUE, type MetricDefinition } from "./metric-catalogue.ts";
import { DURATION_BUCKETS_MS, METRICS_MAX_SERIES } from "./metrics-limits.ts";
import { formatSeries, type SeriesKey } from "./metrics-series.ts";
import type { MetricsBatch, Sample } from "./metrics-sink.ts";

export type MetricsContents = Pick<MetricsBatch, "counters" | "histograms" | "gauges">;

export interface MetricsBuffer {
  readonly metrics: Metrics;
  /** Whether anything was counted since the last `take`. */
  hasNews(): boolean;
  /** What was counted since, which is then counted as taken; null where nothing was. */
  take(): MetricsContents | null;
}

/** One series of this isolate. Cells stay when they are emptied, so that counting again allocates nothing. */
interface Cell {
  readonly series: SeriesKey;
  /** What a counter gained, a histogram's sum in milliseconds, or a gauge's value. */
  value: number;
  /** Of a histogram; empty for the others. */
  counts: number[];
  /** Stands in the list of what is to be taken. */
  changed: boolean;
}

/** A metric's cells by their labels' values, one level for each label. */
type Level = Map<string, Level | Cell>;

interface Metric {
  readonly name: string;
  readonly definition: MetricDefinition;
  readonly cells: Level;
}

type Misuse = "unlisted" | "invalid_value" | "series_limit";

const NO_LABELS: MetricLabels = {};

/**
 * One isolate's counts. A series is found by its labels' values, without a text being made of them. `strict` is for
 * tests: what is not listed, and a label that is missing or too many, then throws; otherwise it is dropped and counted.
 */
export function createMetricsBuffer(options: { readonly strict?: boolean } = {}): MetricsBuffer {
  const { strict = false } = options;
  const metrics = new Map<string, Metric>(
    Array.from(METRIC_CATALOGUE, ([name, definition]) => [name, { name, definition, cells: new Map() }]),
  );
  const gauges: Cell[] = [];
  let changed: Cell[] = [];
  let changedHistograms: Cell[] = [];
  let gaugesChanged = false;
  let series = 0;

  function find(name: string, type: MetricDefinition["type"], labels: MetricLabels): Cell | null {
    const metric = metrics.get(name);
    if (metric === undefined || metric.definition.type !== type) return misused("unlisted", `no ${type} ${name}`);
    const { labels: names } = metric.definition;
    if (strict) checkLabels(name, names, labels);
    let level = metric.cells;
    for (let i = 0; i < names.length - 1; i++) {
      const value = labels[names[i] ?? ""] ?? "";
      const next = level.get(value);
      // Cells stand on the last level alone.
      if (next instanceof Map) level = next;
      else {
        const made: Level = new Map();
        level.set(value, made);
        level = made;
      }
    }
    const last = labels[names.at(-1) ?? ""] ?? "";
    const cell = level.get(last);
    if (cell !== undefined && !(cell instanceof Map)) return cell;
    return addCell(metric, level, last, labels);
  }

  function addCell({ name, definition }: Metric, level: Level, last: string, labels: MetricLabels): Cell | null {
    if (series >= METRICS_MAX_SERIES && name !== DROPPED_METRIC) {
      return misused("series_limit", `more than ${METRICS_MAX_SERIES} series`);
    }
    series++;
    const made: Cell = {
      series: formatSeries(name, definition.labels, labels),
      value: 0,
      counts: definition.type === "histogram" ? noCounts() : [],
      changed: false,
    };
    level.set(last, made);
    if (definition.type === "gauge") gauges.push(made);
    return made;
  }

  function misused(reason: Misuse, what: string): null {
    if (strict) throw new TypeError(`metrics: ${what}`);
    count(DROPPED_METRIC, { reason });
    return null;
  }

  function count(name: string, labels: MetricLabels = NO_LABELS, by = 1): void {
    if (!(by >= 0 && by < Number.POSITIVE_INFINITY)) {
      misused("invalid_value", `${name} cannot be raised by ${by}`);
      return;
    }
    const cell = find(name, "counter", labels);
    if (cell === null) return;
    cell.value += by;
    if (cell.changed || by === 0) return;
    cell.changed = true;
    changed.push(cell);
  }

  function observe(name: string, milliseconds: number, labels: MetricLabels = NO_LABELS): void {
    if (!Number.isFinite(milliseconds)) {
      misused("invalid_value", `${name} cannot be ${milliseconds}`);
      return;
    }
    const cell = find(name, "histogram", labels);
    if (cell === null) return;
    // A clock that was put back must not make a sum smaller.
    const ms = Math.max(0, milliseconds);
    const bucket = bucketOf(ms);
    cell.counts[bucket] = (cell.counts[bucket] ?? 0) + 1;
    cell.value += ms;
    if (cell.changed) return;
    cell.changed = true;
    changedHistograms.push(cell);
  }

  function gauge(name: string, value: number, labels: MetricLabels = NO_LABELS): void {
    if (!Number.isFinite(value)) {
      misused("invalid_value", `${name} cannot be ${value}`);
      return;
    }
    const cell = find(name, "gauge", labels);
    if (cell === null || (cell.changed && cell.value === value)) return;
    cell.changed = true;
    cell.value = value;
    gaugesChanged = true;
  }

  const hasNews = () => gaugesChanged || changed.length > 0 || changedHistograms.length > 0;

  return {
    metrics: { count, observe, gauge },
    hasNews,
    take() {
      if (!hasNews()) return null;
      const contents: MetricsContents = {
        counters: changed.map(toSample),
        histograms: changedHistograms.map(({ series, counts, value: sumMs }) => ({ series, counts, sumMs })),
        gauges: gauges.map(toSample),
      };
      for (const cell of changed) empty(cell);
      for (const cell of changedHistograms) {
        empty(cell);
        cell.counts = noCounts();
      }
      changed = [];
      changedHistograms = [];
      gaugesChanged = false;
      return contents;
    },
  };
}

/** The first bucket whose bound is not below the duration; the one after the last bound for longer ones. */
export function bucketOf(ms: number): number {
  let bucket = 0;
  while (bucket < DURATION_BUCKETS_MS.length && ms > (DURATION_BUCKETS_MS[bucket] ?? 0)) bucket++;
  return bucket;
}

function noCounts(): number[] {
  return new Array<number>(DURATION_BUCKETS_MS.length + 1).fill(0);
}

function toSample({ series, value }: Cell): Sample {
  return { series, value };
}

function empty(cell: Cell): void {
  cell.value = 0;
  cell.changed = false;
}

function checkLabels(name: string, names: readonly string[], labels: MetricLabels): void {
  const given = Object.keys(labels);
  if (given.length === names.length && names.every((label) => typeof labels[label] === "string")) return;
  throw new TypeError(`metrics: ${name} has the labels ${names.join(", ") || "(none)"}, not ${given.join(", ")}`);
}
