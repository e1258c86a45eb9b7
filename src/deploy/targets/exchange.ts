import { JSON_MAX_DEPTH } from "../../config/limits.ts";
import { decodeUtf8, readBounded } from "../../core/bounded-body.ts";
import type { Clock } from "../../core/clock.ts";
import { runWithin } from "../../core/deadline.ts";
import type { Fetch } from "../../core/fetch.ts";
import { type Json, parseUntrustedJson } from "../../core/json.ts";
import type { Budget } from "./budget.ts";
import { ANSWER_MAX_BYTES, ATTEMPT_SHARE } from "./limits.ts";

export interface HostRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON; without it no body and no `Content-Type` leave. */
  readonly body?: unknown;
  readonly maxBytes?: number;
  readonly maxDepth?: number;
}

export interface HostAnswer {
  readonly kind: "answer";
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where the body is no JSON, too long or too deep. */
  readonly body: Json | undefined;
  /** The body as it came; empty where it was too long or no text. */
  readonly text: string;
}

/**
 * What became of a request. `lost`: nobody answered, or the answer broke off. `late`: nothing came in `afterMs`.
 * After both the host may have done, or may still do, what it was asked.
 */
export type Exchange = HostAnswer | { readonly kind: "lost" } | { readonly kind: "late"; readonly afterMs: number };

/** Sends one request and reads its answer whole. Rejects only when the budget has run out: nobody waits any more. */
export async function exchange(
  deps: { readonly fetch: Fetch; readonly clock: Clock },
  request: HostRequest,
  budget: Budget,
): Promise<Exchange> {
  budget.signal.throwIfAborted();
  const afterMs = Math.ceil(budget.left() * ATTEMPT_SHARE);
  try {
    const outcome = await runWithin(deps.clock, afterMs, budget.signal, (signal) => send(deps.fetch, request, signal));
    if (outcome.kind === "done") return outcome.value;
  } catch {
    budget.signal.throwIfAborted();
    return { kind: "lost" };
  }
  budget.signal.throwIfAborted();
  return { kind: "late", afterMs };
}

async function send(fetch: Fetch, request: HostRequest, signal: AbortSignal): Promise<HostAnswer> {
  const { method, url, headers, body } = request;
  const response = await fetch(url, {
    method,
    headers: body === undefined ? headers : { ...headers, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    // The key must not follow a redirect to another host.
    redirect: "manual",
    signal,
  });
  const bytes = await readBounded(response.body, request.maxBytes ?? ANSWER_MAX_BYTES);
  const text = (bytes === null ? null : decodeUtf8(bytes)) ?? "";
  const parsed = parseUntrustedJson(text, request.maxDepth ?? JSON_MAX_DEPTH);
  return {
    kind: "answer",
    status: response.status,
    headers: response.headers,
    body: parsed.ok ? parsed.value : undefined,
    text,
  };
}
