import type { Admission, Tier, TierState } from "./shared-state.ts";

/** What was taken since the window began. */
interface Bucket {
  readonly windowStartMs: number;
  readonly used: number;
}

/** The buckets of one subject by tier. A missing one is full. */
export type Buckets = Readonly<Record<string, Bucket>>;

/**
 * Takes the tokens from every tier, or from none. Windows follow one another from the first use on, as those of
 * Upstash's token bucket do. A changed limit counts at once; a changed window is another bucket.
 */
export function takeTokens(
  buckets: Buckets,
  tiers: readonly Tier[],
  tokens: number,
  nowMs: number,
): { readonly admission: Admission; readonly buckets: Buckets } {
  const current = tiers.map((tier) => ({ tier, bucket: bucketAt(buckets[keyOf(tier)], tier, nowMs) }));
  const violated = current.filter(({ tier, bucket }) => tier.limit - bucket.used < tokens).map(({ tier }) => tier.name);
  const admitted = violated.length === 0;
  const after = current.map(({ tier, bucket }) => ({
    tier,
    bucket: admitted ? { ...bucket, used: bucket.used + tokens } : bucket,
  }));
  const states = after.map(({ tier, bucket }) => stateOf(tier, bucket, nowMs));
  const taken = Object.fromEntries(after.map(({ tier, bucket }) => [keyOf(tier), bucket]));
  return { admission: { admitted, tiers: states, violated }, buckets: admitted ? { ...buckets, ...taken } : buckets };
}

/** Puts tokens back where the window in which they may have been taken still runs. */
export function returnTokens(buckets: Buckets, tiers: readonly Tier[], tokens: number, nowMs: number): Buckets {
  const returned = tiers.flatMap((tier) => {
    const bucket = buckets[keyOf(tier)];
    if (bucket === undefined || bucketAt(bucket, tier, nowMs) !== bucket) return [];
    return [[keyOf(tier), { ...bucket, used: Math.max(0, bucket.used - tokens) }] as const];
  });
  return returned.length === 0 ? buckets : { ...buckets, ...Object.fromEntries(returned) };
}

/** A mistake of the caller, whatever the store. */
export function assertTokens(tokens: number): void {
  if (!Number.isSafeInteger(tokens) || tokens < 1) throw new TypeError("tokens: a whole number from 1 is needed");
}

/** When the last bucket is full again: from then on they need not be remembered. */
export function bucketsEndMs(buckets: Buckets): number {
  return Object.entries(buckets).reduce(
    (end, [key, bucket]) => Math.max(end, bucket.windowStartMs + windowMsOf(key)),
    0,
  );
}

function bucketAt(bucket: Bucket | undefined, tier: Tier, nowMs: number): Bucket {
  if (bucket === undefined) return { windowStartMs: nowMs, used: 0 };
  const windowMs = tier.windowSeconds * MS_PER_SECOND;
  const windows = Math.floor((nowMs - bucket.windowStartMs) / windowMs);
  return windows < 1 ? bucket : { windowStartMs: bucket.windowStartMs + windows * windowMs, used: 0 };
}

function stateOf(tier: Tier, bucket: Bucket, nowMs: number): TierState {
  const windowMs = tier.windowSeconds * MS_PER_SECOND;
  const leftMs = bucket.used === 0 ? 0 : bucket.windowStartMs + windowMs - nowMs;
  return {
    ...tier,
    remaining: Math.max(0, tier.limit - bucket.used),
    resetMs: Math.min(windowMs, Math.max(1, leftMs)),
  };
}

const MS_PER_SECOND = 1_000;

/** The window stands last, so that it can be read back whatever the tier is called. */
function keyOf(tier: Tier): string {
  return `${tier.name}/${tier.windowSeconds}`;
}

function windowMsOf(key: string): number {
  return Number(key.slice(key.lastIndexOf("/") + 1)) * MS_PER_SECOND;
}
