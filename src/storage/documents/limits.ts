/** A row of a SQLite-backed Durable Object holds 2 MB at most: body, id and collection together, as UTF-8. */
export const DOCUMENT_ROW_MAX_BYTES = 2_000_000;

/** MongoDB's own bound on nesting: deeper documents would be stored here and refused there. */
export const DOCUMENT_MAX_DEPTH = 100;

/** An answer crosses a Durable Object's boundary in one message of 32 MiB at most, at up to two bytes a character. */
export const FIND_MAX_CHARS = 15_000_000;

/** An update writes at most this many places behind an array's end: the gap is filled with nulls, in memory. */
export const ARRAY_PADDING_MAX = 1_000;

/** A statement takes 100 bound values; each narrowing condition binds three at most. */
export const NARROWING_MAX_CONDITIONS = 25;

/** Sorting holds this many documents beyond what was asked for before it drops the worst. */
export const SORT_SLACK_DOCUMENTS = 1_000;
