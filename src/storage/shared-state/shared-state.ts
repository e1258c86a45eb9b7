/**
 * State that all isolates share and that may be lost without harm to records: admission, cache, leases, counters.
 * Every method throws `StorageUnavailable` when the store does not answer, or answers what it never would.
 */
export interface SharedState extends Admissions, SharedCache, Leases, Counters {
  /** What a request needs to know before it works, in one round trip where the store can. */
  consult(consultation: Consultation): Promise<Consulted>;
  /** Resolves when the store answers. */
  ping(): Promise<void>;
}

export interface Consultation {
  readonly admit?: {
    readonly subject: string;
    readonly tiers: readonly Tier[];
    readonly tokens: number;
  };
  readonly lookup?: { readonly key: string; readonly claim?: Claim };
  /** Other keys of the cache that are of use now. */
  readonly also?: readonly string[];
}

/** Fields are null where they were not asked for. A claim is never held where the admission was refused. */
export interface Consulted {
  readonly admission: Admission | null;
  readonly lookup: CacheLookup | null;
  /** In the order asked; null where absent. */
  readonly also: readonly (string | null)[];
}

/** One limit over one window: at most `limit` tokens in any `windowSeconds` that start with the bucket's refill. */
export interface Tier {
  readonly name: string;
  readonly limit: number;
  readonly windowSeconds: number;
}

export interface TierState extends Tier {
  readonly remaining: number;
  /** Milliseconds until the bucket is full again: above 0, at most the window. */
  readonly resetMs: number;
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
  /**
   * Puts unused tokens back into the buckets of these tiers. Only for tokens that were taken in the windows that still
   * run: a bucket never holds more than its limit, but tokens of a past window would give the new one too many.
   */
  giveBack(subject: string, tiers: readonly Tier[], tokens: number): Promise<void>;
}

/** The right to make what is missing: `token` proves the holder, and after `ttlMs` the claim is free again. */
export interface Claim {
  readonly token: string;
  readonly ttlMs: number;
}

export interface CacheLookup {
  /** The text stored under the key, or null when absent or past its lifetime. */
  readonly value: string | null;
  /**
   * `held`: the caller asked for it, nothing fresh is stored, and nobody else makes it. `busy`: the same, but somebody
   * makes it. `none`: not asked for, or what is stored is fresh.
   */
  readonly claim: "held" | "busy" | "none";
}

export interface CacheWrite {
  /** How long no claim is given on it, and how long it is kept at most. Milliseconds; fresh ≤ keep. */
  readonly freshMs: number;
  readonly keepMs: number;
  /** A claim on the key that ends with the write, where its holder still holds it. */
  readonly claimToken?: string;
}

export interface SharedCache {
  /** Reads, and where nothing fresh is stored takes the claim, in one step: of any number of callers one holds it. */
  cacheLookup(key: string, claim?: Claim): Promise<CacheLookup>;
  /** One too large to keep is dropped, and so is what stood there. */
  cacheStore(key: string, value: string, write: CacheWrite): Promise<void>;
  /** Gives the claim up with nothing made. Another's claim stays. */
  cacheRelease(key: string, claimToken: string): Promise<void>;
  cacheDelete(key: string): Promise<void>;
  /** Forgets every entry; claims stay. How many entries went, where the store knows, else null. */
  cacheClear(): Promise<number | null>;
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
