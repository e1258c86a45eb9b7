/** What bounds the metrics. */

/** How long an isolate gathers before it hands on: what an isolate that dies at once may take with it. */
export const METRICS_FLUSH_MS = 5_000;
/** A flush that has not ended this long after it was due has died with its request. */
export const METRICS_FLUSH_GRACE_MS = 10_000;
/** Asking the object for everything. A scraper gives up after ten seconds by default. */
export const METRICS_READ_TIMEOUT_MS = 3_000;
/** What a crash of the object may lose. What was shown is stored before it is shown. */
export const METRICS_WRITE_BEHIND_MS = 1_000;

/** All of them in one stored value at 300 bytes each stay below the 2 MB that one may have. */
export const METRICS_MAX_SERIES = 2_000;
/** Labels are of fixed sets; a longer value is a mistake. */
export const LABEL_VALUE_MAX_CHARS = 128;

/** Isolates whose last flush is remembered, at about 60 bytes each. The ones silent for longest are forgotten. */
export const METRICS_MAX_ISOLATES = 2_000;
/** Every flush tells an isolate's gauges again: one silent for this long has gone, or has nothing to do. */
export const GAUGE_MAX_AGE_MS = 300_000;

/** Upper bounds of a duration's buckets. An L1 hit takes one millisecond, a search's deadline is eight seconds. */
export const DURATION_BUCKETS_MS: readonly number[] = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
];
