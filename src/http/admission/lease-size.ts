import { type Account, isIdle } from "./account.ts";
import { LEASE_MAX_SHARE, LEASE_MAX_SHARE_OF_REST } from "./limits.ts";

/**
 * How many tokens to ask for, when `demand` requests wait for one: those, or a lease as large as use so far justifies.
 * 0 where nobody waits and none are needed.
 */
export function leaseSize(account: Account, nowMs: number, demand: number): number {
  const rest = restOf(account, nowMs);
  const most = Math.max(1, Math.floor(account.smallestLimit * LEASE_MAX_SHARE));
  const lease = Math.min(expectedUse(account, nowMs), most, Math.floor(rest * LEASE_MAX_SHARE_OF_REST));
  // One is asked for also where none are known to be left: only the shared limiter refuses a request.
  const needed = demand === 0 ? 0 : Math.max(1, Math.min(demand, rest));
  return Math.max(lease, needed);
}

/** What was left for all at the last answer, in the tier that has least. A tier whose window is over is full again. */
function restOf(account: Account, nowMs: number): number {
  let rest = account.smallestLimit;
  for (const { remaining, endsAtMs } of account.known) {
    if (nowMs < endsAtMs && remaining < rest) rest = remaining;
  }
  return rest;
}

/**
 * Up to twice the last lease, but no more than use at its present pace needs to the window's end. A new window begins
 * with what the last one showed.
 */
function expectedUse(account: Account, nowMs: number): number {
  if (isIdle(account, nowMs)) return 1;
  if (nowMs < account.boughtUntilMs) {
    const elapsedMs = nowMs - account.boughtAtMs;
    const leftMs = account.boughtUntilMs - nowMs;
    if (elapsedMs <= 0) return account.size * 2;
    const toCome = Math.floor((account.spent * leftMs) / elapsedMs) - account.tokens;
    return Math.max(0, Math.min(toCome, account.size * 2));
  }
  // The old window may still run where the answer is given: what is bought there would be void on arrival.
  return nowMs < account.rolloverMs ? 0 : account.size;
}
