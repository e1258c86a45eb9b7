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
/** A sandbox process that answers nothing for this long is held by the code in it, which nothing in it can stop. */
export const SANDBOX_STALL_MS = 2_000;
/** After a call, before the next one: a process that takes longer is cheaper to replace than to wait for. */
export const SANDBOX_SETTLE_MS = 500;
/** Between two looks at a process that runs code. */
export const SANDBOX_LOOK_EVERY_MS = 250;
/** A process has some 80 MB. What is more waits for one of these. */
export const SANDBOX_MAX_PROCESSES = 6;
/** Calls take some milliseconds; one that waits longer than this waits for code that does not end. */
export const SANDBOX_GROW_AFTER_MS = 100;
/** Kept without work: one for a call, and one for a call beside it. */
export const SANDBOX_SPARE_PROCESSES = 2;
/** A process beyond those that had nothing to do for this long is ended. */
export const SANDBOX_IDLE_MS = 60_000;
