import { type Clock, sleep } from "../core/clock.ts";
import { toBase64Url } from "../core/crypto.ts";
import { unlessUnavailable } from "../core/errors.ts";
import type { RandomBytes } from "../core/ids.ts";
import type { Metrics } from "../core/metrics.ts";
import { ok, type Result } from "../core/result.ts";
import type { Gate } from "../http/admission/contract.ts";
import type { Claim, SharedState } from "../storage/shared-state/shared-state.ts";
import { type Bulletin, keysOf } from "./bulletin.ts";
import { type CachePlace, NOTHING, type SearchCache, type Stored } from "./cache/cache.ts";
import type { CacheEntry } from "./cache/cache-entry.ts";
import { sharedKeyOf } from "./cache/cache-key.ts";
import { stageOf } from "./cache/freshness.ts";
import {
  CLAIM_GRACE_MS,
  CLAIM_TOKEN_BYTES,
  FOLLOW_PAUSE_MS,
  FOLLOWER_FIRST_LOOK_MS,
  FOLLOWER_LONGEST_PAUSE_MS,
} from "./limits.ts";
import { createPauses } from "./pauses.ts";

/** Looks into the shared cache, at once with whatever else has to be asked there. */
export interface Looks {
  /** A gate for those who have passed theirs, or have none. */
  readonly open: Gate;
  placeOf(id: string): Promise<CachePlace>;
  newClaim(): Claim;
  /** Passes the gate and looks, in one round trip. */
  passAndLook(place: CachePlace, gate: Gate, claim?: Claim): Promise<Result<Stored>>;
  /** Passes the gate without a look, along with what is due. */
  pass(gate: Gate): Promise<Result<null>>;
  /** Another isolate asks already: looks whether it has answered, until it has, gave up, or patience ends. */
  follow(place: CachePlace, claim: Claim, first: Stored): Promise<Stored>;
  /** Whether the entry may be given while all is well. */
  answers(entry: CacheEntry | null): entry is CacheEntry;
}

/** The one key of the pause in following. */
const ELSEWHERE = "elsewhere";

export function createLooks(deps: {
  readonly cache: SearchCache;
  readonly shared: Pick<SharedState, "consult">;
  readonly bulletin: Bulletin;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly metrics: Metrics;
  readonly deadlineMs: number;
  /** How long another isolate's answer is waited for. */
  readonly patienceMs: number;
}): Looks {
  const { cache, shared, bulletin, clock, random, metrics, deadlineMs, patienceMs } = deps;
  const follows = createPauses(clock);

  const answers = (entry: CacheEntry | null): entry is CacheEntry => {
    if (entry === null) return false;
    const stage = stageOf(entry, clock.now());
    return stage === "fresh" || stage === "stale";
  };

  return {
    answers,
    placeOf: async (id) => ({ id, key: await sharedKeyOf(id) }),
    newClaim: () => ({ token: toBase64Url(random(CLAIM_TOKEN_BYTES)), ttlMs: deadlineMs + CLAIM_GRACE_MS }),

    async open(alongside) {
      return ok(alongside === undefined ? null : await unlessUnavailable(shared.consult(alongside), null));
    },

    async passAndLook(place, gate, claim) {
      const sources = bulletin.due();
      const lookup = { key: place.key, ...(claim === undefined ? {} : { claim }) };
      const passed = await gate({ lookup, also: keysOf(sources) });
      if (!passed.ok) return passed;
      bulletin.absorb(sources, passed.value?.also);
      return ok(await cache.take(place, passed.value?.lookup ?? null));
    },

    async pass(gate) {
      const sources = bulletin.due();
      const passed = await gate(sources.length === 0 ? undefined : { also: keysOf(sources) });
      if (!passed.ok) return passed;
      bulletin.absorb(sources, passed.value?.also);
      return ok(null);
    },

    async follow(place, claim, first) {
      if (follows.holds(ELSEWHERE)) return first;
      const until = clock.now() + patienceMs;
      let stored = first;
      for (let pause = FOLLOWER_FIRST_LOOK_MS; clock.now() + pause <= until; ) {
        await sleep(clock, pause);
        // While the store is away nobody can be waited for.
        stored = await unlessUnavailable(cache.look(place, claim), NOTHING);
        if (stored.claim !== "busy" || answers(stored.entry)) return stored;
        pause = Math.min(2 * pause, FOLLOWER_LONGEST_PAUSE_MS);
      }
      // Its holder is gone, or the store says "busy" to everybody.
      follows.begin(ELSEWHERE, FOLLOW_PAUSE_MS);
      metrics.count("orchestrix_search_follows_total", { outcome: "vain" });
      return stored;
    },
  };
}
