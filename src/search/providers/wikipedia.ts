import * as z from "zod";
import type { Clock } from "../../core/clock.ts";
import { type Json, ownProperty } from "../../core/json.ts";
import type { SearchRequest } from "../contract.ts";
import { RAW_RESULTS_MAX_ITEMS } from "../limits.ts";
import type { RawResult } from "../quality/results.ts";
import { hostBelongsTo } from "../quality/urls.ts";
import { fingerprint } from "./fingerprint.ts";
import type { FailureReason, ProviderOutcome, SearchProvider } from "./provider.ts";
import { failed, getJson, readJson, refused, retryAfterMs, statusFailure } from "./upstream.ts";
import { wikipediaLanguage } from "./wikipedia-languages.ts";

/** Failures that it reports under 200 and that may pass: the database lags or is read-only, the search is down. */
const PASSING_FAULT = /^(?:maxlag|readonly|internal_api_error|cirrussearch|search-error|search-is-disabled|timeout)/;

export interface WikipediaOptions {
  readonly enabled: boolean;
  /** `{lang}` in it stands for the language's code. */
  readonly baseUrl: string;
  /** Names us and says where to reach us: Wikipedia refuses those who do not. */
  readonly userAgent: string;
  readonly clock: Clock;
}

/**
 * Articles alone, so a makeshift for the web. It knows languages; topic, time range and country mean nothing to it: a
 * question for news gets articles, marked as degraded like everything from here. What it has of time is an article's
 * last edit, which is no publication, so results carry no date.
 */
export function createWikipediaProvider({ enabled, baseUrl, userAgent, clock }: WikipediaOptions): SearchProvider {
  return {
    name: "wikipedia",
    identity: fingerprint(baseUrl, userAgent),
    configured: enabled,
    degraded: true,
    personal: false,
    async search(request, { fetch, signal }) {
      const language = wikipediaLanguage(request.language);
      if (!isWantedSite(language, request)) return { ok: true, httpStatus: null, results: [], answer: null };
      const url = `${baseUrl.replaceAll("{lang}", language)}/w/api.php?${buildWikipediaQuery(request)}`;
      const response = await getJson(fetch, { url, headers: { "User-Agent": userAgent } }, signal);
      if (response === null) return failed("server_error", null);
      if (response.status !== 200) return refused(response, statusFailure(response.status), clock.now());
      const waitMs = retryAfterMs(response.headers.get("retry-after"), clock.now());
      return parseWikipediaAnswer(await readJson(response, signal), language, waitMs);
    },
  };
}

export function buildWikipediaQuery({ query, maxResults }: SearchRequest): URLSearchParams {
  return new URLSearchParams({
    action: "query",
    list: "search",
    srsearch: query,
    srlimit: String(maxResults),
    srprop: "snippet",
    format: "json",
    formatversion: "2",
    utf8: "1",
  });
}

/** Every result lies on one host: where that one is not wanted, there is no need to ask. */
function isWantedSite(language: string, { includeDomains, excludeDomains }: SearchRequest): boolean {
  const among = (domains: readonly string[]) => domains.some((domain) => hostBelongsTo(hostOf(language), domain));
  return (includeDomains.length === 0 || among(includeDomains)) && !among(excludeDomains);
}

const answerSchema = z.object({ query: z.object({ search: z.array(z.unknown()) }) });
const itemSchema = z.object({ title: z.string().min(1), snippet: z.string().catch("") });

/** `waitMs` is the answer's Retry-After, which comes with a failure under 200 too. */
export function parseWikipediaAnswer(
  body: Json | undefined,
  language: string,
  waitMs: number | null = null,
): ProviderOutcome {
  const fault = ownProperty(body, "error");
  if (fault !== undefined) return failed(wikipediaFailure(ownProperty(fault, "code")), 200, waitMs);
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) return failed("bad_response", 200);
  const { search } = parsed.data.query;
  const results = search.slice(0, RAW_RESULTS_MAX_ITEMS).flatMap((item) => readItem(item, language));
  if (results.length === 0 && search.length > 0) return failed("bad_response", 200);
  return { ok: true, httpStatus: 200, results, answer: null };
}

/** What the code of an error under 200 means. */
export function wikipediaFailure(code: unknown): FailureReason {
  if (code === "ratelimited") return "rate_limited";
  if (code === "blocked" || code === "autoblocked" || code === "readapidenied") return "unauthorized";
  return typeof code === "string" && PASSING_FAULT.test(code) ? "server_error" : "bad_response";
}

/** The snippet is HTML, with what matched in spans; the cleaning of results makes text of it. */
function readItem(item: unknown, language: string): RawResult[] {
  const parsed = itemSchema.safeParse(item);
  if (!parsed.success) return [];
  const { title, snippet } = parsed.data;
  const url = `https://${hostOf(language)}/wiki/${encodeTitle(title)}`;
  return [{ title, url, content: snippet, score: null, publishedDate: null, rawContent: null }];
}

/** As its own links are written: spaces are underscores, slashes and colons stand. */
function encodeTitle(title: string): string {
  const text = title.toWellFormed().replaceAll(" ", "_");
  return encodeURIComponent(text).replaceAll("%2F", "/").replaceAll("%3A", ":");
}

function hostOf(language: string): string {
  return `${language}.wikipedia.org`;
}
