/** Shown first to who follows a log without saying from where: a screenful. */
export const LOG_STREAM_INITIAL_EVENTS = 20;
/** How often a followed log is read: as fast as people notice. */
export const LOG_STREAM_POLL_MS = 1_000;
/** Proxies cut what is silent for 30 to 60 s; and that a client has gone shows in workerd only when it is written to. */
export const LOG_STREAM_HEARTBEAT_MS = 5_000;
/** How soon a client comes back after a stream has ended. */
export const LOG_STREAM_RETRY_MS = 2_000;
/** With a read a second, well within the thousand calls that a request of a Worker may make. */
export const LOG_STREAM_MAX_MS = 240_000;
/** A revoked key ends within 30 s everywhere (the HTTP contract); isolates remember a key for 20 s of them. */
export const LOG_STREAM_RECHECK_MS = 8_000;
/** Read at once: some 250 KB at most that a stream holds. */
export const LOG_STREAM_PAGE_EVENTS = 250;
/** How late an event may show after the time in its id: isolates' clocks, and an insert that had to wait. */
export const LOG_STREAM_OVERLAP_MS = 15_000;
/** Events that a stream remembers to have sent. A log that is busier than this in the overlap has a shorter one. */
export const LOG_STREAM_REMEMBERED_EVENTS = 500;
/** Events that an id of the stream names, at 5 characters each: headers have to stay small. */
export const LOG_CURSOR_NAMED_EVENTS = 64;

/** Events older than this go; three months are enough to look into what went wrong. */
export const LOG_KEPT_DAYS = 90;
/** Of one server: a page of 100, a hundred times. */
export const LOG_KEPT_EVENTS_PER_SERVER = 10_000;
/** Read by one call of the clean-up: about a megabyte. */
export const CLEAN_UP_BATCH_EVENTS = 2_000;
/** Records are large, with their graphs: 20 of them stay within one answer of the store. */
export const SERVERS_PER_PAGE = 20;
export const CLEAN_UP_PAGE_OWNERS = 100;
/** Calls of the store in one run, within the thousand that an invocation of a Worker may make. */
export const CLEAN_UP_MAX_CALLS = 600;
/** One server's backlog does not keep the others from their turn. */
export const CLEAN_UP_MAX_CALLS_PER_SERVER = 60;
/** Servers that could not be cleaned up before a run gives up: the store itself may be down. */
export const CLEAN_UP_MAX_FAILURES = 5;
/** What a run that dies has done since is done again by the next one. */
export const CLEAN_UP_SAVE_EVERY_CALLS = 100;
/** A run that takes longer has died. */
export const CLEAN_UP_LEASE_MS = 600_000;

/** Longer than a run that ends and is recorded after its server went, or any other work that had begun for it. */
export const REMOVED_GONE_MS = 600_000;
/** The oldest go first, so that all have their turn. */
export const REMOVED_PER_VISIT = 20;

/** Between taking a place and writing its record: two calls of the store, each of which gives up after 15 s. */
export const PLACE_USE_MS = 60_000;
/** Well above PLACE_USE_MS, the last call and what isolates' clocks differ by: what is older has broken off. */
export const PLACE_HOLD_MS = 300_000;
/** Other programs write records too: their number is looked at once a day. */
export const RECOUNT_EVERY_MS = 86_400_000;
/** Sooner where an owner is to be refused; not each time, since it reads all of the owner's records. */
export const RECOUNT_REFUSED_AFTER_MS = 60_000;
/** 6,000 records, within the thousand calls that a request of a Worker may make. Of more, the rest is not counted. */
export const COUNT_MAX_PAGES = 300;
/** The first finds no room or no document, the second has made it; one more for who came between. */
export const TAKE_MAX_ATTEMPTS = 3;
