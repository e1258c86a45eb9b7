import type { RandomBytes } from "../../core/ids.ts";
import type { Failure } from "../breakers/breaker-states.ts";
import { LATER_PROVIDER_RESERVE_MS } from "../limits.ts";
import { RETRY_BACKOFF_MS } from "./orchestrator-limits.ts";

/** Whether a second try could fare better. Who asks to be left alone for a while would only say so again. */
export function mayPass(failure: Failure | null): boolean {
  if (failure === null || failure.retryAfterMs !== null) return false;
  return failure.reason === "server_error" || failure.reason === "timeout";
}

/** Before the one repeat of a turn: exponential backoff with full jitter has no second step. */
export function backoffMs(random: RandomBytes): number {
  return Math.round((RETRY_BACKOFF_MS * (random(1)[0] ?? 0)) / 255);
}

/** Whether a repeat takes nothing from those still to come: a whole attempt for the next, the reserve for each other. */
export function leavesTimeForRetry(remainingMs: number, later: number, attemptTimeoutMs: number): boolean {
  const forLaterMs = later === 0 ? 0 : attemptTimeoutMs + (later - 1) * LATER_PROVIDER_RESERVE_MS;
  return remainingMs >= attemptTimeoutMs + forLaterMs;
}
