import { JSON_MAX_DEPTH } from "../config/limits.ts";

/** A longer text is a file, not a setting. */
export const TEMPLATE_MAX_CHARS = 65_536;
/** In one string. Each is read anew on every run. */
export const TEMPLATE_MAX_REFERENCES = 100;
/** Between the braces: far above any path that a person writes. */
export const REFERENCE_MAX_CHARS = 512;
/** Nothing deeper than this can come out of JSON that was let in. */
export const REFERENCE_MAX_SEGMENTS = JSON_MAX_DEPTH;
/** Author's JSON with a caller's JSON inside it. Deeper values come only from steps that wrap each other. */
export const VALUE_MAX_DEPTH = 2 * JSON_MAX_DEPTH;

/** Errors in a trace are for reading in a list. */
export const TRACE_ERROR_MAX_CHARS = 500;

/** Enough to correct a form by; a hostile input could have a fault per byte. */
export const INPUT_FAULTS_MAX = 100;
/** A field's path in a fault; the caller chose its names. */
export const FAULT_PATH_MAX_CHARS = 200;
/** Patterns and listed values that a fault quotes from the schema. */
export const FAULT_QUOTE_MAX_CHARS = 200;
/** A regular expression that a person can still check by eye. */
export const PATTERN_MAX_CHARS = 1_000;
/** Subschemas applied to one and the same value, with what they refer to counted each time. */
export const SCHEMA_MAX_BREADTH = 1_000;

/** What `dbFind` returns where the graph names no number, and at most: a run's answer is a page, not an export. */
export const FIND_DEFAULT_DOCUMENTS = 20;
export const FIND_MAX_DOCUMENTS = 100;
/** Of one step's list of fields. */
export const FIELDS_MAX = 50;
export const FIELD_PATH_MAX_CHARS = 200;
/** Ids that an author or caller chooses. */
export const DOCUMENT_ID_MAX_CHARS = 200;

/** scrypt with 16 MiB and five passes: OWASP's advice for this memory. About 200 ms of CPU. */
export const SCRYPT_LOG2_N = 14;
export const SCRYPT_R = 8;
export const SCRYPT_P = 5;
export const SCRYPT_SALT_BYTES = 16;
export const SCRYPT_HASH_BYTES = 32;
/** A stored hash may ask for this much at most: an isolate has 128 MiB for everything. */
export const SCRYPT_MAX_MEMORY_BYTES = 64 * 1_048_576;
/** N·r·p of a stored hash, against 655,360 of our own: workerd's scrypt refuses more. */
export const SCRYPT_MAX_WORK = 1_048_576;
/** Salts and hashes that others made. */
export const SCRYPT_MAX_FIELD_BYTES = 128;
/** Longer than any password manager makes. */
export const PASSWORD_MAX_CHARS = 1_024;
/** A document has one password, seldom two; each takes the isolate's one thread for some 200 ms. */
export const HASH_MAX_FIELDS = 4;
/** What is hashed within some 8 s: who came later would find its step's time up. */
export const PASSWORD_MAX_WAITING = 40;
/** Seconds after which most of those that wait are done. */
export const PASSWORD_RETRY_SECONDS = 5;
/** Turns of the event loop that others have before each hash: a short run takes about as many. */
export const PASSWORD_TURNS = 8;
export const PASSWORD_TURN_MS = 2;
export const PASSWORD_POLL_MS = 10;
/** Longer than a hash takes, and than a turn comes late behind it. */
export const PASSWORD_LOST_MS = 5_000;

/** A token cannot be called back: a month is as long as anybody should have to wait. */
export const TOKEN_MAX_SECONDS = 30 * 86_400;
/** Tokens travel in headers, which servers commonly cap at 8 KiB. */
export const CLAIMS_MAX_BYTES = 4_096;
export const AUDIENCE_MAX_CHARS = 256;

/** Headers of a graph's answer; common servers cap all of them at 8 to 16 KiB together. */
export const RESPONSE_MAX_HEADERS = 32;
export const RESPONSE_HEADER_NAME_MAX_CHARS = 64;
export const RESPONSE_HEADER_VALUE_MAX_CHARS = 4_096;

/** Graphs as text whose plans are kept per isolate; a plan takes about ten bytes for each of their characters. */
export const PLAN_CACHE_MAX_CHARS = 4_194_304;
/** How soon a redeploy is seen by isolates that ran the agent a moment ago. */
export const AGENT_CACHE_MS = 2_000;
/** An agent that is in use is compared with the store this long after it was, well before AGENT_CACHE_MS. */
export const AGENT_RECHECK_MS = 1_000;
/** Few enough that no request waits long behind them where the store runs on the same thread. */
export const REVISION_READS_AT_ONCE = 4;
/** Longer than a comparison takes: one that has not ended by then was broken off. */
export const RECHECK_GRACE_MS = 5_000;
/** Graphs as text, at two bytes a character. */
export const AGENT_CACHE_MAX_CHARS = 8_388_608;
/** A create that keeps meeting removals of the same server gives up after this many rounds. */
export const CREATE_MAX_ATTEMPTS = 3;

/** An expression that a person can still read. */
export const EXPRESSION_MAX_CHARS = 2_000;
/** Of a graph, its policy's rules counted. Compiling one takes up to some 5 ms: a second of CPU for all of them. */
export const GRAPH_MAX_EXPRESSIONS = 200;
/** A step that fails this often will not come right by one more try. */
export const RETRY_MAX_ATTEMPTS = 5;
export const RETRY_MAX_BACKOFF_MS = 5_000;
/** Tool calls of one run: every step of the largest graph, five times. */
export const RUN_MAX_CALLS = 500;
/** Outputs that later steps can still refer to, all together: what a run holds in memory. */
export const RUN_SCOPE_MAX_BYTES = 8_388_608;
/**
 * What a run and all that it calls compute, in steps of an expression of some 50 ns at worst: a second of an isolate, and
 * 40 of the most expensive expressions. A hundred steps that each look at a list of 10,000 items take half of it.
 */
export const RUN_MAX_WORK = 20_000_000;
/** Other requests are served after this much of it: some 50 ms. */
export const BREAK_WORK = 1_000_000;
/** Filling in, sizing and binding a config: a full one takes some 7 ms. */
export const CONFIG_BYTES_PER_STEP = 8;
/** Steps of one group at once; Workers open six connections at a time anyway. */
export const GROUP_MAX_PARALLEL = 16;
/** Agents that call agents: deeper is a mistake, and each level keeps a request open. */
export const CALL_MAX_DEPTH = 4;
/** A run and all that it calls, over all levels: one request may not start work without end. Real agents call a few. */
export const FAMILY_MAX_RUNS = 50;
/**
 * What a run keeps of a step's config, as JSON; of a larger one the beginning. A trace shows less: the rest is for masks,
 * which are longer than what they look for, and make texts shorter.
 */
export const KEPT_CONFIG_MAX_BYTES = 32_768;
/** An input or output in a trace, as JSON; longer ones are cut. */
export const TRACE_VALUE_MAX_BYTES = 4_096;

export const POLICY_MAX_HOSTS = 100;
/** A host's name has at most 253 characters, and then a port. */
export const POLICY_HOST_MAX_CHARS = 260;
export const POLICY_MAX_RULES = 50;
export const POLICY_MAX_RATE = 1_000_000;

/** Of a test run's made-up headers and query. */
export const TEST_MAX_PARAMETERS = 100;
export const TEST_HEADER_VALUE_MAX_CHARS = 8_192;

/** Entries are small: a page of the index is some 20 KB. */
export const AGENT_INDEX_PAGE = 100;
/** Longer than making an agent takes, or a run that ends and is recorded after its agent went. */
export const AGENT_GONE_MS = 600_000;
