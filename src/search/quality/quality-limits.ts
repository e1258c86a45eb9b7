/** What bounds the look at the quality of results. The figures were set by measuring: see `relevance.test.ts`. */

/** The best results come first: where none of these fits, none does. */
export const RELEVANCE_MAX_RESULTS = 10;
/** Of each result's content. A snippet is shorter; a page says in its beginning what it is about. */
export const RELEVANCE_CONTENT_CHARS = 600;
export const RELEVANCE_TITLE_CHARS = 300;
/** Of each result's address: the host and most of the path. */
export const RELEVANCE_URL_CHARS = 200;
/** Terms of a query that are looked for: 400 characters rarely hold more. */
export const RELEVANCE_MAX_WORDS = 24;
export const RELEVANCE_MAX_GRAMS = 48;

/** A made score: this where nothing fits, up to SCORE_BASE + SCORE_OVERLAP + SCORE_RANK at the first place. */
export const SCORE_BASE = 0.25;
/** The share of the query that a result holds says more than its place. */
export const SCORE_OVERLAP = 0.5;
export const SCORE_RANK = 0.2;
/** The place at rank n counts 1 / (1 + n × this): 1, 0.91, 0.83 … 0.34 at rank 20. */
export const SCORE_RANK_DECAY = 0.1;
