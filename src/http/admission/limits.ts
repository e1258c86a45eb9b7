/** Of the smallest tier, in one lease: what an isolate that ends takes with it, and what others miss meanwhile. */
export const LEASE_MAX_SHARE = 0.1;
/** Of what is left for all, in one lease: leases shrink towards a limit, so that the last tokens reach whoever asks. */
export const LEASE_MAX_SHARE_OF_REST = 0.5;
/** Tokens end this much before their window does for certain: clocks count in whole milliseconds and may drift. */
export const LEASE_MARGIN_MS = 3;
/** Leases that end within this of one another become one, which ends with the first: bounds how many there are. */
export const LEASE_MERGE_MS = 50;

/** A refund sent this long before a window's end arrives in it, whatever the way; in the next it would be a gift. */
export const GIVE_BACK_MARGIN_MS = 1_000;

/** A purchase is waited for this long: a little more than the shared state takes before it is given up. */
export const PURCHASE_WAIT_MS = 350;
/** The purchase under way; the next, which is made for all who wait; and the one that tells the rest that none are left. */
export const PURCHASE_WAITS = 3;

/** A task after an answer looks after a lease for so long: platforms end it after 30 s, and give it few requests. */
export const TEND_MAX_MS = 5_000;
/** Tokens spent from memory since the last look, from which on the next window's lease is bought before it is asked for. */
export const HOT_MIN_SPENT = 8;

/** Callers that an isolate remembers, at about 700 bytes each; half as many again for its own limiter. */
export const ADMISSION_MAX_SUBJECTS = 10_000;
