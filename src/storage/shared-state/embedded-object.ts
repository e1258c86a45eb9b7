import { DurableObject } from "cloudflare:workers";
import { createBufferedRows } from "./buffered-rows.ts";
import { createCacheRows } from "./cache-rows.ts";
import { createClaims } from "./claims.ts";
import { addToCount, type Count, readCount } from "./counters.ts";
import { type Holding, isHeld, isHeldBy } from "./leases.ts";
import {
  CACHE_ENTRY_MAX_CHARS,
  CACHE_OBJECT_MAX_CHARS,
  CACHE_OBJECT_MAX_CLAIMS,
  CACHE_OBJECT_MAX_ENTRIES,
  CACHE_SWEEP_MS,
  SWEEP_GRACE_MS,
} from "./limits.ts";
import type { Admission, CacheLookup, CacheWrite, Claim, Tier } from "./shared-state.ts";
import { type Buckets, bucketsEndMs, returnTokens, takeTokens } from "./token-buckets.ts";
import { createWriteBehind } from "./write-behind.ts";

const LEASE_KEY = "lease";

/**
 * One piece of shared state: the buckets of a subject, a share of the cache, a lease, or a counter, as the name under
 * which it is reached decides. Time is this object's own. When everything in it has ended, an alarm clears its storage.
 */
export class SharedStateObject extends DurableObject {
  readonly #buckets = createWriteBehind<Buckets>(this.ctx.storage, "buckets");
  readonly #count = createWriteBehind<Count>(this.ctx.storage, "count");
  readonly #claims = createClaims(CACHE_OBJECT_MAX_CLAIMS);
  readonly #cache = createBufferedRows(
    createCacheRows(this.ctx.storage, {
      maxEntries: CACHE_OBJECT_MAX_ENTRIES,
      maxChars: CACHE_OBJECT_MAX_CHARS,
      maxEntryChars: CACHE_ENTRY_MAX_CHARS,
    }),
    (work) => this.ctx.storage.transactionSync(work),
  );
  #alarmAtMs = 0;

  async ping(): Promise<void> {}

  async admit(tiers: readonly Tier[], tokens: number): Promise<Admission> {
    const now = Date.now();
    const taken = takeTokens(this.#buckets.read() ?? {}, tiers, tokens, now);
    if (taken.admission.admitted) {
      this.#buckets.write(taken.buckets);
      this.#sweepAfter(bucketsEndMs(taken.buckets), now);
    }
    return taken.admission;
  }

  async giveBack(tiers: readonly Tier[], tokens: number): Promise<void> {
    const buckets = this.#buckets.read() ?? {};
    const returned = returnTokens(buckets, tiers, tokens, Date.now());
    if (returned !== buckets) this.#buckets.write(returned);
  }

  /** The look-up of one key, and the texts of others, in one call. */
  async cacheConsult(
    lookup: { readonly key: string; readonly claim: Claim | null } | null,
    also: readonly string[],
  ): Promise<{ readonly lookup: CacheLookup | null; readonly also: readonly (string | null)[] }> {
    const now = Date.now();
    return {
      lookup: lookup === null ? null : this.#lookUp(lookup.key, lookup.claim, now),
      also: also.map((key) => this.#cache.get(key, now)?.text ?? null),
    };
  }

  async cacheStore(key: string, value: string, write: CacheWrite): Promise<void> {
    const now = Date.now();
    this.#cache.set(key, value, { freshUntilMs: now + write.freshMs, expiresAtMs: now + write.keepMs });
    if (write.claimToken !== undefined) this.#claims.end(key, write.claimToken, now);
    this.#sweepAfter(now + CACHE_SWEEP_MS, now);
  }

  async cacheRelease(key: string, claimToken: string): Promise<void> {
    this.#claims.end(key, claimToken, Date.now());
  }

  async cacheDelete(key: string): Promise<void> {
    this.#cache.delete(key);
  }

  async cacheClear(): Promise<number> {
    return this.#cache.clear();
  }

  /** When the lease ends, or null while another holds it. */
  async acquireLease(token: string, ttlMs: number): Promise<number | null> {
    return isHeld(this.#holding(), Date.now()) ? null : this.#hold(token, ttlMs);
  }

  async renewLease(token: string, ttlMs: number): Promise<number | null> {
    return isHeldBy(this.#holding(), token, Date.now()) ? this.#hold(token, ttlMs) : null;
  }

  async releaseLease(token: string): Promise<boolean> {
    const released = isHeldBy(this.#holding(), token, Date.now());
    if (released) this.ctx.storage.kv.delete(LEASE_KEY);
    return released;
  }

  async increment(by: number, ttlMs: number): Promise<number> {
    const now = Date.now();
    const count = addToCount(this.#count.read(), by, ttlMs, now);
    this.#count.write(count);
    this.#sweepAfter(count.expiresAtMs, now);
    return count.value;
  }

  async readCounter(): Promise<number> {
    return readCount(this.#count.read(), Date.now());
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    this.#alarmAtMs = 0;
    const cacheEnd = this.#cache.sweep(now) > 0 ? now + CACHE_SWEEP_MS : 0;
    const leaseEnd = this.#holding()?.expiresAtMs ?? 0;
    const end = Math.max(
      cacheEnd,
      leaseEnd,
      bucketsEndMs(this.#buckets.read() ?? {}),
      this.#count.read()?.expiresAtMs ?? 0,
    );
    if (end > now) {
      this.#sweepAfter(end, now);
      return;
    }
    this.#buckets.forget();
    this.#count.forget();
    this.#cache.forget();
    await this.ctx.storage.deleteAll();
  }

  #lookUp(key: string, claim: Claim | null, nowMs: number): CacheLookup {
    const found = this.#cache.get(key, nowMs);
    const value = found?.text ?? null;
    if (claim === null || found?.isFresh) return { value, claim: "none" };
    return { value, claim: this.#claims.take(key, claim, nowMs) };
  }

  #holding(): Holding | undefined {
    return this.ctx.storage.kv.get<Holding>(LEASE_KEY);
  }

  #hold(token: string, ttlMs: number): number {
    const now = Date.now();
    const holding: Holding = { token, expiresAtMs: now + ttlMs };
    this.ctx.storage.kv.put(LEASE_KEY, holding);
    this.#sweepAfter(holding.expiresAtMs, now);
    return holding.expiresAtMs;
  }

  /** One alarm at a time: it looks what has ended since, and sets the next. */
  #sweepAfter(endMs: number, nowMs: number): void {
    if (this.#alarmAtMs > nowMs) return;
    this.#alarmAtMs = endMs + SWEEP_GRACE_MS;
    // Unconfirmed, so that no answer waits for it; should it be lost, the next start of the object sets it again.
    this.ctx.storage.setAlarm(this.#alarmAtMs, { allowUnconfirmed: true }).catch(() => {});
  }
}
