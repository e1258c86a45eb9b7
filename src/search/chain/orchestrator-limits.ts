/** What bounds the repeats of a provider's turn. */

/** Full jitter: a repeat waits from nothing up to this, doubled with each one. Blips of a gateway pass in less. */
export const RETRY_BACKOFF_MS = 100;

/** A time-out counts against a provider where it had at least this part of an attempt's own limit. */
export const FAIR_SLICE_PART = 0.5;
