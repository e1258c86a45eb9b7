import type { Call } from "../core/actor.ts";
import type { Clock } from "../core/clock.ts";
import type { AppError } from "../core/errors.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { ChainOutcome, Found, Orchestrator } from "./chain/orchestrator.ts";
import { PERSONAL_MIN_MS, UNAVAILABLE_RETRY_SECONDS } from "./limits.ts";
import type { SearchProvider } from "./providers/provider.ts";
import { type Asked, replyFromCache, replyFromProviders, type SearchReply } from "./reply.ts";
import type { SharedAnswer } from "./shared-answer.ts";

/** Whose documents may answer, and whether somebody still waits. */
export interface Who {
  readonly ownerId: string | null;
  readonly signal: Call["signal"];
}

type Completion = (
  asked: Asked,
  shared: SharedAnswer,
  providers: readonly SearchProvider[],
  who: Who,
) => Promise<Result<SearchReply>>;

/** Makes of what all get this caller's answer: where the web has nothing, the caller's own documents may. */
export function createCompletion(deps: {
  readonly orchestrator: Orchestrator;
  readonly clock: Clock;
  readonly deadlineMs: number;
}): Completion {
  const { orchestrator, clock, deadlineMs } = deps;

  function askPersonal(asked: Asked, providers: readonly SearchProvider[], who: Who): Promise<ChainOutcome> {
    const personal = providers.filter((provider) => provider.personal);
    const deadlineAt = Math.max(asked.startedAt + deadlineMs, clock.now() + PERSONAL_MIN_MS);
    const { ownerId, signal } = who;
    // They are the Worker's own: nothing goes out.
    return orchestrator.run(personal, {
      request: asked.request,
      ownerId,
      deadlineAt,
      signal: signal?.(),
      traceparent: null,
    });
  }

  type Kept = Extract<SharedAnswer, { kind: "kept" }>;
  type Fetched = Extract<SharedAnswer, { kind: "asked" }>;

  async function fromCache(asked: Asked, kept: Kept, providers: readonly SearchProvider[], who: Who) {
    const isKnown = kept.entry.value.results.length > 0 || asked.request.cache === "only";
    if (isKnown) return replyFromCache(asked, kept, clock.now());
    // That the web has nothing is known for all; whether this owner's documents have something never is.
    const { found, attempts } = await askPersonal(asked, providers, who);
    return found !== null && found.results.length > 0
      ? replyFromProviders(asked, found, attempts, "miss", clock.now())
      : replyFromCache(asked, kept, clock.now());
  }

  async function fromProviders(asked: Asked, fetched: Fetched, providers: readonly SearchProvider[], who: Who) {
    const { outcome, fallback, coalesced, stored } = fetched;
    const status = coalesced ? "coalesced" : asked.request.cache === "bypass" ? "bypass" : "miss";
    const { found } = outcome;
    if (found !== null && found.results.length > 0) {
      return ok(replyFromProviders(asked, found, outcome.attempts, status, clock.now(), stored));
    }
    if (found === null && fallback !== null && fallback.value.results.length > 0) {
      const kept = { kind: "kept", entry: fallback, level: "l2", stale: true } as const;
      return ok(replyFromCache(asked, kept, clock.now(), outcome.attempts));
    }
    const own = await askPersonal(asked, providers, who);
    const attempts = [...outcome.attempts, ...own.attempts];
    const best = better(outcome, own.found);
    if (best === null) return err(unavailable({ ...outcome, attempts }));
    return ok(replyFromProviders(asked, best, attempts, status, clock.now(), stored && best === found));
  }

  return async function complete(asked, shared, providers, who) {
    return shared.kind === "kept"
      ? ok(await fromCache(asked, shared, providers, who))
      : fromProviders(asked, shared, providers, who);
  };
}

/** "Nothing found" of somebody who would know, before the makeshift's; and the makeshift's only where nobody failed. */
function better({ found, attempts }: ChainOutcome, own: Found | null): Found | null {
  if (own !== null && own.results.length > 0) return own;
  if (found !== null) return found;
  const someFailed = attempts.some((attempt) => attempt.outcome !== "ok" && attempt.reason !== "not_configured");
  return someFailed ? null : own;
}

function unavailable({ attempts, retryAfterMs }: ChainOutcome): AppError {
  // One that was asked twice for the same reason is named once.
  const told = [...new Set(attempts.map(({ provider, reason }) => `${provider} (${reason ?? "cancelled"})`))].join(
    ", ",
  );
  return {
    code: "SEARCH_UNAVAILABLE",
    detail: `no search provider could answer: ${told}`,
    attempts,
    retryAfterSeconds: retryAfterMs === null ? UNAVAILABLE_RETRY_SECONDS : Math.max(1, Math.ceil(retryAfterMs / 1_000)),
  };
}
