/** A row of a SQLite-backed Durable Object holds 2 MB at most: body, id and collection together, as UTF-8. */
export const DOCUMENT_ROW_MAX_BYTES = 2_000_000;

/** MongoDB's own bound on nesting: deeper documents would be stored here and refused there. */
export const DOCUMENT_MAX_DEPTH = 100;

/**
 * What one operation may do in this process, in steps of some 100 ns: a value looked at, or so many characters read or
 * compared. It runs in one go, for about a second at most, while others wait; a scan of some 100,000 small documents fits.
 */
export const WORK_MAX_STEPS = 10_000_000;
export const CHARS_PER_STEP = 8;

/** Steps of a document read, and of one written or deleted, beside those of its text: a few statements. */
export const READ_STEPS = 30;
export const WRITE_STEPS = 300;

/** Documents removed in one go, and the steps after which it ends: others are served between two. */
export const REMOVE_MAX_DOCUMENTS = 5_000;
export const REMOVE_MAX_STEPS = 2_500_000;

/** Values of unique fields that a document takes: each is a row, looked up and written. */
export const UNIQUE_VALUES_MAX = 10_000;
/** Steps of such a row. */
export const UNIQUE_VALUE_STEPS = 50;

/** An answer crosses a Durable Object's boundary in one message of 32 MiB at most, at up to two bytes a character. */
export const FIND_MAX_CHARS = 15_000_000;

/** An update writes at most this many places behind an array's end: the gap is filled with nulls, in memory. */
export const ARRAY_PADDING_MAX = 1_000;

/** A statement takes 100 bound values; each narrowing condition binds three at most. */
export const NARROWING_MAX_CONDITIONS = 25;

/** Sorting holds this many documents beyond what was asked for before it drops the worst. */
export const SORT_SLACK_DOCUMENTS = 1_000;

/** How long a writer may hold a lock on a unique value: well above the time that its few commands can take. */
export const LOCK_LEASE_MS = 60_000;

/** How long a writer waits for another's lock: several writes' time, and little of a caller's patience. */
export const LOCK_WAIT_MS = 5_000;

/** Between two looks at a lock that another holds, doubling. */
export const LOCK_POLL_MIN_MS = 5;
export const LOCK_POLL_MAX_MS = 40;

/** Each unique value of a document is a lock of its own, taken one by one. */
export const LOCKS_MAX_AT_ONCE = 100;

/** How long what is known of a collection's unique fields is believed; another Worker may have declared one. */
export const UNIQUE_FIELDS_CACHE_MS = 5_000;

/** Collections whose unique fields are remembered at once. */
export const UNIQUE_FIELDS_CACHE_MAX = 1_000;

/** Making a field unique without an index reads the whole collection: more than this takes an index, made by hand. */
export const DECLARE_MAX_DOCUMENTS = 100_000;

/** Documents read at once where a whole collection is walked. */
export const WALK_PAGE_DOCUMENTS = 500;

/** How often a write starts again because its document changed under it. */
export const WRITE_MAX_ATTEMPTS = 20;

/** One command of the driver, the wait for a server and a socket included. */
export const DRIVER_OPERATION_TIMEOUT_MS = 8_000;

/** One operation of the driver's object, which is several commands where uniqueness is guarded. */
export const DRIVER_CALL_TIMEOUT_MS = 15_000;

/** Each is one thread, with a pool of its own: two serve far more than one Worker asks, and one may be busy. */
export const DRIVER_OBJECTS = 2;

export const DRIVER_OPTIONS = {
  appName: "orchestrix",
  /** An object may have six connections open; the driver's monitor takes one. */
  maxPoolSize: 4,
  minPoolSize: 0,
  serverSelectionTimeoutMS: 5_000,
  connectTimeoutMS: 5_000,
  waitQueueTimeoutMS: 5_000,
  /** A socket on which nothing comes is given up a little after its command was. */
  socketTimeoutMS: 10_000,
  maxIdleTimeMS: 20_000,
  /** Each heartbeat wakes the object. A broken connection is noticed by the command that meets it all the same. */
  heartbeatFrequencyMS: 120_000,
  serverMonitoringMode: "poll",
} as const;

/** One action of a Data API gateway, its answer read to the end. */
export const DATA_API_TIMEOUT_MS = 10_000;

/** What an answer may weigh: a find's documents, with the names that Extended JSON adds. */
export const DATA_API_ANSWER_MAX_BYTES = 33_554_432;

/** Some gateways answer a find with its first batch only, which is 101 documents. */
export const DATA_API_PAGE_DOCUMENTS = 100;

/** MongoDB takes 16 MiB, at up to two bytes a character; what is longer all the same is refused there. */
export const MONGO_DOCUMENT_MAX_CHARS = 8_000_000;
