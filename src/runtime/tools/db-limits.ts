/** What a dry run looks at most of the documents that a change would meet: it reads them to tell. */
export const PREVIEW_MAX_DOCUMENTS = 1_000;

/** Values that a dry run looks up in one filter. */
export const LOOKUP_MAX_VALUES = 100;

/** Stands in a dry run for what only the store or scrypt would make. */
export const DRY_RUN_VALUE = "dry_run";
