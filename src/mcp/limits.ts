/** Longer than any method of the protocol; the caller chose it. */
export const METHOD_SHOWN_CHARS = 64;
/** How long a client may keep what only a new release or other scopes change: lists of tools, prompts and templates. */
export const STEADY_LIST_TTL_MS = 300_000;
/** What a resource or a prompt shows of a log: a screenful, and cheap to read for a model. */
export const LOG_SHOWN_EVENTS = 20;
/** Of what somebody wants built, in a prompt's argument. */
export const GOAL_MAX_CHARS = 4_000;
/** One percent-encoded byte takes three characters. */
export const OWNER_ID_ENCODED_CHARS_PER_BYTE = 3;
