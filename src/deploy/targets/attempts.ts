import type { Call } from "../../core/actor.ts";
import type { Clock } from "../../core/clock.ts";
import type { Fetch } from "../../core/fetch.ts";
import type { RandomBytes } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { fetchBehind } from "../../core/traced-fetch.ts";
import { type Budget, backoffMs } from "./budget.ts";
import { exchange, type HostAnswer, type HostRequest } from "./exchange.ts";
import { describeFailure, type HostFailure, type HostManners } from "./host-failure.ts";
import { MAX_ATTEMPTS } from "./limits.ts";

/** How a host is reached, and how it speaks. */
export interface HostLink extends HostManners {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/** The host on behalf of one call: each attempt is a child of its span. The state goes with it: the call is about this host. */
export function linkBehind<Link extends HostLink>(call: Call, link: Link): Link {
  return { ...link, fetch: fetchBehind(call.trace?.() ?? null, link.fetch, link.random) };
}

export type Attempt =
  | { readonly ok: true; readonly answer: HostAnswer }
  | { readonly ok: false; readonly failure: HostFailure };

/** Asks once. `expected` are statuses that the caller knows what to do with, beside every 2xx. */
export async function attempt(
  link: HostLink,
  request: HostRequest,
  budget: Budget,
  expected: readonly number[] = [],
): Promise<Attempt> {
  const outcome = await exchange(link, request, budget);
  if (outcome.kind === "answer" && (isSuccess(outcome.status) || expected.includes(outcome.status))) {
    return { ok: true, answer: outcome };
  }
  return { ok: false, failure: describeFailure(link, outcome, link.clock.now()) };
}

/**
 * Asks again after a failure that passes: only for what may be done twice without harm.
 * `unsure` says that an earlier attempt may have done it already.
 */
export async function persist(
  link: HostLink,
  request: HostRequest,
  budget: Budget,
  expected: readonly number[] = [],
): Promise<Attempt & { readonly unsure: boolean }> {
  let unsure = false;
  for (let count = 1; ; count++) {
    const tried = await attempt(link, request, budget, expected);
    if (tried.ok || count >= MAX_ATTEMPTS || !tried.failure.passing) return { ...tried, unsure };
    unsure ||= tried.failure.unsure;
    if (!(await pauseAfter(link, tried.failure, budget))) return { ...tried, unsure };
  }
}

/** What one POST came to. `look`: it may have been done all the same. `repeat`: if it was not, asking again is safe. */
export type Posted<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: HostFailure; readonly look: boolean; readonly repeat: boolean };

/** `absent`: what was asked for is known not to be there. Otherwise it may be, or may yet come to be. */
export type Made<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: HostFailure; readonly absent: boolean };

/** Never posts twice without a look in between: a host may have done the work and lost its answer. */
export async function makeOnce<T>(
  link: HostLink,
  budget: Budget,
  post: () => Promise<Posted<T>>,
  find: () => Promise<Result<T | null>>,
): Promise<Made<T>> {
  for (let count = 1; ; count++) {
    const posted = await post();
    if (posted.ok) return posted;
    const { failure, look, repeat } = posted;
    if (!look) return { ok: false, failure, absent: true };
    const found = (await pauseAfter(link, failure, budget)) ? await find() : null;
    if (found === null || !found.ok) return { ok: false, failure, absent: false };
    if (found.value !== null) return { ok: true, value: found.value };
    if (!repeat || count >= MAX_ATTEMPTS) return { ok: false, failure, absent: !isLate(failure) };
  }
}

/** A failed POST, judged by what is known of it alone. */
export function judgePost(failure: HostFailure): Posted<never> {
  // What was late may still be under way at the host: the same again beside it could be done twice.
  return { ok: false, failure, look: failure.passing, repeat: failure.passing && !isLate(failure) };
}

function isLate(failure: HostFailure): boolean {
  return failure.error.code === "UPSTREAM_TIMEOUT";
}

/** Waits as long as the host asked for, or a little; false where there is no time for it. */
function pauseAfter(link: HostLink, failure: HostFailure, budget: Budget): Promise<boolean> {
  return budget.pause(failure.retryAfterMs ?? backoffMs(link.random));
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
