import * as z from "zod";
import type { Clock } from "../../core/clock.ts";
import { type Json, type JsonObject, ownProperty } from "../../core/json.ts";
import type { SearchRequest } from "../contract.ts";
import { RAW_RESULTS_MAX_ITEMS, RETRY_AFTER_MAX_MS } from "../limits.ts";
import type { RawResult } from "../quality/results.ts";
import { fingerprint } from "./fingerprint.ts";
import type { FailureReason, ProviderOutcome, SearchProvider } from "./provider.ts";
import { failed, postJson, readJson, refused, retryAfterMs } from "./upstream.ts";

/** Jina answers 400 above this. */
const JINA_MAX_RESULTS = 20;
/** Jina cannot leave hosts out: so many are asked for that enough remain when we do. */
const EXCLUDED_HOSTS_FACTOR = 2;

const NOTHING_FOUND = 42206;
const UPSTREAM_FAULTS: readonly number[] = [42204, 42205];

export interface JinaOptions {
  readonly apiKey: string | undefined;
  readonly baseUrl: string;
  readonly clock: Clock;
}

export function createJinaProvider({ apiKey, baseUrl, clock }: JinaOptions): SearchProvider {
  return {
    name: "jina",
    identity: fingerprint(baseUrl, apiKey ?? ""),
    configured: apiKey !== undefined,
    degraded: false,
    personal: false,
    async search(request, { fetch, signal }) {
      const response = await postJson(
        fetch,
        {
          url: `${baseUrl}/`,
          headers: { ...jinaHeaders(request), Authorization: `Bearer ${apiKey ?? ""}` },
          body: buildJinaRequest(request),
        },
        signal,
      );
      if (response === null) return failed("server_error", null);
      if (response.status === 200) return parseJinaAnswer(await readJson(response, signal));
      if (response.status !== 422 && response.status !== 429) {
        return refused(response, jinaFailure(response.status, null), clock.now());
      }
      const body = await readJson(response, signal);
      return jinaRefusal(response.status, body, retryAfterMs(response.headers.get("retry-after"), clock.now()));
    },
  };
}

export function buildJinaRequest(request: SearchRequest): JsonObject {
  const factor = request.excludeDomains.length === 0 ? 1 : EXCLUDED_HOSTS_FACTOR;
  return {
    q: request.query,
    num: Math.min(JINA_MAX_RESULTS, request.maxResults * factor),
    ...(request.topic === "news" ? { type: "news" } : {}),
    ...(request.country === null ? {} : { gl: request.country }),
    ...(request.language === null ? {} : { hl: request.language }),
    ...(request.includeDomains.length === 0 ? {} : { site: request.includeDomains }),
  };
}

/** Snippets alone come many times faster than pages do. */
export function jinaHeaders(request: SearchRequest): Record<string, string> {
  return {
    ...(request.includeRawContent ? {} : { "X-Respond-With": "no-content" }),
    ...(request.cache === "bypass" ? { "X-No-Cache": "true" } : {}),
  };
}

/** What a failure means by its HTTP status and, for 422, by the code in its body. 42206 is no failure: see below. */
export function jinaFailure(status: number, code: number | null): FailureReason {
  if (status === 401 || status === 403) return "unauthorized";
  if (status === 402) return "quota";
  if (status === 429) return "rate_limited";
  if (status >= 500 || (status === 422 && code !== null && UPSTREAM_FAULTS.includes(code))) return "server_error";
  return "bad_response";
}

/** A status other than 200 whose body matters: "nothing found" comes as one. `headerWaitMs` is its Retry-After. */
export function jinaRefusal(status: number, body: Json | undefined, headerWaitMs: number | null): ProviderOutcome {
  const code = wholeNumber(ownProperty(body, "status"));
  if (status === 422 && code === NOTHING_FOUND) return { ok: true, httpStatus: status, results: [], answer: null };
  const seconds = wholeNumber(ownProperty(body, "retryAfter"));
  const bodyWaitMs = seconds === null ? null : Math.min(seconds * 1_000, RETRY_AFTER_MAX_MS);
  const waitMs = bodyWaitMs === null ? headerWaitMs : Math.max(bodyWaitMs, headerWaitMs ?? 0);
  return failed(jinaFailure(status, code), status, waitMs);
}

const answerSchema = z.object({ data: z.array(z.unknown()) });

/** Only what a result cannot be without is required; what is odd in the rest is left out. */
const itemSchema = z.object({
  title: z.string(),
  url: z.string(),
  description: z.string().catch(""),
  content: z.string().catch(""),
  date: z.string().nullable().catch(null),
});

export function parseJinaAnswer(body: Json | undefined): ProviderOutcome {
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) return disguisedFailure(body);
  const items = parsed.data.data.slice(0, RAW_RESULTS_MAX_ITEMS);
  const results = items.flatMap(readItem);
  if (results.length === 0 && items.length > 0) return failed("bad_response", 200);
  return { ok: true, httpStatus: 200, results, answer: null };
}

/** A 200 whose body names another status is the failure that it names. */
function disguisedFailure(body: Json | undefined): ProviderOutcome {
  const status = wholeNumber(ownProperty(body, "code"));
  const outcome = status === null || status < 400 ? null : jinaRefusal(status, body, null);
  return outcome === null ? failed("bad_response", 200) : { ...outcome, httpStatus: 200 };
}

function readItem(item: unknown): RawResult[] {
  const parsed = itemSchema.safeParse(item);
  if (!parsed.success) return [];
  const { title, url, description, content, date } = parsed.data;
  const rawContent = content === "" ? null : content;
  return [{ title, url, content: description || content, score: null, publishedDate: date, rawContent }];
}

function wholeNumber(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
