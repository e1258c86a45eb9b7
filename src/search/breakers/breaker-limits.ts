/** What bounds the circuit breakers. */

/** One failure is a blip and two are bad luck; what a single answer proves (429, quota, bad key) opens at once. */
export const OPENS_AFTER_FAILURES = 3;
/** Whether pages fit depends on the question too, so it takes more questions to blame the provider. */
export const OPENS_AFTER_IRRELEVANT = 5;

/** Faults of theirs pass in seconds or take minutes: 5 s, 10 s, 20 s … */
export const FAULT_COOL_DOWN_MS = 5_000;
export const FAULT_LONGEST_COOL_DOWN_MS = 300_000;
export const IRRELEVANT_COOL_DOWN_MS = 30_000;
/** What the providers send as Retry-After, for an answer that lacks one. */
export const RATE_LIMITED_COOL_DOWN_MS = 60_000;
export const RATE_LIMITED_LONGEST_COOL_DOWN_MS = 600_000;
/** Plans are renewed by the day or month, and topped up by people. */
export const QUOTA_COOL_DOWN_MS = 21_600_000;
/** A key does not become right by itself. */
export const UNAUTHORIZED_COOL_DOWN_MS = 86_400_000;
/** Bounds every cool-down, whoever asked for it. */
export const LONGEST_COOL_DOWN_MS = 86_400_000;
/** A Retry-After of 0 would be no cool-down at all. */
export const SHORTEST_COOL_DOWN_MS = 1_000;
/** Cool-downs are shortened by up to this part, so that isolates do not come back all at once. */
export const COOL_DOWN_JITTER = 0.2;

/** How old an isolate's copy of the shared record may be: a breaker that opens is seen everywhere this soon. */
export const BREAKER_SYNC_MS = 5_000;
/** A probe of the default length, and the time until the other isolates have heard how it went. */
export const PROBE_LEASE_MS = 8_000;
/** A store that has not answered by then is taken for down: the isolate probes by itself. */
export const PROBE_LEASE_TIMEOUT_MS = 300;

/** The longest cool-down and an hour, so that a closing is remembered for as long as an older opening could count. */
export const BREAKER_RECORD_KEEP_MS = 90_000_000;
/** More than anybody registers; at about 150 characters each. */
export const BREAKER_RECORD_MAX_ITEMS = 64;
export const BREAKER_RECORD_MAX_CHARS = 32_768;
export const BREAKER_NAME_MAX_CHARS = 160;
/** The record is a list of flat objects in an object. */
export const BREAKER_RECORD_MAX_DEPTH = 4;
/** Clocks of isolates agree to within this; a change from further ahead is none. */
export const CLOCK_SKEW_MS = 60_000;
