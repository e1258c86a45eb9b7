import { toBase64Url } from "../../core/crypto.ts";
import { StorageUnavailable } from "../../core/errors.ts";
import type { RandomBytes } from "../../core/ids.ts";
import type { SharedStateObject } from "./embedded-object.ts";
import { CACHE_OBJECTS, LEASE_TOKEN_BYTES } from "./limits.ts";
import type { Lease, SharedState } from "./shared-state.ts";

interface EmbeddedSharedStateDependencies {
  readonly namespace: DurableObjectNamespace<SharedStateObject>;
  /** Makes the tokens that prove who holds a lease. */
  readonly random: RandomBytes;
}

/** Shared state in Durable Objects: one for each subject, lease and counter, and a fixed number for the cache. */
export function createEmbeddedSharedState({ namespace, random }: EmbeddedSharedStateDependencies): SharedState {
  /** The stub is made for each call: it must not outlive the request that it serves. */
  async function ask<T>(object: string, call: (stub: DurableObjectStub<SharedStateObject>) => Promise<T>): Promise<T> {
    try {
      return await call(namespace.get(namespace.idFromName(object)));
    } catch (cause) {
      throw new StorageUnavailable("the shared state does not answer", { cause });
    }
  }

  async function renewed(lease: Omit<Lease, "expiresAtMs">, end: Promise<number | null>): Promise<Lease | null> {
    const expiresAtMs = await end;
    return expiresAtMs === null ? null : { name: lease.name, token: lease.token, expiresAtMs };
  }

  return {
    async admit(subject, tiers, tokens = 1) {
      if (!Number.isSafeInteger(tokens) || tokens < 1) throw new TypeError("tokens: a whole number from 1 is needed");
      return ask(`subject:${subject}`, (stub) => stub.admit(tiers, tokens));
    },
    cacheGet: (key) => ask(cacheObject(key), (stub) => stub.cacheGet(key)),
    cacheSet: (key, value, ttlMs) => ask(cacheObject(key), (stub) => stub.cacheSet(key, value, ttlMs)),
    cacheDelete: (key) => ask(cacheObject(key), (stub) => stub.cacheDelete(key)),
    async acquireLease(name, ttlMs) {
      const token = toBase64Url(random(LEASE_TOKEN_BYTES));
      return renewed(
        { name, token },
        ask(`lease:${name}`, (stub) => stub.acquireLease(token, ttlMs)),
      );
    },
    renewLease: (lease, ttlMs) =>
      renewed(
        lease,
        ask(`lease:${lease.name}`, (stub) => stub.renewLease(lease.token, ttlMs)),
      ),
    releaseLease: (lease) => ask(`lease:${lease.name}`, (stub) => stub.releaseLease(lease.token)),
    increment: (name, by, ttlMs) => ask(`counter:${name}`, (stub) => stub.increment(by, ttlMs)),
    readCounter: (name) => ask(`counter:${name}`, (stub) => stub.readCounter()),
    ping: () => ask("ping", (stub) => stub.ping()),
  };
}

function cacheObject(key: string): string {
  return `cache:${hash(key) % CACHE_OBJECTS}`;
}

/** FNV-1a over UTF-16 units: spreads keys evenly; no defence against chosen ones is needed, as objects are bounded. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return state >>> 0;
}
