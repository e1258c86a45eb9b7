/** What bounds the registry of providers and what an operator may register. */

/** A busy isolate reads the settings anew this often, after an answer: it follows a change well within PROVIDERS_MAX_AGE_MS. */
export const PROVIDERS_REFRESH_MS = 10_000;
/** The HTTP contract: a change holds everywhere within 15 s. An isolate that was idle for longer reads before it answers. */
export const PROVIDERS_MAX_AGE_MS = 15_000;
/** How long a question waits for that at most: the store answers in single or tens of milliseconds, or is not well. */
export const PROVIDERS_WAIT_MS = 300;
/** A store that failed is left alone for this long. */
export const PROVIDERS_RETRY_MS = 5_000;

/** Asked first is 1; the index, always last, has the highest. */
export const PRIORITY_MIN = 1;
export const PRIORITY_MAX = 99;
export const INDEX_PRIORITY = 100;
/** After the providers with a key, before those without: who registers one means it to be asked. */
export const CUSTOM_PRIORITY = 25;

/** Registered ones. A chain is asked one after the other within one deadline: more would never have their turn. */
export const CUSTOM_PROVIDERS_MAX = 20;
/** Records read: the registered ones, the built-in ones, and what two registrations at once put above the limit. */
export const PROVIDER_RECORDS_MAX = 64;

/** A definition as it is stored, without its headers. */
export const CUSTOM_DEFINITION_MAX_CHARS = 16_384;
/** What servers and proxies take, less what a question adds. */
export const CUSTOM_URL_MAX_CHARS = 2_048;
export const CUSTOM_HEADERS_MAX = 16;
export const CUSTOM_HEADER_NAME_MAX_CHARS = 64;
/** Long enough for a JWT. */
export const CUSTOM_HEADER_VALUE_MAX_CHARS = 4_096;
/** `data.web.results.0.link`: answers of APIs are hardly deeper. */
export const CUSTOM_PATH_MAX_SEGMENTS = 8;
export const CUSTOM_PATH_SEGMENT_MAX_CHARS = 64;
export const CUSTOM_ERRORS_MAX = 32;
/** The question that shows whether a definition works, where its author names none: every index of the web knows it. */
export const CHECK_QUERY = "cloudflare workers";

/** A plan's figures are asked for in a list that an operator waits for. */
export const QUOTA_TIMEOUT_MS = 2_000;
/** They change by single credits: a dashboard that asks every few seconds must not ask the provider as often. */
export const QUOTA_CACHE_MS = 60_000;
