/** Objects that the cache is spread over: a hot key holds up no more than its own share. */
export const CACHE_OBJECTS = 32;

/** Of one cache object; the oldest entries go first. */
export const CACHE_OBJECT_MAX_ENTRIES = 5_000;
export const CACHE_OBJECT_MAX_CHARS = 33_554_432;

/** Larger values are not kept: a SQLite row holds 2 MB, at up to three bytes a character of key and value. */
export const CACHE_ENTRY_MAX_CHARS = 650_000;

/** How often a cache object looks for entries past their lifetime. Until then they only take room. */
export const CACHE_SWEEP_MS = 600_000;

/** Write-behind: what a crash may lose of admissions and counters. A busy object writes once in this time. */
export const WRITE_BEHIND_MS = 200;

/** An alarm fires this long after the last thing ended, so that a renewal right at the end does not race it. */
export const SWEEP_GRACE_MS = 1_000;

/** 128 bits: a lease's token cannot be guessed. */
export const LEASE_TOKEN_BYTES = 16;
