/** Deferred work that ends only when time has passed: it looks after leases, or hands metrics on every few seconds. */
export const WAITS_FOR_TIME: ReadonlySet<string> = new Set([
  "admission_lease",
  "flush_metrics",
  "count_runs",
  "run_trace_again",
]);
