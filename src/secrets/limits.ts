/**
 * Without the blanks around it. A shorter value stands in too many texts to be masked in them, and is soon found out by
 * trying. Tokens and keys of services have 16 and more, passwords 8.
 */
export const SECRET_VALUE_MIN_CHARS = 8;
/** Keys, certificates with their chain and service accounts fit; a file does not belong here. */
export const SECRET_VALUE_MAX_CHARS = 16_384;

/** Read from the store at once, sealed values included: at their longest about 2 MB. */
export const SECRET_ROWS_AT_ONCE = 32;

/** Read by one query for a run; a graph that names more takes another one. */
export const SECRET_NAMES_PER_QUERY = 100;

/** How often a put starts again because another one took its place; each time that other one has succeeded. */
export const PUT_MAX_ATTEMPTS = 25;

/** How long an isolate trusts a sealed row that it has read: well within the 10 s in which changes hold everywhere. */
export const SEALED_CACHE_MS = 5_000;
/** Rows, at up to twice the next number in bytes: about 4 MB of an isolate's 128 MB. */
export const SEALED_CACHE_MAX_ROWS = 256;
/** Longer ones are read anew each time: what is asked for often is short. */
export const SEALED_CACHE_MAX_CHARS = 8_192;

/** Of a hash of ENCRYPTION_KEY: enough that two keys never share it. */
export const KEY_ID_BYTES = 8;
