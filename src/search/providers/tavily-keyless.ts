import type { Clock } from "../../core/clock.ts";
import { type Json, ownProperty } from "../../core/json.ts";
import { RETRY_AFTER_MAX_MS } from "../limits.ts";
import { fingerprint } from "./fingerprint.ts";
import type { ProviderOutcome, SearchProvider } from "./provider.ts";
import { buildTavilyRequest, parseTavilyAnswer, tavilyFailure } from "./tavily.ts";
import { failed, postJson, readJson, refused, retryAfterMs } from "./upstream.ts";

export interface TavilyKeylessOptions {
  /** False where there is a key, which has its own provider, or where the operator wants no keyless ones. */
  readonly enabled: boolean;
  readonly baseUrl: string;
  readonly clock: Clock;
}

/** Tavily for those without an account: the same questions and answers under a small hourly cap per address. */
export function createTavilyKeylessProvider({ enabled, baseUrl, clock }: TavilyKeylessOptions): SearchProvider {
  return {
    name: "tavily-keyless",
    identity: fingerprint(baseUrl),
    configured: enabled,
    degraded: false,
    personal: false,
    async search(request, { fetch, signal }) {
      const headers = { "X-Tavily-Access-Mode": "keyless" };
      const body = buildTavilyRequest(request);
      const response = await postJson(fetch, { url: `${baseUrl}/search`, headers, body }, signal);
      if (response === null) return failed("server_error", null);
      if (response.status === 200) return parseTavilyAnswer(await readJson(response, signal));
      if (response.status !== 429) return refused(response, tavilyFailure(response.status), clock.now());
      const told = await readJson(response, signal);
      return keylessLimit(told, retryAfterMs(response.headers.get("retry-after"), clock.now()));
    },
  };
}

/** A 429: the wait stands in its body, or it is null there. `headerWaitMs` is its Retry-After. */
export function keylessLimit(body: Json | undefined, headerWaitMs: number | null): ProviderOutcome {
  const seconds = ownProperty(ownProperty(body, "error"), "retry_after_seconds");
  const isWait = typeof seconds === "number" && Number.isFinite(seconds) && seconds >= 0;
  const bodyWaitMs = isWait ? Math.min(Math.ceil(seconds * 1_000), RETRY_AFTER_MAX_MS) : null;
  const waitMs = bodyWaitMs === null ? headerWaitMs : Math.max(bodyWaitMs, headerWaitMs ?? 0);
  return failed("rate_limited", 429, waitMs);
}
