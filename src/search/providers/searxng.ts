import * as z from "zod";
import type { Clock } from "../../core/clock.ts";
import { type Json, ownProperty } from "../../core/json.ts";
import type { SearchRequest } from "../contract.ts";
import { RAW_RESULTS_MAX_ITEMS } from "../limits.ts";
import type { RawResult } from "../quality/results.ts";
import { fingerprint } from "./fingerprint.ts";
import type { ProviderOutcome, SearchProvider } from "./provider.ts";
import { failed, getJson, readJson, refused, statusFailure } from "./upstream.ts";

/** Filters what is explicit, as search engines do by default. */
const MODERATE = "1";

export interface SearxngOptions {
  readonly url: string | undefined;
  readonly clock: Clock;
}

/** An operator's own SearXNG. Its settings must allow the format `json`: it answers 403 otherwise. */
export function createSearxngProvider({ url, clock }: SearxngOptions): SearchProvider {
  return {
    name: "searxng",
    identity: fingerprint(url ?? ""),
    configured: url !== undefined,
    degraded: false,
    personal: false,
    async search(request, { fetch, signal }) {
      const address = `${url ?? ""}/search?${buildSearxngQuery(request)}`;
      const response = await getJson(fetch, { url: address, headers: {} }, signal);
      if (response === null) return failed("server_error", null);
      if (response.status !== 200) return refused(response, statusFailure(response.status), clock.now());
      return parseSearxngAnswer(await readJson(response, signal));
    },
  };
}

/**
 * It takes no number of results and no sites: both are cut from its answer. It knows no week either: a month holds it,
 * so nothing is missed, and some results are older than asked.
 */
export function buildSearxngQuery(request: SearchRequest): URLSearchParams {
  const { query, topic, timeRange, language, country } = request;
  const locale = language !== null && country !== null ? `${language}-${country.toUpperCase()}` : language;
  return new URLSearchParams({
    q: query,
    format: "json",
    ...(topic === "news" ? { categories: "news" } : {}),
    ...(locale === null ? {} : { language: locale }),
    ...(timeRange === null ? {} : { time_range: timeRange === "week" ? "month" : timeRange }),
    safesearch: MODERATE,
    pageno: "1",
  });
}

const answerSchema = z.object({
  results: z.array(z.unknown()),
  answers: z.array(z.unknown()).catch([]),
  unresponsive_engines: z.array(z.unknown()).catch([]),
});

/** Its scores add up what engines gave and have no upper end; the order says the same. */
const itemSchema = z.object({
  title: z.string(),
  url: z.string(),
  content: z.string().catch(""),
  publishedDate: z.string().nullable().catch(null),
});

export function parseSearxngAnswer(body: Json | undefined): ProviderOutcome {
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) return failed("bad_response", 200);
  const { results: all, answers, unresponsive_engines: unresponsive } = parsed.data;
  // Nothing from engines that did not answer is not "nothing found".
  if (all.length === 0 && unresponsive.length > 0) return failed("server_error", 200);
  const items = all.slice(0, RAW_RESULTS_MAX_ITEMS);
  const results = items.flatMap(readItem);
  if (results.length === 0 && items.length > 0) return failed("bad_response", 200);
  // Sites are left out later, and duplicates: until then more than was asked for is of use.
  return { ok: true, httpStatus: 200, results, answer: firstText(answers) };
}

function readItem(item: unknown): RawResult[] {
  const parsed = itemSchema.safeParse(item);
  return parsed.success ? [{ ...parsed.data, score: null, rawContent: null }] : [];
}

/** Answers are texts, or in later versions objects that hold one. */
function firstText(answers: readonly unknown[]): string | null {
  for (const answer of answers) {
    const text = typeof answer === "string" ? answer : ownProperty(answer, "answer");
    if (typeof text === "string" && text.trim() !== "") return text;
  }
  return null;
}
