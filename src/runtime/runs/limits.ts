import { RUN_TIMEOUT_MS } from "../../config/limits.ts";

/**
 * The steps of one kept trace as JSON; as text inside a document they take up to twice as much. A graph's trace is a
 * tenth of it; one of a hundred steps with long values loses some of them.
 */
export const TRACE_STEPS_MAX_BYTES = 131_072;
/** What stays of a value that was cut: enough to know it again. */
export const TRACE_CUT_VALUE_CHARS = 60;
/** What stays of an error where values alone are not enough. */
export const TRACE_CUT_ERROR_CHARS = 100;

/** Runs of this isolate that are known to be journalled, at about 100 bytes each: as many as run at once, and more. */
export const JOURNALLED_MAX_ENTRIES = 1_000;

/** Traces read at once. At their largest they stay within what the store answers at once. */
export const RUN_BATCH = 50;
/** Read and removed at once by one pruning, which comes with one run in 32: more, so that a backlog shrinks. */
export const PRUNE_RUNS = 50;
/** Prunings of one agent in one clean-up: ten times as many runs as can be too many in quiet times. */
export const CLEAN_UP_MAX_PRUNINGS = 10;

/** A run that still runs this long after it may is dead: its end is recorded behind its answer, and clocks differ. */
export const RUN_END_GRACE_MS = 30_000;
export const RUN_DEAD_AFTER_MS = RUN_TIMEOUT_MS + RUN_END_GRACE_MS;

/** Shown first to who follows runs without saying from where: a screenful. */
export const RUN_STREAM_INITIAL_RUNS = 20;
/** How often followed runs are read: as fast as people notice. */
export const RUN_STREAM_POLL_MS = 1_000;
/** A look at what began lately finds most; every so often all that may still change is looked at. */
export const RUN_STREAM_THOROUGH_MS = 5_000;
/** What such a look goes back: most runs take less, clocks differ by less. */
export const RUN_STREAM_RECENT_MS = 8_000;
/** A run that began longer ago no longer changes. The time that isolates' clocks differ by, and a read, are in it. */
export const RUN_STREAM_WINDOW_MS = RUN_DEAD_AFTER_MS + 15_000;
/** Read at once of what may have changed, at about 100 bytes each: as many as a stream remembers. */
export const RUN_STREAM_PAGE_HEADS = 200;
/** Traces are large: a page of those that are to be sent stays within two megabytes, whatever is in them. */
export const RUN_STREAM_PAGE_RUNS = 10;
/** Ended runs that an isolate keeps as text for its streams: two screenfuls of the longest traces, of 128 MB. */
export const RUN_TEXTS_MAX_CHARS = 8_388_608;
/** How often a stream looks whether it is its turn to read traces. */
export const RUN_TEXTS_TURN_MS = 20;
/** Whoever reads one page for longer has been cut off, or has a store that does not answer. */
export const RUN_TEXTS_TURN_MAX_MS = 2_000;
/** Runs that a stream remembers to have sent. Of an agent that is busier, what changes late is not seen. */
export const RUN_STREAM_REMEMBERED_RUNS = 200;
/** Proxies cut what is silent for 30 to 60 s; and that a client has gone shows in workerd only when it is written to. */
export const RUN_STREAM_HEARTBEAT_MS = 5_000;
/** How soon a client comes back after a stream has ended. */
export const RUN_STREAM_RETRY_MS = 2_000;
export const RUN_STREAM_MAX_MS = 240_000;
/** Two calls each: within the thousand that a request of a Worker may make, with those that end dead runs. */
export const RUN_STREAM_MAX_READS = 450;
/** A revoked key ends within 30 s everywhere (the HTTP contract); isolates remember a key for 20 s of them. */
export const RUN_STREAM_RECHECK_MS = 8_000;

/** Traces that an isolate keeps in any case, of good runs and of others: what somebody does who tries something out. */
export const TRACES_AT_ONCE = 30;
/** Then one in this time of each: twenty a second, at some 3 ms of work. */
export const TRACE_EVERY_MS = 50;
/** An isolate that ended more runs than this in the last second is busy, and keeps fewer: who would read them all? */
export const BUSY_RUNS_PER_SECOND = 200;
export const BUSY_TRACE_EVERY_MS = 500;
/** How long an answer waits for a store that is to take the end of a run which changed something. */
export const END_WAIT_MS = 2_000;
/** Pauses before the end of a run is written again to a store that did not answer: within what a Worker has behind it. */
export const RECORD_PAUSES_MS = [250, 1_000, 4_000] as const;
/** Agents whose runs wait to be counted, at some 200 bytes each. */
export const POOLED_KEEPERS_MAX = 10_000;
/** So many are counted in each of these times: the runs of a thousand busy agents are counted every 25 seconds. */
export const COUNTS_AT_ONCE = 10;
export const COUNT_EVERY_MS = 250;
/** Less than the platform lets work go on behind an answer. */
export const COUNTING_MAX_MS = 25_000;
