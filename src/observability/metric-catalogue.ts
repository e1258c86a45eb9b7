/**
 * One metric that may be counted. Labels are written in this order. Histograms are of durations: observed in
 * milliseconds, shown in seconds. Of a gauge every isolate has its own value: `across` makes one of them.
 */
export type MetricDefinition =
  | { readonly type: "counter" | "histogram"; readonly help: string; readonly labels: readonly string[] }
  | {
      readonly type: "gauge";
      readonly help: string;
      readonly labels: readonly string[];
      readonly across: "sum" | "max" | "min";
    };

/** Tells of the metrics themselves. */
export const DROPPED_METRIC = "orchestrix_metrics_dropped_total";

/** Every metric there is. A Map, so that a name such as `constructor` is unknown. */
export const METRIC_CATALOGUE: ReadonlyMap<string, MetricDefinition> = new Map<string, MetricDefinition>([
  [
    "orchestrix_requests_total",
    { type: "counter", help: "Requests answered, by route and HTTP status.", labels: ["route", "status"] },
  ],
  [
    "orchestrix_request_duration_seconds",
    { type: "histogram", help: "Time from a request's arrival to its answer.", labels: ["route"] },
  ],
  [
    "orchestrix_admissions_total",
    {
      type: "counter",
      help: "Rate-limit decisions, and who made them: the isolate's memory, the shared limiter, or the isolate alone.",
      labels: ["outcome", "source"],
    },
  ],
  [
    "orchestrix_shared_state_failures_total",
    { type: "counter", help: "Times the shared state did not answer as it should.", labels: ["reason"] },
  ],
  [
    "orchestrix_shared_state_up",
    {
      type: "gauge",
      help: "0 while any isolate gets no answer from the shared state.",
      labels: [],
      across: "min",
    },
  ],
  [
    "orchestrix_search_total",
    { type: "counter", help: "Searches, by what the caches did for them.", labels: ["cache"] },
  ],
  [
    "orchestrix_search_attempts_total",
    {
      type: "counter",
      help: "Attempts at providers and skips of them, with the reason.",
      labels: ["provider", "outcome", "reason"],
    },
  ],
  [
    "orchestrix_search_attempt_duration_seconds",
    { type: "histogram", help: "How long attempts at a provider took.", labels: ["provider"] },
  ],
  [
    "orchestrix_breaker_open",
    {
      type: "gauge",
      help: "1 while a provider's circuit is open in any isolate.",
      labels: ["provider"],
      across: "max",
    },
  ],
  [
    "orchestrix_search_refreshes_total",
    { type: "counter", help: "Stale answers refreshed in the background.", labels: ["outcome"] },
  ],
  [
    "orchestrix_search_follows_total",
    { type: "counter", help: "Waits for another isolate's answer that came to nothing.", labels: ["outcome"] },
  ],
  [
    "orchestrix_cache_evictions_total",
    { type: "counter", help: "Entries of the isolates' caches that others displaced.", labels: [] },
  ],
  [
    "orchestrix_cache_l1_bytes",
    {
      type: "gauge",
      help: "Bytes in the caches of all isolates heard of lately.",
      labels: [],
      across: "sum",
    },
  ],
  [
    "orchestrix_cache_l1_entries",
    {
      type: "gauge",
      help: "Entries in the caches of all isolates heard of lately.",
      labels: [],
      across: "sum",
    },
  ],
  [
    "orchestrix_warm_total",
    { type: "counter", help: "Popular searches considered for warming, by what became of them.", labels: ["outcome"] },
  ],
  ["orchestrix_deploys_total", { type: "counter", help: "Deploys, by outcome.", labels: ["outcome"] }],
  ["orchestrix_runs_total", { type: "counter", help: "Runs of agents' graphs, by outcome.", labels: ["outcome"] }],
  [
    "orchestrix_runs_untraced_total",
    { type: "counter", help: "Runs that were counted and whose traces were not kept: too many at once.", labels: [] },
  ],
  [
    "orchestrix_spans_dropped_total",
    { type: "counter", help: "Spans of runs that were not exported, by reason.", labels: ["reason"] },
  ],
  [
    DROPPED_METRIC,
    {
      type: "counter",
      help: "What was not counted: a metric that is not listed, a value that is none, one series too many.",
      labels: ["reason"],
    },
  ],
]);
