import type { MetricLabels } from "../core/metrics.ts";
import { LABEL_VALUE_MAX_CHARS } from "./metrics-limits.ts";

/** A metric with its labels as Prometheus writes it: `name{route="GET /health"}`. One text for one series. */
export type SeriesKey = string;

/** Absent labels count as empty, which Prometheus takes for absent; labels beyond `names` are left out. */
export function formatSeries(name: string, names: readonly string[], labels: MetricLabels): SeriesKey {
  const pairs = names
    .filter((label) => labels[label] !== undefined && labels[label] !== "")
    .map((label) => `${label}="${escapeLabelValue(labels[label] ?? "")}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(",")}}`;
}

/** The parts of a key: `labels` as written between the braces, empty where there are none. */
export function splitSeries(key: SeriesKey): { readonly name: string; readonly labels: string } {
  const brace = key.indexOf("{");
  return brace === -1 ? { name: key, labels: "" } : { name: key.slice(0, brace), labels: key.slice(brace + 1, -1) };
}

function escapeLabelValue(value: string): string {
  return value
    .slice(0, LABEL_VALUE_MAX_CHARS)
    .toWellFormed()
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n");
}
