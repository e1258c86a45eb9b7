import type { SearchRequest, SearchResult } from "./contract.ts";
import {
  ANSWER_MAX_CHARS,
  PUBLISHED_DATE_MAX_CHARS,
  RANK_SCORE_DECAY,
  RESULT_CONTENT_MAX_CHARS,
  RESULT_RAW_CONTENT_MAX_CHARS,
  RESULT_TITLE_MAX_CHARS,
} from "./limits.ts";
import { cleanLines, cleanText } from "./text.ts";
import { hostBelongsTo, safeUrl, urlIdentity } from "./urls.ts";

/** A result as a provider gave it, its shape checked and nothing else. */
export interface RawResult {
  readonly title: string;
  readonly url: string;
  readonly content: string;
  /** Null where the provider has none: the rank decides. */
  readonly score: number | null;
  readonly publishedDate: string | null;
  readonly rawContent: string | null;
}

type Wanted = Pick<SearchRequest, "maxResults" | "includeDomains" | "excludeDomains" | "includeRawContent">;

/**
 * The results that may be shown, in the provider's order: http(s) URLs without credentials on a host that was asked
 * for, with a title, each page once, text without markup, scores from 0 to 1, at most `maxResults`.
 */
export function cleanResults(provider: string, raw: readonly RawResult[], wanted: Wanted): SearchResult[] {
  const seen = new Set<string>();
  const results: SearchResult[] = [];
  for (const item of raw) {
    if (results.length === wanted.maxResults) break;
    const url = safeUrl(item.url);
    if (url === null || !isWantedHost(url.hostname, wanted)) continue;
    const identity = urlIdentity(url.href);
    const title = cleanText(item.title, RESULT_TITLE_MAX_CHARS);
    if (title === "" || identity === null || seen.has(identity)) continue;
    seen.add(identity);
    results.push({
      title,
      url: url.href,
      content: cleanText(item.content, RESULT_CONTENT_MAX_CHARS),
      score: scoreOf(item.score, results.length),
      publishedDate: cleanDate(item.publishedDate),
      provider,
      ...(wanted.includeRawContent ? { rawContent: cleanRawContent(item.rawContent) } : {}),
    });
  }
  return results;
}

/** A provider's own answer to the question as plain text; null where there is none. */
export function cleanAnswer(answer: string | null): string | null {
  return answer === null ? null : cleanLines(answer, ANSWER_MAX_CHARS) || null;
}

/** From 1 downwards, by the place in the list (0 is the first). */
export function rankScore(rank: number): number {
  return rounded(1 / (1 + rank * RANK_SCORE_DECAY));
}

function isWantedHost(hostname: string, { includeDomains, excludeDomains }: Wanted): boolean {
  const host = hostname.replace(/\.$/, "");
  const among = (domains: readonly string[]) => domains.some((domain) => hostBelongsTo(host, domain));
  return (includeDomains.length === 0 || among(includeDomains)) && !among(excludeDomains);
}

function scoreOf(score: number | null, rank: number): number {
  if (score === null || !Number.isFinite(score)) return rankScore(rank);
  return rounded(Math.min(1, Math.max(0, score)));
}

function rounded(score: number): number {
  return Math.round(score * 10_000) / 10_000;
}

function cleanDate(date: string | null): string | null {
  return date === null ? null : cleanText(date, PUBLISHED_DATE_MAX_CHARS) || null;
}

function cleanRawContent(text: string | null): string | null {
  return text === null ? null : cleanLines(text, RESULT_RAW_CONTENT_MAX_CHARS) || null;
}
