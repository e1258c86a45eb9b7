/** What bounds the warming of the cache. */

/** A little over the period of the cron trigger: what goes stale before the next run has looked is due now. */
export const WARM_MARGIN_MS = 360_000;
/** Of an entry's lifetime: what is younger than this is fresh, however short the lifetime. */
export const WARM_MARGIN_PART = 0.5;

/** Far below the period of the cron trigger, so that one run has ended when the next begins. */
export const WARM_RUN_MAX_MS = 60_000;
/** Refreshes at once: callers' own searches go first. */
export const WARM_CONCURRENCY = 2;
/** Looking into the cache is cheap. Workers open six connections at once, and some are for callers. */
export const WARM_LOOKS_AT_ONCE = 4;
/** Every query of the longest lists (100 fixed, 200 popular), each once an hour in twelve runs, with some to spare. */
export const WARM_MAX_REFRESHES = 30;
/** Providers that fail this often in a row are not there: callers get their share of them. */
export const WARM_MAX_FAILURES_IN_ROW = 3;
/** Two runs out of three leave alone what failed. Short enough that an outage is made up for soon. */
export const WARM_FAILED_PAUSE_MS = 840_000;
/** Of a provider's plan: the last tenth is for callers. */
export const WARM_MIN_QUOTA_LEFT = 0.1;
/**
 * A popular query is worth warming while one of four refreshes is likely to serve somebody. Where each does, warming
 * costs nothing: without it the provider would be asked as often.
 */
export const WARM_MIN_EXPECTED_ASKS = 0.25;

/** Beyond the deadline of a search a refresh stores what it got. After this it is given up. */
export const WARM_REFRESH_GRACE_MS = 5_000;
/** The lease is renewed when so much of it has gone; it is granted for this and one whole refresh. */
export const WARM_LEASE_RENEW_MS = 10_000;
export const WARM_LEASE_SPARE_MS = 20_000;
