import * as z from "zod";
import type { Clock } from "../../core/clock.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import type { SearchRequest } from "../contract.ts";
import { RAW_RESULTS_MAX_ITEMS } from "../limits.ts";
import type { RawResult } from "../quality/results.ts";
import { fingerprint } from "./fingerprint.ts";
import type { FailureReason, ProviderOutcome, ProviderQuota, SearchProvider } from "./provider.ts";
import { tavilyCountry } from "./tavily-countries.ts";
import { discard, failed, getJson, postJson, readJson, refused } from "./upstream.ts";

export interface TavilyOptions {
  readonly apiKey: string | undefined;
  readonly baseUrl: string;
  readonly clock: Clock;
}

export function createTavilyProvider({ apiKey, baseUrl, clock }: TavilyOptions): SearchProvider {
  const headers = { Authorization: `Bearer ${apiKey ?? ""}` };
  return {
    name: "tavily",
    identity: fingerprint(baseUrl, apiKey ?? ""),
    configured: apiKey !== undefined,
    degraded: false,
    personal: false,
    async search(request, { fetch, signal }) {
      const body = buildTavilyRequest(request);
      const response = await postJson(fetch, { url: `${baseUrl}/search`, headers, body }, signal);
      if (response === null) return failed("server_error", null);
      if (response.status !== 200) return refused(response, tavilyFailure(response.status), clock.now());
      return parseTavilyAnswer(await readJson(response, signal));
    },
    async quota({ fetch, signal }) {
      const response = await getJson(fetch, { url: `${baseUrl}/usage`, headers }, signal);
      if (response?.status === 200) return parseTavilyUsage(await readJson(response, signal));
      if (response !== null) await discard(response);
      return null;
    },
  };
}

export function buildTavilyRequest(request: SearchRequest): JsonObject {
  const country = request.topic === "general" && request.country !== null ? tavilyCountry(request.country) : null;
  return {
    query: request.query,
    search_depth: request.searchDepth,
    max_results: request.maxResults,
    topic: request.topic,
    include_answer: request.includeAnswer,
    include_raw_content: request.includeRawContent ? "text" : false,
    ...(request.timeRange === null ? {} : { time_range: request.timeRange }),
    // Without the mode, the list is only a preference.
    ...(request.includeDomains.length === 0
      ? {}
      : { include_domains: request.includeDomains, include_domains_mode: "restrict" }),
    ...(request.excludeDomains.length === 0 ? {} : { exclude_domains: request.excludeDomains }),
    ...(country === null ? {} : { country }),
  };
}

/** What a status other than 200 means. 400, 403 and 422 refuse our request: another try would fare no better. */
export function tavilyFailure(status: number): FailureReason {
  if (status === 401) return "unauthorized";
  if (status === 429) return "rate_limited";
  if (status === 432 || status === 433) return "quota";
  return status >= 500 ? "server_error" : "bad_response";
}

const answerSchema = z.object({ answer: z.unknown().optional(), results: z.array(z.unknown()) });

/** Only what a result cannot be without is required; what is odd in the rest is left out. */
const itemSchema = z.object({
  title: z.string(),
  url: z.string(),
  content: z.string().catch(""),
  score: z.number().nullable().catch(null),
  published_date: z.string().nullable().catch(null),
  raw_content: z.string().nullable().catch(null),
});

export function parseTavilyAnswer(body: Json | undefined): ProviderOutcome {
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) return failed("bad_response", 200);
  const items = parsed.data.results.slice(0, RAW_RESULTS_MAX_ITEMS);
  const results = items.flatMap(readItem);
  if (results.length === 0 && items.length > 0) return failed("bad_response", 200);
  const answer = typeof parsed.data.answer === "string" ? parsed.data.answer : null;
  return { ok: true, httpStatus: 200, results, answer };
}

function readItem(item: unknown): RawResult[] {
  const parsed = itemSchema.safeParse(item);
  if (!parsed.success) return [];
  const { title, url, content, score, published_date: publishedDate, raw_content: rawContent } = parsed.data;
  return [{ title, url, content, score, publishedDate, rawContent }];
}

const amount = z.number().nonnegative().nullable().catch(null);
const usageSchema = z.object({
  key: z.object({ usage: amount, limit: amount }).nullable().catch(null),
  account: z.object({ plan_usage: amount, plan_limit: amount }).nullable().catch(null),
});

/** Credits: of the key where it has a limit of its own, else of the plan. */
export function parseTavilyUsage(body: Json | undefined): ProviderQuota | null {
  const parsed = usageSchema.safeParse(body);
  if (!parsed.success) return null;
  const { key, account } = parsed.data;
  const ofKey = key?.usage == null ? null : { used: key.usage, limit: key.limit };
  if (ofKey !== null && ofKey.limit !== null) return ofKey;
  const ofPlan = account?.plan_usage == null ? null : { used: account.plan_usage, limit: account.plan_limit };
  return ofPlan ?? ofKey;
}
