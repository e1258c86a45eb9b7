/** A page of code. What is larger is a program, and belongs behind `httpRequest`. */
export const CODE_MAX_BYTES = 65_536;
/** CPU of one run, which cuts or joins what other steps fetched. Where nothing counts CPU, see `SANDBOX_STALL_MS`. */
export const SANDBOX_CPU_MS = 1_000;
/** The code calls nothing: it has no network. The least that a platform cannot take for "no limit". */
export const SANDBOX_SUBREQUESTS = 1;
/** What an author reads of an exception in the code. */
export const SANDBOX_ERROR_MAX_CHARS = 500;
/** An error's name and message, read before anything is cut: four bytes a character, and some for JSON's escapes. */
export const SANDBOX_ERROR_MAX_BYTES = 8_192;
/** A sandbox process that answers nothing for this long is held by somebody's code, which nothing in it can stop. */
export const SANDBOX_STALL_MS = 2_000;
