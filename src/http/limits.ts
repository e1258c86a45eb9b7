/** The HTTP contract: the longest `Idempotency-Key`. */
export const IDEMPOTENCY_KEY_MAX_CHARS = 255;

/** The HTTP contract: how long a key stands for its first request. */
export const IDEMPOTENCY_KEPT_MS = 24 * 3_600_000;

/**
 * A request that has not ended after this has died with its isolate. Longer than the slowest operation (a deploy to a
 * target that takes the 60 s that can be configured), its saves, and half a minute between two isolates' clocks.
 */
export const IDEMPOTENCY_LEASE_MS = 120_000;

/** How soon to ask again while the first request runs; most deploys end within it. */
export const IDEMPOTENCY_RETRY_SECONDS = 2;

/**
 * Of an answer that is kept: a server's record at the default body limit, its schema told twice, and half as much again.
 * JSON in JSON is twice as long at most: within a store's row.
 */
export const IDEMPOTENCY_ANSWER_MAX_BYTES = 900_000;

/**
 * What this Worker sends to itself was bounded when it came in, and is a stored document, the schema told twice: above
 * two of the largest that any store takes (16 MiB).
 */
export const OWN_BODY_MAX_BYTES = 33_554_432;

/** Inputs of hot questions that an isolate remembers parsed: 512 × 2 KB at most, for each such route. */
export const INPUT_MEMO_MAX_ENTRIES = 512;
export const INPUT_MEMO_MAX_CHARS = 1_024;

/** Faults of a body's text that an answer lists: enough to find their source by, where every text of a body may be one. */
export const TEXT_FAULTS_MAX = 20;

/** Streams that one key, or one address, follows at once: the tabs of a team's dashboards, and some scripts. */
export const STREAMS_PER_CALLER_MAX = 20;
/** Streams of an isolate, each with a read of the store every second and up to ten megabytes while it sends long traces. */
export const STREAMS_PER_ISOLATE_MAX = 50;
/** How often an open stream says that it lives. */
export const STREAM_PLACE_RENEW_MS = 5_000;
/** Several of those: a stream of which nothing is heard for so long is gone. */
export const STREAM_PLACE_LEASE_MS = 20_000;
/** That a client has gone shows within two heartbeats of its stream, of 5 s each. */
export const STREAMS_FULL_RETRY_SECONDS = 10;
