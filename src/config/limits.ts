/** Every number that bounds something, with its unit in the name and its reason beside it. Settings that an operator may change are in `config.ts`. */

/** Deeper JSON than this is an attack: real graphs and inputs stay below a dozen levels. */
export const JSON_MAX_DEPTH = 64;

/** RFC 9110 sets no limit; this is what proxies commonly pass on. */
export const REQUEST_ID_MAX_CHARS = 128;

/** Lists page by cursor: the default and the largest page (the HTTP contract). */
export const PAGE_DEFAULT_ITEMS = 20;
export const PAGE_MAX_ITEMS = 100;

/** Names that people read in lists. */
export const NAME_MAX_CHARS = 200;
export const DESCRIPTION_MAX_CHARS = 2_000;

/** An owner is named by the caller's own user system: e-mail addresses and UUIDs fit. */
export const OWNER_ID_MAX_CHARS = 128;

/** A graph is drawn and read by people; larger ones are several agents. */
export const GRAPH_MAX_STEPS = 100;

/** A run holds a Worker request open; platforms before us give up after about this long. */
export const RUN_TIMEOUT_MS = 30_000;
/** One step, where it names none of its own. */
export const STEP_TIMEOUT_MS = 10_000;
/** A response above this does not belong in a tool graph's answer. */
export const RUN_OUTPUT_MAX_BYTES = 1_048_576;

/** Runs kept per agent before the oldest go. */
export const RUNS_KEPT_PER_AGENT = 1_000;

/**
 * A claim outlives one call of the slowest target (`DEPLOY_TIMEOUT_MS`) by this. A change that takes longer, with more
 * calls than one, may lose it, and changes the record no more; the ledger knows of what it made.
 */
export const CLAIM_GRACE_MS = 15_000;
/** Longer than a target works on after we stopped waiting for it: what may still come is looked for until then. */
export const LATE_AGENT_MS = 600_000;

/** How long an isolate trusts a key that it has checked: revocation holds everywhere within 30 s (the HTTP contract). */
export const KEY_CACHE_MS = 20_000;
/** Unknown keys are remembered for less, so that a new key works soon wherever it was tried too early. */
export const UNKNOWN_KEY_CACHE_MS = 2_000;
/** Entries, at about 300 bytes each: 1.5 MB of an isolate's 128 MB. */
export const KEY_CACHE_MAX_ENTRIES = 5_000;
/** Credentials whose digest is at hand, at about 300 bytes each; the oldest goes first. */
export const DIGEST_MEMO_MAX_ENTRIES = 1_000;
/** A longer credential is none of ours and is not hashed. */
export const CREDENTIAL_MAX_CHARS = 512;

/** The bootstrap key guards everything: shorter than this can be guessed. */
export const ADMIN_KEY_MIN_CHARS = 24;
/** Standard Webhooks, "Signature scheme". */
export const WEBHOOK_SECRET_MIN_BYTES = 24;
export const WEBHOOK_SECRET_MAX_BYTES = 64;
/** A captured body lets anybody try secrets at leisure. */
export const GITHUB_SECRET_MIN_CHARS = 16;
/** Shorter than this can be guessed. */
export const METRICS_TOKEN_MIN_CHARS = 16;
/** Tavily answers 400 above this. */
export const QUERY_MAX_CHARS = 400;
/** Each is asked of a provider once in its lifetime. */
export const WARM_QUERIES_MAX = 100;
/** AES-256 and HKDF input. */
export const ENCRYPTION_KEY_BYTES = 32;
