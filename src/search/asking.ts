import type { Clock } from "../core/clock.ts";
import type { CachePlace, SearchCache } from "./cache/cache.ts";
import type { CacheEntry } from "./cache/cache-entry.ts";
import type { ChainOutcome, Found, Orchestrator } from "./chain/orchestrator.ts";
import { PERSONAL_RESERVE_MS } from "./limits.ts";
import type { SharedAnswer, SharedQuestion } from "./shared-answer.ts";

export type AskProviders = (
  question: SharedQuestion,
  place: CachePlace,
  /** Null where none is held. */
  claimToken: string | null,
  /** An older answer, to be handed on for the case that nobody has a new one. */
  fallback: CacheEntry | null,
  waitedMs?: number,
) => Promise<SharedAnswer>;

/** Asks the providers, keeps what they say, and in any case ends the claim. `waitedMs` of the deadline are gone. */
export function createAskProviders(deps: {
  readonly cache: SearchCache;
  readonly orchestrator: Orchestrator;
  readonly clock: Clock;
  readonly deadlineMs: number;
  /** Told of every new answer that may be shown to all. */
  readonly onFound: (found: Found) => void;
}): AskProviders {
  const { cache, orchestrator, clock, deadlineMs, onFound } = deps;

  return async function askProviders(question, place, claimToken, fallback, waitedMs = 0) {
    let stored = false;
    try {
      const { request, trace } = question;
      const providers = question.providers.filter((provider) => !provider.personal);
      const leftMs = Math.max(deadlineMs / 2, deadlineMs - PERSONAL_RESERVE_MS) - waitedMs;
      const deadlineAt = clock.now() + Math.max(deadlineMs / 4, leftMs);
      const asked = {
        request,
        ownerId: null,
        deadlineAt,
        signal: undefined,
        traceparent: trace?.()?.traceparent ?? null,
      };
      const outcome = await orchestrator.run(providers, asked);
      const { found } = outcome;
      if (found !== null && mayBeKept(outcome, found)) {
        cache.keep(
          place,
          request,
          { results: [...found.results], answer: found.answer, provider: found.provider },
          claimToken,
        );
        stored = true;
      }
      // Nothing of a makeshift is worth remembering, the index least of all.
      if (found !== null && !found.degraded) onFound(found);
      return { kind: "asked", outcome, stored, coalesced: false, fallback };
    } finally {
      if (!stored && claimToken !== null) cache.release(place.key, claimToken);
    }
  };
}

/** No makeshift is kept, and "nothing found" only where every provider that was asked said so. */
function mayBeKept({ attempts }: ChainOutcome, found: Found): boolean {
  if (found.degraded) return false;
  return found.results.length > 0 || attempts.every((attempt) => attempt.outcome !== "failed");
}
