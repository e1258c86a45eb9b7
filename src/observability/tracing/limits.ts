/** How long spans wait for others before they are sent, behind an answer. */
export const SPANS_FLUSH_MS = 1_000;
/** So many do not wait. */
export const SPANS_FLUSH_COUNT = 64;
/** Of one request: some 400 KB, where collectors take megabytes. */
export const SPANS_PER_REQUEST = 512;
/** Spans that wait in an isolate, at about a kilobyte each. */
export const SPANS_QUEUE_MAX = 2_048;

/** One request, its answer read. A collector stands near, and a request's context is kept for it. */
export const EXPORT_TIMEOUT_MS = 5_000;
/** Before the one retry, where the collector names no time. */
export const EXPORT_BACKOFF_MS = 500;
/** Of the backoff, so that isolates do not come back together. */
export const EXPORT_JITTER_SHARE = 0.5;
/** A retry waits no longer than this; a collector that wants more time gets it, without these spans. */
export const EXPORT_RETRY_MAX_MS = 5_000;
/** A collector that failed is left alone for this long, while spans wait. */
export const EXPORT_PAUSE_MS = 5_000;
/** However long a collector asks us to stay away. */
export const EXPORT_PAUSE_MAX_MS = 300_000;
/** All requests that go out behind one answer: workerd ends such work after 30 s. */
export const EXPORT_BUDGET_MS = 10_000;
/** A flush that has not ended this long after it should have has died with its request. */
export const EXPORT_GRACE_MS = 2_000;
/** An answer says how many spans were refused, and why. */
export const EXPORT_ANSWER_MAX_BYTES = 16_384;

/** Attributes are for reading in a list. */
export const ATTRIBUTE_MAX_CHARS = 500;
