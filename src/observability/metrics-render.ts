import { METRIC_CATALOGUE, type MetricDefinition } from "./metric-catalogue.ts";
import { DURATION_BUCKETS_MS } from "./metrics-limits.ts";
import { splitSeries } from "./metrics-series.ts";
import type { HistogramSample, MetricsSnapshot } from "./metrics-sink.ts";

export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const MS_PER_SECOND = 1_000;

/**
 * Prometheus' text format, 0.0.4. Every metric of the catalogue is named; a counter without labels that never counted
 * stands at 0, so that its first increment shows as one. Series of metrics that are no longer listed are left out.
 */
export function renderMetrics(snapshot: MetricsSnapshot): string {
  const samples = new Map<string, string[]>(Array.from(METRIC_CATALOGUE.keys(), (name) => [name, []]));
  for (const { series, value } of [...snapshot.counters, ...snapshot.gauges]) {
    samples.get(splitSeries(series).name)?.push(`${series} ${value}`);
  }
  for (const histogram of snapshot.histograms) {
    samples.get(splitSeries(histogram.series).name)?.push(renderHistogram(histogram));
  }
  return Array.from(METRIC_CATALOGUE, ([name, definition]) => {
    return renderFamily(name, definition, samples.get(name) ?? []);
  }).join("");
}

function renderFamily(name: string, { type, help, labels }: MetricDefinition, samples: readonly string[]): string {
  const never = type === "counter" && labels.length === 0 && samples.length === 0 ? [`${name} 0`] : [];
  const escaped = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  const lines = [`# HELP ${name} ${escaped}`, `# TYPE ${name} ${type}`, ...[...samples].sort(), ...never];
  return `${lines.join("\n")}\n`;
}

function renderHistogram({ series, counts, sumMs }: HistogramSample): string {
  const { name, labels } = splitSeries(series);
  const with_ = (label: string) => `{${labels === "" ? label : `${labels},${label}`}}`;
  const own = labels === "" ? "" : `{${labels}}`;
  let total = 0;
  const lines = counts.map((count, bucket) => {
    total += count;
    const bound = DURATION_BUCKETS_MS[bucket];
    const le = bound === undefined ? "+Inf" : String(bound / MS_PER_SECOND);
    return `${name}_bucket${with_(`le="${le}"`)} ${total}`;
  });
  lines.push(`${name}_sum${own} ${sumMs / MS_PER_SECOND}`, `${name}_count${own} ${total}`);
  return lines.join("\n");
}
