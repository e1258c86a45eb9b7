import { RUN_OUTPUT_MAX_BYTES } from "../../config/limits.ts";

/** What servers commonly take in a request line. */
export const OUTBOUND_URL_MAX_CHARS = 8_192;
/** A graph's own values cannot be larger. */
export const OUTBOUND_BODY_MAX_BYTES = RUN_OUTPUT_MAX_BYTES;
/** Sites need one or two; a loop is told after these. */
export const OUTBOUND_MAX_REDIRECTS = 5;

/** Servers commonly cap all headers of a request at 8 to 16 KiB together. */
export const OUTBOUND_MAX_HEADERS = 64;
export const OUTBOUND_HEADER_NAME_MAX_CHARS = 128;
export const OUTBOUND_HEADERS_MAX_CHARS = 16_384;
/** Headers of an answer that a graph gets to see; the rest is left out. */
export const OUTBOUND_ANSWER_MAX_HEADERS = 64;
export const OUTBOUND_ANSWER_HEADERS_MAX_CHARS = 16_384;

/** A look-up stands before every request: a resolver that takes longer does not answer. */
export const DNS_TIMEOUT_MS = 1_000;
/** An answer holds a handful of addresses. */
export const DNS_ANSWER_MAX_BYTES = 65_536;
/** Short, so that a name which moves to a private address is seen soon, whatever lifetime it claims. */
export const DNS_CACHE_MAX_SECONDS = 60;
/** Hosts, at some 200 bytes each; the oldest goes first. */
export const DNS_CACHE_MAX_ENTRIES = 1_000;
