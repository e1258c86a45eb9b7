import type { Clock } from "../core/clock.ts";
import { runWithin } from "../core/deadline.ts";
import { toError } from "../core/errors.ts";
import type { Fetch } from "../core/fetch.ts";
import type { Logger } from "../core/logger.ts";
import type { Attempt, AttemptReason, SearchRequest, SearchResult } from "./contract.ts";
import { LATER_PROVIDER_RESERVE_MS, MIN_ATTEMPT_MS } from "./limits.ts";
import type { ProviderOutcome, SearchProvider } from "./providers/provider.ts";
import { cleanAnswer, cleanResults } from "./results.ts";

export interface Question {
  readonly request: SearchRequest;
  /** Whose documents may answer; null for none's. */
  readonly ownerId: string | null;
  /** In the clock's time. */
  readonly deadlineAt: number;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal | undefined;
}

/** What a provider found. `results` is empty where nobody found anything and `provider` was the first to say so. */
export interface Found {
  readonly provider: string;
  readonly degraded: boolean;
  readonly results: readonly SearchResult[];
  readonly answer: string | null;
}

/** `found` is null where every provider failed, or the caller has gone. */
export interface ChainOutcome {
  readonly found: Found | null;
  readonly attempts: readonly Attempt[];
  /** The shortest wait that a provider which failed asked for; null where none did. */
  readonly retryAfterMs: number | null;
}

export interface OrchestratorOptions {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly attemptTimeoutMs: number;
}

export interface Orchestrator {
  /** Asks one provider after the other until one has results. Each attempt and each skip is in `attempts`. */
  run(providers: readonly SearchProvider[], question: Question): Promise<ChainOutcome>;
}

/** One provider's turn: what it found where it answered, and how long it wants to be left alone where it did not. */
interface Turn {
  readonly attempt: Attempt;
  readonly found: Found | null;
  readonly retryAfterMs: number | null;
}

export function createOrchestrator({ fetch, clock, logger, attemptTimeoutMs }: OrchestratorOptions): Orchestrator {
  async function attempt(provider: SearchProvider, question: Question, sliceMs: number): Promise<Turn> {
    const { request, ownerId } = question;
    const startedAt = clock.now();
    const outcome = await runWithin(clock, sliceMs, question.signal, (signal) =>
      guarded(provider, () => provider.search(request, { signal, fetch, ownerId }), signal),
    );
    const durationMs = clock.now() - startedAt;
    if (outcome.kind !== "done") return failedTurn(provider, "timeout", null, durationMs);
    const { value } = outcome;
    if (!value.ok) return failedTurn(provider, value.reason, value.httpStatus, durationMs, value.retryAfterMs ?? null);
    const results = cleanResults(provider.name, value.results, request);
    const reason = results.length === 0 ? "empty" : null;
    const { name, degraded } = provider;
    return {
      attempt: { provider: name, outcome: "ok", reason, httpStatus: value.httpStatus, durationMs },
      found: { provider: name, degraded, results, answer: request.includeAnswer ? cleanAnswer(value.answer) : null },
      retryAfterMs: null,
    };
  }

  /** A provider's bug is logged and counts as its failure: the next one can still answer. */
  async function guarded(
    provider: SearchProvider,
    search: () => Promise<ProviderOutcome>,
    signal: AbortSignal,
  ): Promise<ProviderOutcome> {
    try {
      return await search();
    } catch (error) {
      signal.throwIfAborted();
      logger.error("search_provider_bug", { provider: provider.name, error: toError(error) });
      return { ok: false, reason: "bad_response", httpStatus: null };
    }
  }

  return {
    async run(providers, question) {
      const turns: Turn[] = [];
      const configured = providers.filter((provider) => provider.configured);
      for (const provider of providers) {
        if (question.signal?.aborted) return { ...summarize(turns), found: null };
        if (!provider.configured) {
          turns.push(skippedTurn(provider, "not_configured"));
          continue;
        }
        const later = configured.length - 1 - configured.indexOf(provider);
        const sliceMs = sliceOf(question.deadlineAt - clock.now(), later, attemptTimeoutMs);
        if (sliceMs < MIN_ATTEMPT_MS) {
          turns.push(skippedTurn(provider, "deadline"));
          continue;
        }
        const turn = await attempt(provider, question, sliceMs);
        turns.push(turn);
        if (turn.found !== null && turn.found.results.length > 0) return { ...summarize(turns), found: turn.found };
      }
      return summarize(turns);
    },
  };
}

/**
 * How long an attempt may take: the attempt's own limit, cut so that each of the `later` providers still has its
 * chance; where little is left, an equal share.
 */
export function sliceOf(remainingMs: number, later: number, attemptTimeoutMs: number): number {
  const reserveMs = Math.min(LATER_PROVIDER_RESERVE_MS, remainingMs / (later + 1));
  return Math.min(attemptTimeoutMs, remainingMs - reserveMs * later);
}

/** After a chain without results: "nothing found" where somebody who would know said so. */
function summarize(turns: readonly Turn[]): ChainOutcome {
  const attempts = turns.map((turn) => turn.attempt);
  const waits = turns.flatMap((turn) => (turn.retryAfterMs === null ? [] : [turn.retryAfterMs]));
  const answered = turns.flatMap((turn) => (turn.found === null ? [] : [turn.found]));
  const someFailed = attempts.some((attempt) => attempt.outcome !== "ok" && attempt.reason !== "not_configured");
  // The makeshift's "nothing" says nothing about the web: it only counts where nobody better was to be asked.
  const found = answered.find((answer) => !answer.degraded) ?? (someFailed ? undefined : answered[0]);
  return { found: found ?? null, attempts, retryAfterMs: waits.length === 0 ? null : Math.min(...waits) };
}

function failedTurn(
  { name }: SearchProvider,
  reason: AttemptReason,
  httpStatus: number | null,
  durationMs: number,
  retryAfterMs: number | null = null,
): Turn {
  return {
    attempt: { provider: name, outcome: "failed", reason, httpStatus, durationMs },
    found: null,
    retryAfterMs,
  };
}

function skippedTurn({ name }: SearchProvider, reason: AttemptReason): Turn {
  return {
    attempt: { provider: name, outcome: "skipped", reason, httpStatus: null, durationMs: 0 },
    found: null,
    retryAfterMs: null,
  };
}
