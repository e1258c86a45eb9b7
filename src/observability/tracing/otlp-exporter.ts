import { decodeUtf8, readBodyBounded } from "../../core/bounded-body.ts";
import type { Clock } from "../../core/clock.ts";
import { runWithin } from "../../core/deadline.ts";
import type { Fetch } from "../../core/fetch.ts";
import { ownProperty } from "../../core/json.ts";
import { parseRetryAfter } from "../../core/retry-after.ts";
import { EXPORT_ANSWER_MAX_BYTES, EXPORT_TIMEOUT_MS } from "./limits.ts";
import { attributesOf, type OtlpSpan } from "./spans.ts";

/**
 * What became of a request. `sent`: it was taken, but for `rejected` spans. `failed`: it was not; `isPassing` where the
 * specification asks for a retry.
 */
export type ExportOutcome =
  | { readonly kind: "sent"; readonly rejected: number }
  | {
      readonly kind: "failed";
      readonly reason: "refused" | "overloaded" | "unreachable" | "timeout";
      /** HTTP; null where no answer came. */
      readonly status: number | null;
      readonly isPassing: boolean;
      readonly retryAfterMs: number | null;
    };

export type ExportSpans = (spans: readonly OtlpSpan[]) => Promise<ExportOutcome>;

const SCOPE_NAME = "orchestrix.runtime";
/** OTLP/HTTP, "Retryable Response Codes". */
const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Sends spans in one OTLP/HTTP request as JSON. Never throws. `endpoint` is the collector's root, without `/v1/traces`. */
export function createOtlpExporter(deps: {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly version: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
}): ExportSpans {
  const { serviceName, version, fetch, clock } = deps;
  const url = `${deps.endpoint}/v1/traces`;
  const headers = { ...deps.headers, "content-type": "application/json" };
  const resource = { attributes: attributesOf({ "service.name": serviceName, "service.version": version }) };
  const scope = { name: SCOPE_NAME, version };

  async function exchange(body: string, signal: AbortSignal, onTaken: () => void): Promise<ExportOutcome> {
    // Headers are credentials: they follow no redirect.
    const response = await fetch(url, { method: "POST", headers, body, signal, redirect: "manual" });
    if (response.status === 200) {
      onTaken();
      return { kind: "sent", rejected: await readRejected(response) };
    }
    await response.body?.cancel().catch(() => {});
    const isPassing = RETRYABLE_STATUSES.has(response.status);
    return {
      kind: "failed",
      reason: isPassing ? "overloaded" : "refused",
      status: response.status,
      isPassing,
      retryAfterMs: parseRetryAfter(response.headers.get("retry-after"), clock.now()),
    };
  }

  return async function exportSpans(spans) {
    const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope, spans }] }] });
    let isTaken = false;
    const onTaken = () => {
      isTaken = true;
    };
    try {
      const done = await runWithin(clock, EXPORT_TIMEOUT_MS, undefined, (signal) => exchange(body, signal, onTaken));
      if (done.kind === "done") return done.value;
      // Whoever answered 200 has them, however long the rest of the answer takes.
      if (isTaken) return { kind: "sent", rejected: 0 };
      return { kind: "failed", reason: "timeout", status: null, isPassing: false, retryAfterMs: null };
    } catch {
      return { kind: "failed", reason: "unreachable", status: null, isPassing: true, retryAfterMs: null };
    }
  };
}

/** What is no answer of OTLP says nothing of spans that were refused. */
async function readRejected(response: Response): Promise<number> {
  const bytes = await readBodyBounded(response, EXPORT_ANSWER_MAX_BYTES).catch(() => null);
  const text = bytes === null ? null : decodeUtf8(bytes);
  try {
    const answer: unknown = JSON.parse(text ?? "null");
    const rejected = Number(ownProperty(ownProperty(answer, "partialSuccess"), "rejectedSpans") ?? 0);
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
  } catch {
    return 0;
  }
}
