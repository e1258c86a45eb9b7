import type { SearchRequest, SearchResult } from "../contract.ts";
import {
  ANSWER_MAX_CHARS,
  PUBLISHED_DATE_MAX_CHARS,
  RESULT_CONTENT_MAX_CHARS,
  RESULT_RAW_CONTENT_MAX_CHARS,
  RESULT_TITLE_MAX_CHARS,
} from "../limits.ts";
import { comparableScores } from "./scores.ts";
import { cleanLines, cleanText } from "./text.ts";
import { hostBelongsTo, identityOf, safeUrl } from "./urls.ts";

/** A result as a provider gave it, its shape checked and nothing else. */
export interface RawResult {
  readonly title: string;
  readonly url: string;
  readonly content: string;
  /** In the provider's own measure, null where it has none: see `scores.ts`. */
  readonly score: number | null;
  readonly publishedDate: string | null;
  readonly rawContent: string | null;
}

type Wanted = Pick<SearchRequest, "query" | "maxResults" | "includeDomains" | "excludeDomains" | "includeRawContent">;

/**
 * The results that may be shown, in the provider's order: http(s) URLs without credentials on a host that was asked
 * for, with a title, each page once, text without markup, scores from 0 to 1, at most `maxResults`.
 */
export function cleanResults(provider: string, raw: readonly RawResult[], wanted: Wanted): SearchResult[] {
  const seen = new Set<string>();
  const cleaned: (Omit<SearchResult, "score"> & Pick<RawResult, "score">)[] = [];
  for (const item of raw) {
    if (cleaned.length === wanted.maxResults) break;
    const url = safeUrl(item.url);
    if (url === null || !isWantedHost(url.hostname, wanted)) continue;
    const identity = identityOf(url);
    const title = cleanText(item.title, RESULT_TITLE_MAX_CHARS);
    if (title === "" || seen.has(identity)) continue;
    seen.add(identity);
    cleaned.push({
      title,
      url: url.href,
      content: cleanText(item.content, RESULT_CONTENT_MAX_CHARS),
      score: item.score,
      publishedDate: cleanDate(item.publishedDate),
      provider,
      ...(wanted.includeRawContent ? { rawContent: cleanRawContent(item.rawContent) } : {}),
    });
  }
  const scores = comparableScores(provider, wanted.query, cleaned);
  return cleaned.map((result, place) => ({ ...result, score: scores[place] ?? 0 }));
}

/** A provider's own answer to the question as plain text; null where there is none. */
export function cleanAnswer(answer: string | null): string | null {
  return answer === null ? null : cleanLines(answer, ANSWER_MAX_CHARS) || null;
}

function isWantedHost(hostname: string, { includeDomains, excludeDomains }: Wanted): boolean {
  const host = hostname.replace(/\.$/, "");
  const among = (domains: readonly string[]) => domains.some((domain) => hostBelongsTo(host, domain));
  return (includeDomains.length === 0 || among(includeDomains)) && !among(excludeDomains);
}

function cleanDate(date: string | null): string | null {
  return date === null ? null : cleanText(date, PUBLISHED_DATE_MAX_CHARS) || null;
}

function cleanRawContent(text: string | null): string | null {
  return text === null ? null : cleanLines(text, RESULT_RAW_CONTENT_MAX_CHARS) || null;
}
