/** A service that takes longer loses its request; the step's own time ends soon after. */
export const EMAIL_TIMEOUT_MS = 8_000;
/** An answer is an id or an error of a few lines. */
export const EMAIL_ANSWER_MAX_BYTES = 16_384;
/** Resend takes no more at once. */
export const EMAIL_MAX_RECIPIENTS = 50;
/** RFC 5322, 2.1.1: the longest line. */
export const EMAIL_SUBJECT_MAX_CHARS = 998;
/** Of each, text and HTML: mail programs cut longer ones. */
export const EMAIL_CONTENT_MAX_CHARS = 262_144;
