import { JSON_MAX_DEPTH } from "../../config/limits.ts";
import type { Fetch } from "../../core/fetch.ts";
import { type Json, type JsonObject, parseUntrustedJson } from "../../core/json.ts";
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
    const text = await readText(response, response.ok ? UPSTREAM_MAX_BYTES : UPSTREAM_ERROR_MAX_BYTES);
    if (text === null) return undefined;
    const parsed = parseUntrustedJson(text, JSON_MAX_DEPTH);
    return parsed.ok ? parsed.value : undefined;
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

/** `Retry-After` in milliseconds, from seconds or a date; null where absent or senseless. */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  const text = header.trim();
  const waitMs = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isFinite(waitMs) && waitMs >= 0 ? Math.min(waitMs, RETRY_AFTER_MAX_MS) : null;
}

async function readText(response: Response, maxBytes: number): Promise<string | null> {
  if (response.body === null) return null;
  const reader = response.body.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      size += value.length;
      if (size > maxBytes) return null;
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    // Without effect on a body that was read to its end.
    await reader.cancel().catch(() => {});
  }
}
