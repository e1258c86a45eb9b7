/** Objects that the cache is spread over: a hot key holds up no more than its own share. */
export const CACHE_OBJECTS = 8;

/** Of one cache object; the oldest entries go first. */
export const CACHE_OBJECT_MAX_ENTRIES = 20_000;
export const CACHE_OBJECT_MAX_CHARS = 134_217_728;

/** Larger values are not kept: a SQLite row holds 2 MB, at up to three bytes a character of key and value. */
export const CACHE_ENTRY_MAX_CHARS = 650_000;

/** What a cache object holds back before it writes, at most: below the size of one entry that no row takes. */
export const CACHE_BUFFER_MAX_CHARS = 500_000;

/** A busy cache object writes once in this time. Each write waits for the disk, and with it all that the object is asked. */
export const CACHE_WRITE_BEHIND_MS = 5_000;

/** How often a cache object looks for entries past their lifetime. Until then they only take room. */
export const CACHE_SWEEP_MS = 600_000;

/** Write-behind: what a crash may lose of admissions and counters. A busy object writes once in this time. */
export const WRITE_BEHIND_MS = 1_000;

/** An alarm fires this long after the last thing ended, so that a renewal right at the end does not race it. */
export const SWEEP_GRACE_MS = 1_000;

/** 128 bits: a lease's token cannot be guessed. */
export const LEASE_TOKEN_BYTES = 16;

/** Of one cache object, in memory. A claim that is forgotten early costs one more making of the same. */
export const CACHE_OBJECT_MAX_CLAIMS = 8_000;

/** What a request waits for. Past this the isolate decides by itself and goes on. */
export const SHARED_STATE_READ_TIMEOUT_MS = 300;
/** What nobody waits for, since the answer has left. */
export const SHARED_STATE_WRITE_TIMEOUT_MS = 2_000;
/** What an operator asked for and waits for. */
export const SHARED_STATE_OPERATOR_TIMEOUT_MS = 10_000;
/** After a failure the store is left alone this long: a request then costs no wait. */
export const SHARED_STATE_PAUSE_MS = 5_000;

/** Callers give up earlier; past this a request that nobody waits for any more is cut off. */
export const UPSTASH_REQUEST_TIMEOUT_MS = 3_000;
export const UPSTASH_OPERATOR_REQUEST_TIMEOUT_MS = 11_000;
/** An answer above this is not read: a few entries of the largest size, each character escaped. */
export const UPSTASH_ANSWER_MAX_BYTES = 16_777_216;
/** Larger ones are looked at before they are parsed. A pipeline's answer nests four levels. */
export const UPSTASH_LARGE_ANSWER_CHARS = 65_536;
export const UPSTASH_ANSWER_MAX_DEPTH = 16;
/** Larger entries are not kept: the smallest plan takes requests of 1 MB, and there is more in one than the entry. */
export const UPSTASH_ENTRY_MAX_BYTES = 950_000;
/** UTF-8 and JSON's escapes make at most so many bytes of one UTF-16 unit. */
export const UPSTASH_MAX_BYTES_PER_CHAR = 6;
/** Keys looked at in one step of clearing the cache; each step is one round trip. */
export const UPSTASH_SCAN_COUNT = 2_000;
/** Steps of clearing the cache: two million keys. A store that never comes to the end is left then. */
export const UPSTASH_SCAN_MAX_STEPS = 1_000;
/** Different pairs of limit and window that are remembered; keys may have limits of their own. */
export const UPSTASH_MAX_TIER_SHAPES = 1_000;
/** How far the clocks of two callers may be apart; what a bucket says beyond that is nonsense. */
export const UPSTASH_MAX_CLOCK_SKEW_MS = 300_000;
