import { type Breakers, breakerNameOf } from "../breakers/breakers.ts";
import type { Attempt } from "../contract.ts";
import { UNAVAILABLE_RETRY_SECONDS } from "../limits.ts";
import type { Turn } from "./attempt.ts";
import type { ChainOutcome } from "./orchestrator.ts";

type Turns = readonly (Turn | undefined)[];

export function attemptsOf(turns: Turns): Attempt[] {
  return turns.flatMap((turn) => (turn === undefined ? [] : [turn.attempt]));
}

/** After a chain without results: "nothing found" where somebody who would know said so. */
export function summarize(turns: Turns, breakers: Breakers, nowMs: number, cancelled: boolean): ChainOutcome {
  const attempts = attemptsOf(turns);
  const answered = turns.flatMap((turn) => turn?.found ?? []);
  const someFailed = attempts.some((attempt) => attempt.outcome !== "ok" && attempt.reason !== "not_configured");
  // The makeshift's "nothing" says nothing about the web: it only counts where nobody better was to be asked.
  const found = answered.find((answer) => !answer.degraded) ?? (someFailed ? undefined : answered[0]);
  return {
    found: cancelled ? null : (found ?? null),
    attempts,
    retryAfterMs: shortestWaitMs(turns, breakers, nowMs),
  };
}

/** The soonest that asking again makes sense: one open breaker of hours does not count beside a fault that may pass. */
function shortestWaitMs(turns: Turns, breakers: Breakers, nowMs: number): number | null {
  const waits = turns.flatMap((turn) => {
    if (turn === undefined || turn.attempt.outcome === "ok" || turn.attempt.reason === "not_configured") return [];
    return [waitMsOf(turn, breakers, nowMs)];
  });
  return waits.length === 0 ? null : Math.min(...waits);
}

function waitMsOf({ provider, failure }: Turn, breakers: Breakers, nowMs: number): number {
  const openUntil = provider.personal ? null : breakers.stateOf(breakerNameOf(provider)).openUntil;
  if (openUntil !== null && openUntil > nowMs) return openUntil - nowMs;
  return failure?.retryAfterMs ?? UNAVAILABLE_RETRY_SECONDS * 1_000;
}
