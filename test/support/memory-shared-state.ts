import type { Clock } from "../../src/core/clock.ts";
import { createClaims } from "../../src/storage/shared-state/claims.ts";
import { addToCount, type Count, readCount } from "../../src/storage/shared-state/counters.ts";
import { type Holding, isHeld, isHeldBy } from "../../src/storage/shared-state/leases.ts";
import type { Lease, SharedCache, SharedState } from "../../src/storage/shared-state/shared-state.ts";
import { assertTokens, type Buckets, returnTokens, takeTokens } from "../../src/storage/shared-state/token-buckets.ts";

const MAX_CLAIMS = 100_000;

/** The whole port in memory, on a clock of the test's own. Passes the contract suite. */
export function createMemorySharedState(clock: Clock): SharedState {
  const cache = createMemoryEntries(clock);
  const subjects = new Map<string, Buckets>();
  const leases = new Map<string, Holding>();
  const counts = new Map<string, Count>();
  let tokensMade = 0;

  const admit: SharedState["admit"] = async (subject, tiers, tokens = 1) => {
    assertTokens(tokens);
    const taken = takeTokens(subjects.get(subject) ?? {}, tiers, tokens, clock.now());
    subjects.set(subject, taken.buckets);
    return taken.admission;
  };

  function hold(name: string, token: string, ttlMs: number): Lease {
    const expiresAtMs = clock.now() + ttlMs;
    leases.set(name, { token, expiresAtMs });
    return { name, token, expiresAtMs };
  }

  return {
    ...cache,
    admit,
    consult: (consultation) => consultInParts({ ...cache, admit }, consultation),
    async giveBack(subject, tiers, tokens) {
      assertTokens(tokens);
      subjects.set(subject, returnTokens(subjects.get(subject) ?? {}, tiers, tokens, clock.now()));
    },
    async acquireLease(name, ttlMs) {
      if (isHeld(leases.get(name), clock.now())) return null;
      tokensMade++;
      return hold(name, `lease-token-${String(tokensMade).padStart(8, "0")}`, ttlMs);
    },
    async renewLease({ name, token }, ttlMs) {
      return isHeldBy(leases.get(name), token, clock.now()) ? hold(name, token, ttlMs) : null;
    },
    async releaseLease({ name, token }) {
      return isHeldBy(leases.get(name), token, clock.now()) && leases.delete(name);
    },
    async increment(name, by, ttlMs) {
      const count = addToCount(counts.get(name), by, ttlMs, clock.now());
      counts.set(name, count);
      return count.value;
    },
    readCounter: async (name) => readCount(counts.get(name), clock.now()),
    async ping() {},
  };
}

/** A consultation by the port's other methods. */
export async function consultInParts(
  store: Pick<SharedState, "admit" | "cacheLookup" | "cacheRelease">,
  { admit, lookup, also = [] }: Parameters<SharedState["consult"]>[0],
): ReturnType<SharedState["consult"]> {
  const admission = admit === undefined ? null : await store.admit(admit.subject, admit.tiers, admit.tokens);
  // Without the claim where the admission was refused: then none is held.
  const claim = admission?.admitted === false ? undefined : lookup?.claim;
  return {
    admission,
    lookup: lookup === undefined ? null : await store.cacheLookup(lookup.key, claim),
    also: await Promise.all(also.map(async (key) => (await store.cacheLookup(key)).value)),
  };
}

function createMemoryEntries(clock: Clock): SharedCache {
  const claims = createClaims(MAX_CLAIMS);
  const entries = new Map<
    string,
    { readonly value: string; readonly freshUntil: number; readonly keptUntil: number }
  >();
  return {
    async cacheLookup(key, claim) {
      const now = clock.now();
      const entry = entries.get(key);
      const kept = entry !== undefined && entry.keptUntil > now ? entry : null;
      const value = kept?.value ?? null;
      if (claim === undefined || (kept !== null && kept.freshUntil > now)) return { value, claim: "none" };
      return { value, claim: claims.take(key, claim, now) };
    },
    async cacheStore(key, value, { freshMs, keepMs, claimToken }) {
      const now = clock.now();
      entries.set(key, { value, freshUntil: now + freshMs, keptUntil: now + keepMs });
      if (claimToken !== undefined) claims.end(key, claimToken, now);
    },
    async cacheRelease(key, token) {
      claims.end(key, token, clock.now());
    },
    async cacheDelete(key) {
      entries.delete(key);
    },
    async cacheClear() {
      const gone = entries.size;
      entries.clear();
      return gone;
    },
  };
}
