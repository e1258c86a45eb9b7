/** An agent's answer is a few short fields; a host that sends more than this is not one. */
export const ANSWER_MAX_BYTES = 65_536;
/** Lists of a platform that serves a whole organisation. */
export const LIST_MAX_BYTES = 8_388_608;
/** A platform's own description of its API nests deeper than any answer of it. */
export const OPENAPI_MAX_DEPTH = 512;
/** Enough to say what is wrong, too little to leak a page. */
export const MESSAGE_MAX_CHARS = 300;
/** Ids of hosts are UUIDs and the like; they go into paths and records. */
export const AGENT_ID_MAX_CHARS = 256;
/** What one attempt gets of the time that is left: the rest is for finding out what came of it. */
export const ATTEMPT_SHARE = 0.75;
/** An attempt and one repeat: a host that fails twice is down, and the caller may try later. */
export const MAX_ATTEMPTS = 2;
/** Before a repeat, halved to one and a half times by chance so that many callers do not return together. */
export const BACKOFF_MS = 200;
/** Which version a platform has changes with its upgrades only. */
export const FLAVOUR_KEPT_MS = 600_000;
/** Pages of a platform's list of agents: its own largest page. */
export const PLATFORM_PAGE_ITEMS = 100;
/** More agents with the labels of one server than this is a platform that ignores the filter. */
export const PLATFORM_MAX_PAGES = 20;
