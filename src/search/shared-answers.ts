import type { Clock } from "../core/clock.ts";
import { waitAtMost } from "../core/deadline.ts";
import type { AppError } from "../core/errors.ts";
import type { RandomBytes } from "../core/ids.ts";
import type { Defer } from "../core/logger.ts";
import type { Metrics } from "../core/metrics.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { Gate } from "../http/admission/contract.ts";
import type { SharedState } from "../storage/shared-state/shared-state.ts";
import { createAskProviders } from "./asking.ts";
import type { Bulletin } from "./bulletin.ts";
import type { CachePlace, SearchCache } from "./cache/cache.ts";
import type { CacheEntry } from "./cache/cache-entry.ts";
import { stageOf } from "./cache/freshness.ts";
import type { ChainOutcome, Found, Orchestrator } from "./chain/orchestrator.ts";
import { createFlights } from "./flights.ts";
import { FOLLOWER_PATIENCE, REFRESH_PAUSE_MS } from "./limits.ts";
import { createLooks } from "./looking.ts";
import { createPauses } from "./pauses.ts";
import type { RefreshOutcome, SharedAnswer, SharedQuestion } from "./shared-answer.ts";

/**
 * The orchestration that saves asking: caches by age, one flight per question in an isolate, one claim over all of
 * them, refreshing behind stale answers. A flight asks in the trace of the caller who began it.
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
  const patienceMs = deadlineMs * FOLLOWER_PATIENCE;
  const looks = createLooks({ cache, shared, bulletin, clock, random, metrics, deadlineMs, patienceMs });
  const { open, answers, placeOf } = looks;
  const askProviders = createAskProviders({ cache, orchestrator, clock, deadlineMs, onFound });

  const kept = (entry: CacheEntry, level: "l1" | "l2") =>
    ({ kind: "kept", entry, level, stale: stageOf(entry, clock.now()) === "stale" }) as const;

  async function lead(question: SharedQuestion, gate: Gate): Promise<Landing> {
    const place = await placeOf(question.id);
    const claim = looks.newClaim();
    const looked = await looks.passAndLook(place, gate, claim);
    if (!looked.ok) return { kind: "refused", error: looked.error };
    let stored = looked.value;
    const lookedAt = clock.now();
    if (stored.claim === "busy" && !answers(stored.entry)) stored = await looks.follow(place, claim, stored);
    const { entry } = stored;
    if (answers(entry)) {
      if (stored.claim === "held") refreshBehind(question, place, claim.token);
      return kept(entry, "l2");
    }
    const claimToken = stored.claim === "held" ? claim.token : null;
    return askProviders(question, place, claimToken, entry ?? cache.near(question.id), clock.now() - lookedAt);
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
      const waited = await waitAtMost(clock, patienceMs, flight);
      if (waited === null) return ok(await askAfterAll(question));
      // Where its leader was not let in, nobody asked.
      if (waited.value.kind !== "refused") return ok(asFollower(waited.value));
    }
  }

  /** For all whose patience has ended with one flight: the first of them asks, and the others wait for it. */
  async function askAfterAll(question: SharedQuestion): Promise<SharedAnswer> {
    const under = repeats.get(question.id);
    if (under !== undefined) return asFollower(await under);
    const ask = async () => askProviders(question, await placeOf(question.id), null, null, patienceMs);
    return repeats.start(question.id, ask);
  }

  /** The stale answer has been given; the claim says that nobody else refreshes it. */
  function refreshBehind(question: SharedQuestion, place: CachePlace, claimToken: string): void {
    const work = askProviders(forNobody(question), place, claimToken, null);
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
        const landed = await lead(forNobody(question), open);
        if (landed.kind === "asked") noteRefresh(question.id, landed);
        // Somebody else refreshes, or the store is away: no need to look again at once.
        else if (landed.kind === "kept" && landed.stale) refreshPauses.begin(question.id, REFRESH_PAUSE_MS);
        return landed;
      })
      .catch(() => refreshPauses.begin(question.id, REFRESH_PAUSE_MS));
  }

  /** What memory has, with its age looked after. */
  function recallNear(question: SharedQuestion, refreshing: boolean): SharedAnswer | null {
    const entry = cache.near(question.id);
    if (!answers(entry)) return null;
    const answer = kept(entry, "l1");
    bulletin.checkSoon();
    if (answer.stale && refreshing) refreshSoon(question);
    return answer;
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
      const looked = await looks.passAndLook(await placeOf(question.id), gate);
      if (!looked.ok) return looked;
      const { entry } = looked.value;
      return ok(answers(entry) ? kept(entry, "l2") : null);
    },

    async ask(question, gate = open) {
      const passed = await looks.pass(gate);
      if (!passed.ok) return passed;
      return ok(await askProviders(question, await placeOf(question.id), null, null));
    },

    async refresh(question) {
      if (flights.get(question.id) !== undefined) return "busy";
      const place = await placeOf(question.id);
      const claim = looks.newClaim();
      // Only a stale or missing entry has a claim to take; a fresh one is refreshed by whoever runs the job.
      const stored = await cache.look(place, claim);
      if (stored.claim === "busy") return "busy";
      const claimToken = stored.claim === "held" ? claim.token : null;
      const landing = await flights.start(question.id, () => askProviders(question, place, claimToken, null));
      return landing.kind === "asked" ? refreshOutcomeOf(landing.outcome, landing.stored) : "failed";
    },

    async freshForMs(question) {
      const entry = await cache.peek(await placeOf(question.id));
      return entry === null ? null : entry.freshUntil - clock.now();
    },
  };
}

/** What goes on behind an answer is no part of the trace in which the answer was given. */
function forNobody(question: SharedQuestion): SharedQuestion {
  return { ...question, trace: undefined };
}

function asFollower(landing: SharedAnswer): SharedAnswer {
  return landing.kind === "asked" ? { ...landing, stored: false, coalesced: true } : landing;
}

function refreshOutcomeOf({ found, attempts }: ChainOutcome, stored: boolean): RefreshOutcome {
  if (attempts.some(({ reason }) => reason === "rate_limited" || reason === "quota")) return "limited";
  if (stored) return "refreshed";
  return found?.degraded ? "degraded" : "failed";
}
