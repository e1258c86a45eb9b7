import type { Clock } from "../../core/clock.ts";
import { type DeadlineOutcome, runWithin } from "../../core/deadline.ts";
import { toError } from "../../core/errors.ts";
import type { Fetch } from "../../core/fetch.ts";
import type { RandomBytes } from "../../core/ids.ts";
import type { Logger } from "../../core/logger.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { TraceHeaders } from "../../core/trace-context.ts";
import { fetchBehind } from "../../core/traced-fetch.ts";
import type { Failure } from "../breakers/breaker-states.ts";
import { type Breakers, breakerNameOf } from "../breakers/breakers.ts";
import type { Attempt, AttemptReason, SearchRequest } from "../contract.ts";
import type { FailureReason, ProviderOutcome, SearchProvider } from "../providers/provider.ts";
import { isRelevant } from "../quality/relevance.ts";
import { cleanAnswer, cleanResults } from "../quality/results.ts";
import type { Found, Question } from "./orchestrator.ts";
import { FAIR_SLICE_PART } from "./orchestrator-limits.ts";

/** One attempt at a provider, or why there was none. */
export interface Turn {
  readonly provider: SearchProvider;
  readonly attempt: Attempt;
  /** Null where it did not answer, or with pages that have nothing to do with the question. */
  readonly found: Found | null;
  /** Null where it did not fail: it answered, or was not asked. */
  readonly failure: Failure | null;
}

/** Why a provider is not asked. */
export type Skip = Extract<AttemptReason, "circuit_open" | "not_configured" | "deadline">;

export interface AskOptions {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly breakers: Breakers;
  readonly attemptTimeoutMs: number;
}

/** Asks one provider once, for at most `sliceMs`. Where `signal` aborts, the attempt ends and is held against nobody. */
export type Ask = (
  provider: SearchProvider,
  question: Question,
  sliceMs: number,
  signal: AbortSignal | undefined,
) => Promise<Turn>;

type Outcome = DeadlineOutcome<ProviderOutcome>;

/** Statuses by which a provider refuses this one request: the next may well be answered. */
const REFUSALS: ReadonlySet<number | null> = new Set([400, 403, 409, 413, 414, 422, 451]);

const BUG: Outcome = { kind: "done", value: { ok: false, reason: "bad_response", httpStatus: null } };

export function createAsk(options: AskOptions): Ask {
  const { clock, random, logger, metrics, breakers, attemptTimeoutMs } = options;
  const fairSliceMs = attemptTimeoutMs * FAIR_SLICE_PART;

  /** A provider's bug is logged and counts as its failure: the next one can still answer. */
  function reportBug(provider: SearchProvider, thrown: unknown): Outcome {
    logger.error("search_provider_bug", { provider: provider.name, error: toError(thrown) });
    return BUG;
  }

  function tellBreaker({ provider, failure }: Turn): void {
    if (provider.personal) return;
    if (failure === null) breakers.noteSuccess(breakerNameOf(provider));
    else breakers.noteFailure(breakerNameOf(provider), failure.reason, failure.retryAfterMs);
  }

  return async (provider, question, sliceMs, signal) => {
    const { request, ownerId, traceparent } = question;
    const fetch = fetchBehind(toProviderTrace(traceparent), options.fetch, random);
    const startedAt = clock.now();
    let outcome: Outcome;
    try {
      outcome = await runWithin(clock, sliceMs, signal, (stop) =>
        provider.search(request, { signal: stop, fetch, ownerId }),
      );
    } catch (error) {
      outcome = reportBug(provider, error);
    }
    const durationMs = clock.now() - startedAt;
    const turn = judge(provider, outcome, request, durationMs);
    const cancelled = outcome.kind === "cancelled";
    countTurn(metrics, turn, cancelled ? "cancelled" : turn.attempt.reason);
    metrics.observe("orchestrix_search_attempt_duration_seconds", durationMs, { provider: provider.name });
    const fair = outcome.kind !== "timeout" || sliceMs >= fairSliceMs;
    if (!cancelled && fair && !refusesRequest(turn)) tellBreaker(turn);
    return turn;
  };
}

/**
 * Providers are third parties that the caller did not choose. A `traceparent` tells them random ids, by which an operator
 * finds a search in a provider's logs. A `tracestate` may hold anything that tracing vendors wrote for each other, which
 * W3C Trace Context (6.2, privacy) lets a service withhold.
 */
function toProviderTrace(traceparent: string | null): TraceHeaders | null {
  return traceparent === null ? null : { traceparent, tracestate: null };
}

export function skippedTurn(provider: SearchProvider, reason: Skip): Turn {
  const attempt: Attempt = { provider: provider.name, outcome: "skipped", reason, httpStatus: null, durationMs: 0 };
  return { provider, attempt, found: null, failure: null };
}

export function countTurn(metrics: Metrics, { attempt }: Turn, reason: string | null): void {
  const { provider, outcome } = attempt;
  metrics.count("orchestrix_search_attempts_total", { provider, outcome, reason: reason ?? "none" });
}

function judge(provider: SearchProvider, outcome: Outcome, request: SearchRequest, durationMs: number): Turn {
  if (outcome.kind !== "done") return failedTurn(provider, { reason: "timeout", retryAfterMs: null }, null, durationMs);
  const { value } = outcome;
  const { httpStatus } = value;
  if (!value.ok) {
    const { reason, retryAfterMs = null } = value;
    return failedTurn(provider, { reason, retryAfterMs }, httpStatus, durationMs);
  }
  const { name, degraded } = provider;
  const results = cleanResults(name, value.results, request);
  // A makeshift matches by words anyway, and is taken for what it is. On chosen sites the best page may share one word.
  const isChecked = !degraded && results.length > 0 && request.includeDomains.length === 0;
  if (isChecked && !isRelevant(request.query, results)) {
    return failedTurn(provider, { reason: "irrelevant", retryAfterMs: null }, httpStatus, durationMs);
  }
  const reason = results.length === 0 ? "empty" : null;
  return {
    provider,
    attempt: { provider: name, outcome: "ok", reason, httpStatus, durationMs },
    found: { provider: name, degraded, results, answer: request.includeAnswer ? cleanAnswer(value.answer) : null },
    failure: null,
  };
}

function failedTurn(provider: SearchProvider, failure: Failure, httpStatus: number | null, durationMs: number): Turn {
  const reason: FailureReason = failure.reason;
  const attempt: Attempt = { provider: provider.name, outcome: "failed", reason, httpStatus, durationMs };
  return { provider, attempt, found: null, failure };
}

function refusesRequest({ attempt, failure }: Turn): boolean {
  return failure?.reason === "bad_response" && REFUSALS.has(attempt.httpStatus);
}
