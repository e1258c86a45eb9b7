/** Standard Webhooks: how far the sender's clock may be from ours, both ways. */
export const TOLERANCE_SECONDS = 300;
/** Ids are UUIDs, ULIDs and the like; with its source this one becomes a document's `_id`. */
export const DELIVERY_ID_MAX_CHARS = 256;
/** About twenty signatures of the longest kind: more secrets than anybody rotates at once. */
export const SIGNATURE_HEADER_MAX_CHARS = 2_048;
/** Type of an event; the longest of GitHub's has under 50. */
export const EVENT_NAME_MAX_CHARS = 128;

/** GitHub lists up to 2,048 commits in a push, at one to two KB each: above the common body limit, and still wanted. */
export const GITHUB_BODY_MAX_BYTES = 5_242_880;

/** Twice the longest `DEPLOY_TIMEOUT_MS`: a push that finds nothing to redeploy takes two operations. */
export const LEASE_MS = 120_000;
/** With the pauses between them about half an hour: an outage that lasts longer is for people. */
export const MAX_ATTEMPTS = 6;
/** The pause after the first attempt; doubled after each further one, up to the longest. */
export const RETRY_FIRST_MS = 60_000;
export const RETRY_LONGEST_MS = 900_000;

/** Longer than senders repeat a delivery: GitHub for three days, the schedule of Standard Webhooks for a little more. */
export const DELIVERIES_KEPT_MS = 4 * 86_400_000;

/** Read from one shard by one run of the job. */
export const RESUME_BATCH = 20;
/** Servers worked on at once by one run of the job. */
export const RESUME_LANES = 4;
/** A run begins nothing after this: the next one comes five minutes after it. */
export const RESUME_BUDGET_MS = 240_000;
