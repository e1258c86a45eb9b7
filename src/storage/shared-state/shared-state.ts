/**
 * State that all isolates share and that may be lost without harm to records: admission, cache, leases, counters.
 * Every method throws `StorageUnavailable` when the store does not answer.
 */
export interface SharedState extends Admissions, SharedCache, Leases, Counters {
  /** Resolves when the store answers. */
  ping(): Promise<void>;
}

/** One limit over one window: at most `limit` tokens in any `windowSeconds` that start with the bucket's refill. */
export interface Tier {
  readonly name: string;
  readonly limit: number;
  readonly windowSeconds: number;
}

export interface TierState extends Tier {
  readonly remaining: number;
  /** Whole seconds until the bucket is full again; at least 1. */
  readonly resetSeconds: number;
}

export interface Admission {
  readonly admitted: boolean;
  /** In the order asked. */
  readonly tiers: readonly TierState[];
  /** Names of the tiers that refused; empty when admitted. */
  readonly violated: readonly string[];
}

export interface Admissions {
  /**
   * Takes `tokens` (1) from every tier of the subject's buckets, or from none when any tier has fewer.
   * A bucket starts full and is refilled to its limit whenever its window has passed.
   * Callers at once are serialised per subject; different subjects do not wait for each other.
   */
  admit(subject: string, tiers: readonly Tier[], tokens?: number): Promise<Admission>;
}

export interface SharedCache {
  /** The text stored under the key, or null when absent or past its lifetime. */
  cacheGet(key: string): Promise<string | null>;
  /** Keeps the text for `ttlMs` at most. One too large to keep is dropped, and so is what stood there. */
  cacheSet(key: string, value: string, ttlMs: number): Promise<void>;
  cacheDelete(key: string): Promise<void>;
}

export interface Lease {
  readonly name: string;
  /** Proves the holder: another holder's renew or release does nothing. */
  readonly token: string;
  readonly expiresAtMs: number;
}

export interface Leases {
  /** The lease, or null while another holds it. Free again after `ttlMs` unless renewed or released before. */
  acquireLease(name: string, ttlMs: number): Promise<Lease | null>;
  /** The lease with its new end, or null when it was lost meanwhile. */
  renewLease(lease: Lease, ttlMs: number): Promise<Lease | null>;
  /** False when it was lost meanwhile. */
  releaseLease(lease: Lease): Promise<boolean>;
}

export interface Counters {
  /** Adds to the counter and gives its new value. It starts at 0, and again `ttlMs` after its first increment. */
  increment(name: string, by: number, ttlMs: number): Promise<number>;
  /** 0 when absent or past its lifetime. */
  readCounter(name: string): Promise<number>;
}
