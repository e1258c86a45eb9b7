/** What bounds search, beside the settings of `config.ts`. */

/** A provider answers well under 200 KB; with the pages' raw text, a few megabytes. What is longer is not read on. */
export const UPSTREAM_MAX_BYTES = 4_194_304;
/** An error's body is read for its code only. */
export const UPSTREAM_ERROR_MAX_BYTES = 65_536;
/** Five times what can be asked for: a provider that sends more is not gone through. */
export const RAW_RESULTS_MAX_ITEMS = 100;

/** Text of one result. A snippet is a paragraph, a title a line. */
export const RESULT_TITLE_MAX_CHARS = 300;
export const RESULT_CONTENT_MAX_CHARS = 2_000;
/** Twenty of these make an answer of under a megabyte. */
export const RESULT_RAW_CONTENT_MAX_CHARS = 20_000;
export const ANSWER_MAX_CHARS = 4_000;
export const PUBLISHED_DATE_MAX_CHARS = 64;
/** What browsers and servers agree on. */
export const RESULT_URL_MAX_CHARS = 2_048;
/** Markup is cut out of at most this many times the text that is kept; the rest is dropped unread. */
export const MARKUP_ALLOWANCE_FACTOR = 4;

/** Kept back for each provider still to come, so that a slow first one does not use up the chance of the last. */
export const LATER_PROVIDER_RESERVE_MS = 500;
/** An attempt shorter than this can reach nobody. */
export const MIN_ATTEMPT_MS = 10;
/** A Retry-After beyond a day is a mistake or an attack. */
export const RETRY_AFTER_MAX_MS = 86_400_000;
/** When to come back after every provider failed and none said when. */
export const UNAVAILABLE_RETRY_SECONDS = 5;

/** Below the value limit of every store behind the shared cache (1 MB at the smallest), packed in base64 or not. */
export const CACHE_ENTRY_MAX_CHARS = 524_288;
/** How far the clocks of two machines may differ. */
export const CLOCK_SKEW_MS = 60_000;
/** Shorter texts fit into a few packets as they are: compressing them costs more than it spares. */
export const COMPRESS_FROM_CHARS = 4_096;
/** How soon a purge, or another isolate's breaker, is seen by an isolate that answers from memory alone. */
export const BULLETIN_EVERY_MS = 10_000;
/** A claim outlives the slowest chain (`SEARCH_DEADLINE_MS`) by this, so that it never ends under a live one. */
export const CLAIM_GRACE_MS = 2_000;
/** 128 bits: a claim's token cannot be guessed. */
export const CLAIM_TOKEN_BYTES = 16;
/** How often a follower looks whether another isolate has the answer: at first, and at most. */
export const FOLLOWER_FIRST_LOOK_MS = 40;
export const FOLLOWER_LONGEST_PAUSE_MS = 320;
/** After this part of the deadline a follower stops waiting and asks the providers itself. */
export const FOLLOWER_PATIENCE = 0.5;
/** After following came to nothing, nobody is followed for this long: a claim without a holder must not slow the rest. */
export const FOLLOW_PAUSE_MS = 30_000;
/** After a refresh in the background failed, the stale entry is left alone for this long. */
export const REFRESH_PAUSE_MS = 15_000;
/** Kept back from the shared providers for the caller's own index. */
export const PERSONAL_RESERVE_MS = 500;
/** What it gets in any case, where they used up all there was. */
export const PERSONAL_MIN_MS = 250;
/** "Nothing found" is remembered for under a minute (the HTTP conventions), so that what appears is found soon. */
export const NOTHING_FOUND_TTL_MS = 50_000;
/** Lifetimes are shortened by up to this part, so that entries stored together do not run out together. */
export const TTL_JITTER = 0.1;
/** What an L1 entry costs beside its text: the map's slot, the objects' headers. */
export const L1_ENTRY_OVERHEAD_BYTES = 256;

/**
 * Pages of answers that an isolate puts into the index: at once, and lasting. Indexing one takes about 0.2 ms; a makeshift
 * must not take the time of those who ask.
 */
export const REMEMBER_BURST_PAGES = 50;
export const REMEMBER_PAGES_PER_SECOND = 5;
/** Addresses that were put lately, at about 200 bytes each. */
export const REMEMBER_LATELY_PAGES = 2_000;

/** Documents of one owner's index. Embedded storage is for small loads; more belongs in a search engine. */
export const INDEX_MAX_DOCUMENTS = 10_000;
export const PUT_MAX_DOCUMENTS = 100;
export const DOCUMENT_MAX_BYTES = 131_072;
export const DOCUMENT_ID_MAX_CHARS = 128;
/** Rows of the index of earlier results, at about 4 KB each. The oldest go first. */
export const PUBLIC_INDEX_MAX_ROWS = 5_000;
/** Terms of a question that are looked up. A question of 400 characters rarely has more. */
export const QUERY_MAX_TERMS = 32;
/** A longer word is a blob, not a word. */
export const TERM_MAX_CHARS = 64;
/** FTS5 allows up to 64. About two lines. */
export const SNIPPET_TOKENS = 48;
/** Text without spaces between words is cut by characters instead. */
export const SNIPPET_CHARS = 240;
/** How much of a snippet stands before the place that matched. */
export const SNIPPET_LEAD_CHARS = 60;
