import type { Clock } from "../../core/clock.ts";
import { toBase64Url } from "../../core/crypto.ts";
import type { RandomBytes } from "../../core/ids.ts";
import { LEASE_TOKEN_BYTES } from "./limits.ts";
import type { Consulted, SharedState } from "./shared-state.ts";
import { assertTokens } from "./token-buckets.ts";
import { admissionOf, createUpstashAdmission } from "./upstash-admission.ts";
import { misfit } from "./upstash-answers.ts";
import { type Batch, createBatch } from "./upstash-batch.ts";
import { clearEntries, lookUp, readTexts, release, remove, store } from "./upstash-cache.ts";
import { loadUpstashKit, type UpstashAccess, type UpstashKit } from "./upstash-client.ts";
import { addToCounter, countOf, releaseLease, renewLease, takeLease } from "./upstash-locks.ts";
import { entryName } from "./upstash-names.ts";

export interface UpstashOptions extends UpstashAccess {
  /** For the ends of leases. The buckets go by `Date`, as the library does. */
  readonly clock: Clock;
  /** Makes the tokens that prove who holds a lease. */
  readonly random: RandomBytes;
}

/**
 * Shared state in Upstash Redis over its REST interface, one request for a call; two where a tier refuses, or where the
 * store does not know our scripts yet. The libraries are loaded with the first call.
 */
export function createUpstashSharedState(options: UpstashOptions): SharedState {
  const { clock, random } = options;
  const admission = createUpstashAdmission();
  let kit: UpstashKit | undefined;

  /** Every caller loads for itself until one has: nothing of another request is waited for. */
  async function load(): Promise<UpstashKit> {
    kit ??= await loadUpstashKit(options);
    return kit;
  }

  async function call<T>(fill: (batch: Batch) => Promise<T>): Promise<T> {
    const batch = createBatch(await load());
    return batch.run(fill(batch));
  }

  const consult: SharedState["consult"] = async ({ admit, lookup, also = [] }) => {
    if (admit !== undefined) assertTokens(admit.tokens);
    const loaded = await load();
    const batch = createBatch(loaded);
    const [taken, looked, texts] = await batch.run(
      Promise.all([
        admit && admission.take(loaded, batch, admit.subject, admit.tiers, admit.tokens),
        lookup && lookUp(batch, lookup.key, lookup.claim),
        readTexts(batch, also),
      ]),
    );
    const consulted: Consulted = { admission: taken ? admissionOf(taken) : null, lookup: looked ?? null, also: texts };
    if (admit === undefined || taken === undefined || consulted.admission?.admitted !== false) return consulted;
    const second = createBatch(loaded);
    const isHeld = looked?.claim === "held";
    const [settled] = await second.run(
      Promise.all([
        admission.settle(loaded, second, admit.subject, taken, admit.tokens),
        isHeld && lookup?.claim && release(second, lookup.key, lookup.claim.token),
      ]),
    );
    return { ...consulted, admission: admissionOf(settled), lookup: looked ? { ...looked, claim: "none" } : null };
  };

  return {
    consult,
    async admit(subject, tiers, tokens = 1) {
      const { admission: admitted } = await consult({ admit: { subject, tiers, tokens } });
      if (admitted === null) throw misfit();
      return admitted;
    },
    async giveBack(subject, tiers, tokens) {
      assertTokens(tokens);
      await call((batch) => admission.giveBack(batch, subject, tiers, tokens));
    },
    cacheLookup: (key, claim) => call((batch) => lookUp(batch, key, claim)),
    async cacheStore(key, value, write) {
      await call((batch) => store(batch, key, value, write));
    },
    async cacheRelease(key, token) {
      await call((batch) => release(batch, key, token));
    },
    async cacheDelete(key) {
      await call((batch) => remove(batch, [entryName(key)]));
    },
    async cacheClear() {
      const loaded = await load();
      return clearEntries(() => createBatch(loaded, "operator"));
    },
    async acquireLease(name, ttlMs) {
      const token = toBase64Url(random(LEASE_TOKEN_BYTES));
      // Read before the request: the holder must never think that it holds the lease longer than the store does.
      const expiresAtMs = clock.now() + ttlMs;
      return (await call((batch) => takeLease(batch, name, token, ttlMs))) ? { name, token, expiresAtMs } : null;
    },
    async renewLease({ name, token }, ttlMs) {
      const expiresAtMs = clock.now() + ttlMs;
      const isRenewed = await call((batch) => renewLease(batch, name, token, ttlMs));
      return isRenewed ? { name, token, expiresAtMs } : null;
    },
    releaseLease: ({ name, token }) => call((batch) => releaseLease(batch, name, token)),
    increment: (name, by, ttlMs) => call((batch) => addToCounter(batch, name, by, ttlMs)),
    readCounter: (name) => call((batch) => countOf(batch, name)),
    async ping() {
      if ((await call((batch) => batch.command((pipeline) => pipeline.ping()))) !== "PONG") throw misfit();
    },
  };
}
