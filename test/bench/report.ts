import { cpus } from "node:os";
import type { Goal } from "./goals.ts";
import type { Group } from "./groups.ts";
import { type CaseResult, ratioOf } from "./rounds.ts";

const BYTES_PER_MIB = 1_048_576;
/** What an idle system's services use. */
const QUIET_CORES = 0.1;

export interface MeasuredGroup extends Pick<Group, "title" | "baseline" | "direct" | "notes"> {
  readonly results: readonly CaseResult[];
  /** How many cores other programs kept busy meanwhile; null where the system does not tell. */
  readonly othersCores: number | null;
}

export interface Report {
  readonly connections: number;
  readonly upstreamLatencyMs: number;
  readonly groups: readonly MeasuredGroup[];
  readonly goals: readonly Goal[];
}

/** For machines: the figures as they are, with the ratios and the overhead worked out. */
export function toJson({ groups, ...report }: Report): unknown {
  return {
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version },
    ...report,
    groups: groups.map(({ results, ...group }) => ({
      ...group,
      results: results.map((result) => ({ ...result, ...comparisons(result, { ...group, results }) })),
    })),
  };
}

function comparisons(result: CaseResult, { results, baseline, direct }: MeasuredGroup) {
  const base = results.find((each) => each.id === baseline);
  const upstream = results.find((each) => each.id === direct);
  return {
    ratio: base === undefined ? null : ratioOf(result, base),
    cpuRatio: cpuRatioOf(result, base),
    overheadMs:
      upstream === undefined ? null : { p50: result.p50Ms - upstream.p50Ms, p99: result.p99Ms - upstream.p99Ms },
  };
}

/** As the ratio of the rates is when nothing but the subject's CPU time limits them: 0.5 is twice the time. */
function cpuRatioOf(result: CaseResult, base: CaseResult | undefined): number | null {
  const [own, others] = [result.cpuUsPerRequest, base?.cpuUsPerRequest ?? null];
  return own === null || others === null ? null : others / own;
}

/** For people. */
export function toText({ connections, upstreamLatencyMs, groups, goals }: Report): string {
  const head = `${connections} connections; the fixed latency is ${upstreamLatencyMs} ms; rates are medians of the rounds.`;
  const blocks = groups.map((group) => {
    const rows = [headings(group), ...group.results.map((result) => cells(result, group))];
    return [
      `${group.title}`,
      ...alignRows(rows).map((row) => `  ${row}`),
      ...notesOn(group).map((note) => `  ${note}`),
    ];
  });
  const verdicts = alignRows(
    goals.map(({ text, found, reached }) => [text, found, reached ? "yes" : "NO"]),
    2,
  );
  return [
    head,
    ...blocks.map((lines) => lines.join("\n")),
    ["Goals", ...verdicts.map((row) => `  ${row}`)].join("\n"),
  ].join("\n\n");
}

function notesOn({ notes, othersCores }: MeasuredGroup): readonly string[] {
  if (othersCores === null || othersCores < QUIET_CORES) return notes;
  const busy = `${othersCores.toFixed(1)} of ${cpus().length} cores`;
  return [...notes, `Other programs kept ${busy} busy meanwhile: rates and latencies say little, CPU times more.`];
}

function headings({ direct }: MeasuredGroup): readonly string[] {
  const overhead = direct === undefined ? [] : ["+p50 ms", "+p99 ms"];
  return [
    "",
    "req/s",
    "ratio (min–max)",
    "p50 ms",
    "p90 ms",
    "p99 ms",
    "max ms",
    ...overhead,
    "CPU µs",
    "CPU ratio",
    "RSS MiB",
    "upstream",
    "Redis",
    "unexpected",
  ];
}

function cells(result: CaseResult, group: MeasuredGroup): readonly string[] {
  const { ratio, cpuRatio, overheadMs } = comparisons(result, group);
  const { p50Ms, p90Ms, p99Ms, maxMs, cpuUsPerRequest, rssBytes, upstreamPerRequest, storePerRequest, unexpected } =
    result;
  const odd = Object.entries(unexpected).map(([status, count]) => `${count} × ${status}`);
  return [
    result.name,
    result.requestsPerSecond.toFixed(0),
    ratio === null ? "–" : `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`,
    ...[p50Ms, p90Ms, p99Ms, maxMs].map((ms) => ms.toFixed(2)),
    ...(overheadMs === null ? [] : [overheadMs.p50.toFixed(2), overheadMs.p99.toFixed(2)]),
    cpuUsPerRequest === null ? "–" : cpuUsPerRequest.toFixed(0),
    cpuRatio === null ? "–" : cpuRatio.toFixed(2),
    rssBytes === null ? "–" : (rssBytes / BYTES_PER_MIB).toFixed(0),
    upstreamPerRequest.toFixed(2),
    storePerRequest === null ? "–" : storePerRequest.toFixed(2),
    odd.join(", ") || "0",
  ];
}

/** The first column to the left, the others, from `leftColumns` on, to the right. */
function alignRows(rows: readonly (readonly string[])[], leftColumns = 1): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i < leftColumns ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
