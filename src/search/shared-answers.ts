import type { Clock } from "../core/clock.ts";
import { toBase64Url } from "../core/crypto.ts";
import { runWithin } from "../core/deadline.ts";
import { type AppError, StorageUnavailable } from "../core/errors.ts";
import type { RandomBytes } from "../core/ids.ts";
import type { Defer } from "../core/logger.ts";
import type { Metrics } from "../core/metrics.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { Gate } from "../http/admission/contract.ts";
import type { Claim, SharedState } from "../storage/shared-state/shared-state.ts";
import { type Bulletin, keysOf } from "./bulletin.ts";
import type { CachePlace, SearchCache, Stored } from "./cache/cache.ts";
import type { CacheEntry } from "./cache/cache-entry.ts";
import { sharedKeyOf } from "./cache/cache-key.ts";
import { stageOf } from "./cache/freshness.ts";
import type { ChainOutcome, Found, Orchestrator } from "./chain/orchestrator.ts";
import type { SearchRequest } from "./contract.ts";
import { createFlights } from "./flights.ts";
import {
  CLAIM_GRACE_MS,
  CLAIM_TOKEN_BYTES,
  FOLLOW_PAUSE_MS,
  FOLLOWER_FIRST_LOOK_MS,
  FOLLOWER_LONGEST_PAUSE_MS,
  FOLLOWER_PATIENCE,
  PERSONAL_RESERVE_MS,
  REFRESH_PAUSE_MS,
} from "./limits.ts";
import { createPauses } from "./pauses.ts";
import type { SearchProvider } from "./providers/provider.ts";

/** A question that any caller may have asked. */
export interface SharedQuestion {
  readonly request: SearchRequest;
  /** See `canonicalQuestion`. */
  readonly id: string;
  /** Who is asked: none whose answers depend on the caller. */
  readonly providers: readonly SearchProvider[];
}

/** What all callers with this question get. */
export type SharedAnswer =
  | { readonly kind: "kept"; readonly entry: CacheEntry; readonly level: "l1" | "l2"; readonly stale: boolean }
  | {
      readonly kind: "asked";
      readonly outcome: ChainOutcome;
      /** Whether the answer was kept for others. */
      readonly stored: boolean;
      /** Another request asked, and this one waited for it. */
      readonly coalesced: boolean;
      /** An older answer, to be given where nobody has a new one. */
      readonly fallback: CacheEntry | null;
    };

export type RefreshOutcome = "refreshed" | "busy" | "failed" | "degraded" | "limited";

/**
 * The orchestration that saves asking: caches by age, one flight per question in an isolate, one claim over all of
 * them, refreshing behind stale answers.
 */
export interface SharedAnswers {
  /** `gate` is passed once, together with the first look at the shared cache; its refusal is the only failure. */
  answer(question: SharedQuestion, gate: Gate | undefined): Promise<Result<SharedAnswer>>;
  /** The same from the caches alone; null where they have nothing fresh or stale. */
  recall(question: SharedQuestion, gate: Gate | undefined): Promise<Result<SharedAnswer | null>>;
  /** Asks the providers whatever the caches hold, and keeps the answer. */
  ask(question: SharedQuestion, gate: Gate | undefined): Promise<Result<SharedAnswer>>;
  /** The same for nobody in particular, unless it is being asked already. */
  refresh(question: SharedQuestion): Promise<RefreshOutcome>;
  /**
   * How long the shared answer stays fresh, below 0 for a stale one; null where none is kept.
   * Throws `StorageUnavailable` where the shared cache does not answer.
   */
  freshForMs(question: SharedQuestion): Promise<number | null>;
}

/** The one key of the pause in following. */
const ELSEWHERE = "elsewhere";

type Landing = { readonly kind: "refused"; readonly error: AppError } | SharedAnswer;

export function createSharedAnswers(deps: {
  readonly cache: SearchCache;
  readonly shared: Pick<SharedState, "consult">;
  readonly bulletin: Bulletin;
  readonly orchestrator: Orchestrator;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly metrics: Metrics;
  readonly defer: Defer;
  readonly deadlineMs: number;
  /** Told of every new answer that may be shown to all. */
  readonly onFound: (found: Found) => void;
}): SharedAnswers {
  const { cache, shared, bulletin, orchestrator, clock, random, metrics, defer, deadlineMs, onFound } = deps;
  const flights = createFlights<Landing>((work) => defer("search_flight", work));
  const repeats = createFlights<SharedAnswer>((work) => defer("search_repeat", work));
  const refreshPauses = createPauses(clock);
  const follows = createPauses(clock);
  const patienceMs = deadlineMs * FOLLOWER_PATIENCE;

  /** A gate for those who have passed theirs, or have none. */
  const open: Gate = async (alongside) => {
    if (alongside === undefined) return ok(null);
    try {
      return ok(await shared.consult(alongside));
    } catch (error) {
      if (error instanceof StorageUnavailable) return ok(null);
      throw error;
    }
  };

  const newClaim = (): Claim => ({
    token: toBase64Url(random(CLAIM_TOKEN_BYTES)),
    ttlMs: deadlineMs + CLAIM_GRACE_MS,
  });

  const placeOf = async (id: string): Promise<CachePlace> => ({ id, key: await sharedKeyOf(id) });

  /** Passes the gate and looks into the shared cache, in one round trip. */
  async function passAndLook(place: CachePlace, gate: Gate, claim?: Claim): Promise<Result<Stored>> {
    const sources = bulletin.due();
    const lookup = { key: place.key, ...(claim === undefined ? {} : { claim }) };
    const passed = await gate({ lookup, also: keysOf(sources) });
    if (!passed.ok) return passed;
    bulletin.absorb(sources, passed.value?.also);
    return ok(await cache.take(place, passed.value?.lookup ?? null));
  }

  /** Asks the providers, keeps what they say, and in any case ends the claim. `waitedMs` of the deadline are gone. */
  async function fetch(
    question: SharedQuestion,
    place: CachePlace,
    claimToken: string | null,
    fallback: CacheEntry | null,
    waitedMs = 0,
  ): Promise<SharedAnswer> {
    let stored = false;
    try {
      const { request, providers } = question;
      const leftMs = Math.max(deadlineMs / 2, deadlineMs - PERSONAL_RESERVE_MS) - waitedMs;
      const deadlineAt = clock.now() + Math.max(deadlineMs / 4, leftMs);
      const outcome = await orchestrator.run(providers, { request, ownerId: null, deadlineAt, signal: undefined });
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
  }

  async function lead(question: SharedQuestion, gate: Gate): Promise<Landing> {
    const place = await placeOf(question.id);
    const claim = newClaim();
    const looked = await passAndLook(place, gate, claim);
    if (!looked.ok) return { kind: "refused", error: looked.error };
    let stored = looked.value;
    const lookedAt = clock.now();
    if (stored.claim === "busy" && !answers(stored.entry)) stored = await followElsewhere(place, claim, stored);
    const { entry } = stored;
    if (entry !== null && answers(entry)) {
      const stale = stageOf(entry, clock.now()) === "stale";
      if (stored.claim === "held") refreshBehind(question, place, claim.token);
      return { kind: "kept", entry, level: "l2", stale };
    }
    const claimToken = stored.claim === "held" ? claim.token : null;
    return fetch(question, place, claimToken, entry ?? cache.near(question.id), clock.now() - lookedAt);
  }

  /** Leads the flight for this question, or waits for the one that is under way. */
  async function answerAsOne(question: SharedQuestion, gate: Gate): Promise<Result<SharedAnswer>> {
    let pass = gate;
    for (;;) {
      const flight = flights.get(question.id);
      if (flight === undefined) {
        const landing = await flights.start(question.id, () => lead(question, pass));
        return landing.kind === "refused" ? err(landing.error) : ok(landing);
      }
      const passed = await pass();
      if (!passed.ok) return passed;
      pass = open;
      const waited = await runWithin(clock, patienceMs, undefined, () => flight);
      if (waited.kind !== "done") return ok(await askAfterAll(question));
      // Where its leader was not let in, nobody asked.
      if (waited.value.kind !== "refused") return ok(asFollower(waited.value));
    }
  }

  /** For all whose patience has ended with one flight: the first of them asks, and the others wait for it. */
  async function askAfterAll(question: SharedQuestion): Promise<SharedAnswer> {
    const under = repeats.get(question.id);
    if (under !== undefined) return asFollower(await under);
    const ask = async () => fetch(question, await placeOf(question.id), null, null, patienceMs);
    return repeats.start(question.id, ask);
  }

  /** Another isolate asks already: looks whether it has answered, until it has, gave up, or patience ends. */
  async function followElsewhere(place: CachePlace, claim: Claim, first: Stored): Promise<Stored> {
    if (follows.holds(ELSEWHERE)) return first;
    const until = clock.now() + patienceMs;
    let stored = first;
    for (let pause = FOLLOWER_FIRST_LOOK_MS; clock.now() + pause <= until; ) {
      await new Promise<void>((resolve) => clock.after(pause, resolve));
      stored = await unlessDown(cache.look(place, claim));
      if (stored.claim !== "busy" || answers(stored.entry)) return stored;
      pause = Math.min(2 * pause, FOLLOWER_LONGEST_PAUSE_MS);
    }
    // Its holder is gone, or the store says "busy" to everybody.
    follows.begin(ELSEWHERE, FOLLOW_PAUSE_MS);
    metrics.count("orchestrix_search_follows_total", { outcome: "vain" });
    return stored;
  }

  /** The stale answer has been given; the claim says that nobody else refreshes it. */
  function refreshBehind(question: SharedQuestion, place: CachePlace, claimToken: string): void {
    const work = fetch(question, place, claimToken, null);
    defer(
      "search_refresh",
      work.then((landed) => noteRefresh(question.id, landed)),
    );
  }

  function noteRefresh(id: string, landed: SharedAnswer): void {
    if (landed.kind !== "asked") return;
    metrics.count("orchestrix_search_refreshes_total", { outcome: landed.stored ? "ok" : "failed" });
    if (!landed.stored) refreshPauses.begin(id, REFRESH_PAUSE_MS);
  }

  /** A stale answer from memory: whether another isolate has a newer one, or makes it, only the shared cache knows. */
  function refreshSoon(question: SharedQuestion): void {
    const key = `refresh:${question.id}`;
    if (flights.get(key) !== undefined || refreshPauses.holds(question.id)) return;
    flights
      .start(key, async () => {
        const landed = await lead(question, open);
        if (landed.kind === "asked") noteRefresh(question.id, landed);
        // Somebody else refreshes, or the store is away: no need to look again at once.
        else if (landed.kind === "kept" && landed.stale) refreshPauses.begin(question.id, REFRESH_PAUSE_MS);
        return landed;
      })
      .catch(() => refreshPauses.begin(question.id, REFRESH_PAUSE_MS));
  }

  const answers = (entry: CacheEntry | null): boolean =>
    entry !== null && ["fresh", "stale"].includes(stageOf(entry, clock.now()));

  /** What memory has, with its age looked after. */
  function recallNear(question: SharedQuestion, refreshing: boolean): SharedAnswer | null {
    const entry = cache.near(question.id);
    const stage = entry === null ? "gone" : stageOf(entry, clock.now());
    if (entry === null || (stage !== "fresh" && stage !== "stale")) return null;
    bulletin.checkSoon();
    if (stage === "stale" && refreshing) refreshSoon(question);
    return { kind: "kept", entry, level: "l1", stale: stage === "stale" };
  }

  return {
    async answer(question, gate = open) {
      const near = recallNear(question, true);
      if (near === null) return answerAsOne(question, gate);
      const passed = await gate();
      return passed.ok ? ok(near) : passed;
    },

    async recall(question, gate = open) {
      const near = recallNear(question, false);
      if (near !== null) {
        const passed = await gate();
        return passed.ok ? ok(near) : passed;
      }
      const looked = await passAndLook(await placeOf(question.id), gate);
      if (!looked.ok) return looked;
      const { entry } = looked.value;
      if (entry === null || !answers(entry)) return ok(null);
      return ok({ kind: "kept", entry, level: "l2", stale: stageOf(entry, clock.now()) === "stale" });
    },

    async ask(question, gate = open) {
      const sources = bulletin.due();
      const passed = await gate(sources.length === 0 ? undefined : { also: keysOf(sources) });
      if (!passed.ok) return passed;
      bulletin.absorb(sources, passed.value?.also);
      return ok(await fetch(question, await placeOf(question.id), null, null));
    },

    async refresh(question) {
      if (flights.get(question.id) !== undefined) return "busy";
      const place = await placeOf(question.id);
      const claim = newClaim();
      // Only a stale or missing entry has a claim to take; a fresh one is refreshed by whoever runs the job.
      const stored = await cache.look(place, claim);
      if (stored.claim === "busy") return "busy";
      const claimToken = stored.claim === "held" ? claim.token : null;
      const landing = await flights.start(question.id, () => fetch(question, place, claimToken, null));
      return landing.kind === "asked" ? refreshOutcomeOf(landing.outcome, landing.stored) : "failed";
    },

    async freshForMs(question) {
      const entry = await cache.peek(await placeOf(question.id));
      return entry === null ? null : entry.freshUntil - clock.now();
    },
  };
}

/** While the store is away nobody can be waited for. */
async function unlessDown(look: Promise<Stored>): Promise<Stored> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof StorageUnavailable) return { entry: null, claim: "none" };
    throw error;
  }
}

function asFollower(landing: SharedAnswer): SharedAnswer {
  return landing.kind === "asked" ? { ...landing, stored: false, coalesced: true } : landing;
}

/** No makeshift is kept, and "nothing found" only where every provider that was asked said so. */
function mayBeKept({ attempts }: ChainOutcome, found: Found): boolean {
  if (found.degraded) return false;
  return found.results.length > 0 || attempts.every((attempt) => attempt.outcome !== "failed");
}

function refreshOutcomeOf({ found, attempts }: ChainOutcome, stored: boolean): RefreshOutcome {
  if (attempts.some(({ reason }) => reason === "rate_limited" || reason === "quota")) return "limited";
  if (stored) return "refreshed";
  return found?.degraded ? "degraded" : "failed";
}
