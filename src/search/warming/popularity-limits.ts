/** What bounds the counting of popular queries. */

/** Nothing is kept or listed of a query that fewer asked. */
export const POPULARITY_MIN_CALLERS = 3;

/** Of one isolate between two flushes, at about 1 KB each. What is new beyond that waits for the flush. */
export const POPULARITY_BUFFER_MAX_KEYS = 1_000;
/** Seldom enough that one object serves hundreds of isolates; what an isolate that ends can lose. */
export const POPULARITY_FLUSH_MS = 30_000;
/** A batch that was never taken in is then given up. Far below the time for which the book knows its isolates. */
export const POPULARITY_UNSENT_MAX_MS = 3_600_000;
/** 128 bits: no two isolates have the same name. */
export const ISOLATE_NAME_BYTES = 16;

/** What was asked in the morning counts a quarter in the evening. */
export const POPULARITY_HALF_LIFE_MS = 21_600_000;
/** Asked once, this is reached after four half-lives: a day. */
export const POPULARITY_FORGET_BELOW = 1 / 16;
/** Five times what can be asked for (`WARM_TOP_QUERIES`). The least popular go first. */
export const POPULARITY_LISTED_MAX_ROWS = 1_000;
/** Bounded by themselves, so that a flood of queries that nobody else asks drives out none that is listed. */
export const POPULARITY_WAITING_MAX_ROWS = 4_000;
/** The part that goes when there are too many: counting them all then pays for a while. */
export const POPULARITY_ROOM_MADE = 0.05;

/** So long can a caller be recognised at all: then the salt goes, and what fewer than three asked goes with it. */
export const POPULARITY_SALT_LIFE_MS = 86_400_000;
/** As long as the output of HMAC-SHA256's hash. */
export const POPULARITY_SALT_BYTES = 32;
