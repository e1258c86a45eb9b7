import { toBase64Url } from "../../core/crypto.ts";
import { StorageUnavailable } from "../../core/errors.ts";
import type { RandomBytes } from "../../core/ids.ts";
import { type AskObject, createEmbeddedCache } from "./embedded-cache.ts";
import type { SharedStateObject } from "./embedded-object.ts";
import { LEASE_TOKEN_BYTES } from "./limits.ts";
import type { Lease, SharedState } from "./shared-state.ts";
import { stateName } from "./state-names.ts";
import { assertTokens } from "./token-buckets.ts";

interface EmbeddedSharedStateDependencies {
  readonly namespace: DurableObjectNamespace<SharedStateObject>;
  /** Makes the tokens that prove who holds a lease. */
  readonly random: RandomBytes;
}

/** Shared state in Durable Objects: one for each subject, lease and counter, and a fixed number for the cache. */
export function createEmbeddedSharedState({ namespace, random }: EmbeddedSharedStateDependencies): SharedState {
  /** The stub is made for each call: it must not outlive the request that it serves. */
  const ask: AskObject = async (object, call) => {
    try {
      return await call(namespace.get(namespace.idFromName(object)));
    } catch (cause) {
      throw new StorageUnavailable("the shared state does not answer", { cause });
    }
  };
  const { consultCache, ...cache } = createEmbeddedCache(ask);

  async function renewed(lease: Omit<Lease, "expiresAtMs">, end: Promise<number | null>): Promise<Lease | null> {
    const expiresAtMs = await end;
    return expiresAtMs === null ? null : { name: lease.name, token: lease.token, expiresAtMs };
  }

  const admit: SharedState["admit"] = async (subject, tiers, tokens = 1) => {
    assertTokens(tokens);
    return ask(stateName("subject", subject), (stub) => stub.admit(tiers, tokens));
  };

  return {
    ...cache,
    admit,
    async consult({ admit: wanted, lookup, also = [] }) {
      const [admission, cached] = await Promise.all([
        wanted === undefined ? null : admit(wanted.subject, wanted.tiers, wanted.tokens),
        consultCache(lookup, also),
      ]);
      if (admission?.admitted !== false || cached.lookup === null) return { admission, ...cached };
      const isHeld = cached.lookup.claim === "held";
      if (isHeld && lookup?.claim !== undefined) await cache.cacheRelease(lookup.key, lookup.claim.token);
      return { admission, lookup: { ...cached.lookup, claim: "none" }, also: cached.also };
    },
    giveBack: (subject, tiers, tokens) => ask(stateName("subject", subject), (stub) => stub.giveBack(tiers, tokens)),
    async acquireLease(name, ttlMs) {
      const token = toBase64Url(random(LEASE_TOKEN_BYTES));
      return renewed(
        { name, token },
        ask(stateName("lease", name), (stub) => stub.acquireLease(token, ttlMs)),
      );
    },
    renewLease: (lease, ttlMs) =>
      renewed(
        lease,
        ask(stateName("lease", lease.name), (stub) => stub.renewLease(lease.token, ttlMs)),
      ),
    releaseLease: (lease) => ask(stateName("lease", lease.name), (stub) => stub.releaseLease(lease.token)),
    increment: (name, by, ttlMs) => ask(stateName("counter", name), (stub) => stub.increment(by, ttlMs)),
    readCounter: (name) => ask(stateName("counter", name), (stub) => stub.readCounter()),
    ping: () => ask("ping", (stub) => stub.ping()),
  };
}
