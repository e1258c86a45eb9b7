import { type FieldError, validationFailed } from "../../core/errors.ts";
import { ok, type Result } from "../../core/result.ts";
import { type SearchRequest, searchRequest } from "../contract.ts";
import { DAY_MS, endOfDay, mayLieWithin, type Period, parseDay, rangeCovering } from "./dates.ts";
import { type DomainRule, hostsOf, matchesAny, parseDomainRule, wholeHosts } from "./domain-rules.ts";
import { FILTERED_MAX_RESULTS } from "./limits.ts";
import type { Keep } from "./searches.ts";
import type { TavilySearchBody } from "./tavily-contract.ts";
import { countryCode } from "./tavily-country-codes.ts";

/** A request of Tavily's as ours. */
export interface TavilyPlan {
  readonly request: SearchRequest;
  readonly keep: Keep;
  /** Pages that come first; empty for none. */
  readonly preferred: readonly DomainRule[];
  readonly maxResults: number;
}

const TIME_RANGES = {
  day: "day",
  d: "day",
  week: "week",
  w: "week",
  month: "month",
  m: "month",
  year: "year",
  y: "year",
} as const;

/**
 * Honours what can be honoured, exactly where results can be looked at: dates, paths and phrases are also checked here.
 * Refused is what could only be ignored and then would let something through that must not come.
 */
export function planTavilySearch(body: TavilySearchBody, nowMs: number): Result<TavilyPlan> {
  const faults: FieldError[] = [];
  const refuse = (path: string, message: string) => void faults.push({ path, message });
  const topic = body.topic ?? "general";
  const period = readPeriod(body, topic, nowMs, refuse);
  const included = readDomains(body.include_domains ?? [], "include_domains", refuse);
  const excluded = readDomains(body.exclude_domains ?? [], "exclude_domains", refuse);
  const country = topic === "general" ? readCountry(body.country, refuse) : null;
  const language = readLanguage(body.language, refuse);
  if (body.filter_by_language === true && language !== null) refuse("filter_by_language", "is not supported");
  if (body.safe_search === true) refuse("safe_search", "is not supported");
  if (faults.length > 0) return validationFailed(faults);

  const prefers = body.include_domains_mode === "prefer";
  const phrases = body.exact_match === true ? quotedPhrases(body.query) : [];
  const isFiltered =
    period.fromMs !== null || period.toMs !== null || phrases.length > 0 || [...included, ...excluded].some(hasPath);
  return ok({
    request: {
      query: body.query,
      maxResults: isFiltered ? FILTERED_MAX_RESULTS : Math.max(1, body.max_results),
      topic,
      searchDepth: body.search_depth === "advanced" ? "advanced" : "basic",
      timeRange: readTimeRange(body.time_range) ?? rangeCovering(period, nowMs),
      includeDomains: prefers ? [] : hostsOf(included),
      excludeDomains: wholeHosts(excluded),
      country,
      language,
      includeAnswer: isWanted(body.include_answer),
      includeRawContent: isWanted(body.include_raw_content),
      cache: "default",
    },
    keep: ({ url, title, content, rawContent, publishedDate }) =>
      (prefers || included.length === 0 || matchesAny(url, included)) &&
      !matchesAny(url, excluded) &&
      mayLieWithin(period, publishedDate, nowMs) &&
      holdsAll([title, content, rawContent ?? ""], phrases),
    preferred: prefers ? included : [],
    maxResults: body.max_results,
  });
}

type Refuse = (path: string, message: string) => void;

function readPeriod(body: TavilySearchBody, topic: string, nowMs: number, refuse: Refuse): Period {
  const readDay = (field: "start_date" | "end_date") => {
    const text = body[field] ?? null;
    const day = text === null ? null : parseDay(text);
    if (text !== null && day === null) refuse(field, "Invalid date. Must be YYYY-MM-DD.");
    return day;
  };
  const start = readDay("start_date");
  const end = readDay("end_date");
  if (start !== null && end !== null && start > end) refuse("start_date", "must not be after end_date");
  const daysBack = topic === "news" && typeof body.days === "number" ? nowMs - body.days * DAY_MS : null;
  return { fromMs: start ?? daysBack, toMs: end === null ? null : endOfDay(end) };
}

function readDomains(texts: readonly string[], field: string, refuse: Refuse): DomainRule[] {
  return texts.flatMap((text, i) => {
    const rule = parseDomainRule(text);
    if (rule === null) refuse(`${field}.${i}`, "must be a host name such as example.com");
    return rule ?? [];
  });
}

function readCountry(name: string | null | undefined, refuse: Refuse): string | null {
  if (name === null || name === undefined || name.trim() === "") return null;
  const code = countryCode(name);
  if (code === null) refuse("country", "Invalid country. Must be the English name of a country.");
  return code;
}

function readLanguage(code: string | null | undefined, refuse: Refuse): string | null {
  const language = searchRequest.shape.language.safeParse(code ?? null);
  if (!language.success) refuse("language", "Invalid language. Must be a code of two letters.");
  return language.data ?? null;
}

function readTimeRange(range: TavilySearchBody["time_range"]): SearchRequest["timeRange"] {
  return range === null || range === undefined ? null : TIME_RANGES[range];
}

function isWanted(asked: boolean | string | null | undefined): boolean {
  return asked !== undefined && asked !== null && asked !== false;
}

function hasPath({ path }: DomainRule): boolean {
  return path !== null;
}

function quotedPhrases(query: string): string[] {
  return Array.from(query.matchAll(/"([^"]+)"|“([^”]+)”/g), ([, straight, curly]) => fold(straight ?? curly ?? ""));
}

function holdsAll(texts: readonly string[], phrases: readonly string[]): boolean {
  if (phrases.length === 0) return true;
  const text = fold(texts.join("\n"));
  return phrases.every((phrase) => text.includes(phrase));
}

function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase().replace(/\s+/g, " ").trim();
}
