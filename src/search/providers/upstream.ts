import { JSON_MAX_DEPTH } from "../../config/limits.ts";
import { decodeUtf8, readBodyBounded } from "../../core/bounded-body.ts";
import type { Fetch } from "../../core/fetch.ts";
import { type Json, type JsonObject, parseUntrustedJson } from "../../core/json.ts";
import { parseRetryAfter } from "../../core/retry-after.ts";
import { RETRY_AFTER_MAX_MS, UPSTREAM_ERROR_MAX_BYTES, UPSTREAM_MAX_BYTES } from "../limits.ts";
import type { FailureReason, ProviderOutcome } from "./provider.ts";

export interface UpstreamRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
}

/** Null where nobody answered: refused, reset, unknown host, bad certificate. Rejects once `signal` has aborted. */
export function postJson(fetch: Fetch, request: UpstreamRequest, signal: AbortSignal): Promise<Response | null> {
  const headers = { ...request.headers, "Content-Type": "application/json", Accept: "application/json" };
  return send(fetch, request.url, { method: "POST", headers, body: JSON.stringify(request.body) }, signal);
}

/** The same without a body. */
export function getJson(
  fetch: Fetch,
  request: Omit<UpstreamRequest, "body">,
  signal: AbortSignal,
): Promise<Response | null> {
  return send(
    fetch,
    request.url,
    { method: "GET", headers: { ...request.headers, Accept: "application/json" } },
    signal,
  );
}

/** What both do, for a request of any other make. Null and rejection as there. */
export async function send(
  fetch: Fetch,
  url: string,
  init: Pick<RequestInit, "method" | "headers" | "body">,
  signal: AbortSignal,
): Promise<Response | null> {
  try {
    // The key travels in a header: it must not follow a redirect to somebody else.
    return await fetch(url, { ...init, redirect: "manual", signal });
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

/** What a status that means failure means by HTTP alone, for providers that have no codes of their own. */
export function statusFailure(status: number): FailureReason {
  if (status === 401 || status === 403) return "unauthorized";
  if (status === 402) return "quota";
  if (status === 429) return "rate_limited";
  return status >= 500 ? "server_error" : "bad_response";
}

/** The outcome of an answer whose body nobody reads: its status, and how long to wait where a header says so. */
export async function refused(response: Response, reason: FailureReason, nowMs: number): Promise<ProviderOutcome> {
  await discard(response);
  return failed(reason, response.status, retryAfterMs(response.headers.get("retry-after"), nowMs));
}

/** The body as JSON; undefined where it is none, is too long or breaks off. Rejects once `signal` has aborted. */
export async function readJson(response: Response, signal: AbortSignal): Promise<Json | undefined> {
  try {
    const bytes = await readBodyBounded(response, response.ok ? UPSTREAM_MAX_BYTES : UPSTREAM_ERROR_MAX_BYTES);
    const text = bytes === null ? null : decodeUtf8(bytes);
    const parsed = text === null ? null : parseUntrustedJson(text, JSON_MAX_DEPTH);
    return parsed?.ok ? parsed.value : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Lets go of a body that nobody reads, so that its connection is free. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {});
}

/** A failure after an answer; with how long to wait where the answer says so. */
export function failed(
  reason: FailureReason,
  httpStatus: number | null,
  retryAfterMs: number | null = null,
): ProviderOutcome {
  return { ok: false, reason, httpStatus, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
}

/** How long a provider wants to be left alone: at most RETRY_AFTER_MAX_MS, null where it does not say. */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  const waitMs = parseRetryAfter(header, nowMs);
  return waitMs === null ? null : Math.min(waitMs, RETRY_AFTER_MAX_MS);
}
