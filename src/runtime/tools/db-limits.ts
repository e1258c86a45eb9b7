/** What a dry run counts at most: it reads the documents to count them. */
export const PREVIEW_MAX_DOCUMENTS = 100;

/** Stands in a dry run for what only the store or scrypt would make. */
export const DRY_RUN_VALUE = "dry_run";
