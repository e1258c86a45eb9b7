import { JSON_MAX_DEPTH } from "../../config/limits.ts";
import { decodeUtf8, readBounded } from "../../core/bounded-body.ts";
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
export async function postJson(fetch: Fetch, request: UpstreamRequest, signal: AbortSignal): Promise<Response | null> {
  try {
    return await fetch(request.url, {
      method: "POST",
      headers: { ...request.headers, "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(request.body),
      // The key travels in a header: it must not follow a redirect to somebody else.
      redirect: "manual",
      signal,
    });
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

/** The body as JSON; undefined where it is none, is too long or breaks off. Rejects once `signal` has aborted. */
export async function readJson(response: Response, signal: AbortSignal): Promise<Json | undefined> {
  try {
    const bytes = await readBounded(response.body, response.ok ? UPSTREAM_MAX_BYTES : UPSTREAM_ERROR_MAX_BYTES);
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
