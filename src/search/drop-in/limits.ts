/** What bounds the drop-in shapes: the limits of the APIs whose clients they serve. */

/** Tavily's documentation of its search. */
export const TAVILY_MAX_RESULTS = 20;
export const TAVILY_DEFAULT_RESULTS = 5;
export const TAVILY_MAX_INCLUDE_DOMAINS = 300;
export const TAVILY_MAX_EXCLUDE_DOMAINS = 150;
/** Credits that Tavily takes for one search. */
export const TAVILY_CREDITS = { basic: 1, advanced: 2 } as const;

/** Perplexity's documentation of its search. */
export const PERPLEXITY_MAX_RESULTS = 20;
export const PERPLEXITY_DEFAULT_RESULTS = 10;
export const PERPLEXITY_MAX_QUERIES = 5;
export const PERPLEXITY_MAX_DOMAINS = 20;
/** About what a token of English text holds: budgets are in tokens, snippets in characters. */
export const CHARS_PER_TOKEN = 4;

/** Asked for where results are filtered here, so that enough are left: the most that can be asked. */
export const FILTERED_MAX_RESULTS = 20;
/** Longer is no date. */
export const DATE_TEXT_MAX_CHARS = 64;
