import { type FieldError, validationFailed } from "../../core/errors.ts";
import { ok, type Result } from "../../core/result.ts";
import { type SearchRequest, searchRequest } from "../contract.ts";
import { endOfDay, mayLieWithin, type Period, parseDay, rangeCovering } from "./dates.ts";
import { type DomainRule, hostsOf, matchesAny, parseDomainRule, wholeHosts } from "./domain-rules.ts";
import { CHARS_PER_TOKEN, FILTERED_MAX_RESULTS } from "./limits.ts";
import type { PerplexitySearchBody } from "./perplexity-contract.ts";
import type { Keep } from "./searches.ts";

/** A request of Perplexity's as ours: one for each of its queries. */
export interface PerplexityPlan {
  readonly requests: readonly [SearchRequest, ...SearchRequest[]];
  readonly keep: Keep;
  readonly maxResults: number;
  /** Characters of one snippet, and of all together. */
  readonly snippetChars: number;
  readonly totalChars: number;
}

/** The fields that could only be ignored, and what they would then let through must not come. */
const UNSUPPORTED = ["last_updated_after_filter", "last_updated_before_filter"] as const;

export function planPerplexitySearch(body: PerplexitySearchBody, nowMs: number): Result<PerplexityPlan> {
  const faults: FieldError[] = [];
  const refuse = (path: string, message: string) => void faults.push({ path, message });
  const { included, excluded } = readDomains(body.search_domain_filter ?? [], refuse);
  const period = readPeriod(body, refuse);
  const language = readLanguage(body.search_language_filter ?? [], refuse);
  for (const field of UNSUPPORTED) if (typeof body[field] === "string") refuse(field, "is not supported");
  const mode = body.search_mode ?? "web";
  if (mode !== "web" && mode !== "auto") refuse("search_mode", "only web is supported");
  if (faults.length > 0) return validationFailed(faults);

  const isFiltered = period.fromMs !== null || period.toMs !== null || [...included, ...excluded].some(hasPath);
  const shared: Omit<SearchRequest, "query"> = {
    maxResults: isFiltered ? FILTERED_MAX_RESULTS : body.max_results,
    topic: "general",
    searchDepth: "basic",
    timeRange: readRecency(body.search_recency_filter) ?? rangeCovering(period, nowMs),
    includeDomains: hostsOf(included),
    excludeDomains: wholeHosts(excluded),
    country: body.country ?? null,
    language,
    includeAnswer: false,
    includeRawContent: false,
    cache: "default",
  };
  const [first = "", ...others] = new Set(typeof body.query === "string" ? [body.query] : body.query);
  return ok({
    requests: [{ ...shared, query: first }, ...others.map((query) => ({ ...shared, query }))],
    keep: ({ url, publishedDate }) =>
      (included.length === 0 || matchesAny(url, included)) &&
      !matchesAny(url, excluded) &&
      mayLieWithin(period, publishedDate, nowMs),
    maxResults: body.max_results,
    snippetChars: charsOf(body.max_tokens_per_page),
    totalChars: charsOf(body.max_tokens),
  });
}

type Refuse = (path: string, message: string) => void;

function readDomains(texts: readonly string[], refuse: Refuse) {
  const included: DomainRule[] = [];
  const excluded: DomainRule[] = [];
  for (const [i, text] of texts.entries()) {
    const isExcluded = text.trimStart().startsWith("-");
    const rule = parseDomainRule(isExcluded ? text.trimStart().slice(1) : text);
    if (rule === null) refuse(`search_domain_filter.${i}`, "must be a host name such as example.com, or -example.com");
    else (isExcluded ? excluded : included).push(rule);
  }
  return { included, excluded };
}

function readPeriod(body: PerplexitySearchBody, refuse: Refuse): Period {
  const readDay = (field: "search_after_date_filter" | "search_before_date_filter") => {
    const text = body[field] ?? null;
    const day = text === null ? null : parseDay(text);
    if (text !== null && day === null) refuse(field, "must be a date such as 3/1/2026");
    return day;
  };
  const after = readDay("search_after_date_filter");
  const before = readDay("search_before_date_filter");
  if (after !== null && before !== null && after > before) {
    refuse("search_after_date_filter", "must not be after search_before_date_filter");
  }
  return { fromMs: after, toMs: before === null ? null : endOfDay(before) };
}

/** Providers take one language: of several, pages of the others would be missing. */
function readLanguage(codes: readonly string[], refuse: Refuse): string | null {
  if (codes.length > 1) refuse("search_language_filter", "one language at a time is supported");
  const language = searchRequest.shape.language.safeParse(codes[0] ?? null);
  if (!language.success) refuse("search_language_filter.0", "must be a language code of two letters");
  return language.data ?? null;
}

function readRecency(recency: PerplexitySearchBody["search_recency_filter"]): SearchRequest["timeRange"] {
  return recency === "hour" ? "day" : (recency ?? null);
}

function hasPath({ path }: DomainRule): boolean {
  return path !== null;
}

function charsOf(tokens: number | null | undefined): number {
  return tokens === null || tokens === undefined ? Number.POSITIVE_INFINITY : tokens * CHARS_PER_TOKEN;
}
