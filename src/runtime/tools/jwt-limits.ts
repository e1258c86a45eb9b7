/** A token of the largest claims, signed, is shorter; servers commonly cap a header at this. */
export const TOKEN_MAX_CHARS = 8_192;

/** RFC 7518, section 3.2: a key of HS256 has at least the size of its hash. */
export const SECRET_MIN_BYTES = 32;
/** Longer keys add nothing: HMAC hashes them first. */
export const SECRET_MAX_CHARS = 1_024;

/** Clocks of those who make tokens and those who check them differ by this much. */
export const CLOCK_TOLERANCE_SECONDS = 5;
