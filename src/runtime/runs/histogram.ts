/** Four buckets to each doubling: a percentile is off by 9 % at most. */
const BUCKETS_PER_DOUBLING = 4;
/** The last one begins above 60 s, twice what a run may take. */
const BUCKETS = 16 * BUCKETS_PER_DOUBLING;

/** How many values fell into each bucket, by its number; absent is none. */
export type Histogram = ReadonlyMap<number, number>;

/** The bucket of a duration; the first holds everything up to 1 ms. */
export function bucketOf(ms: number): number {
  if (!(ms > 1)) return 0;
  return Math.min(BUCKETS, Math.ceil(Math.log2(ms) * BUCKETS_PER_DOUBLING));
}

/** The duration below which `share` (0 to 1) of the values lie, in whole milliseconds; null where there are none. */
export function percentile(histogram: Histogram, share: number): number | null {
  const total = [...histogram.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(share * total));
  let seen = 0;
  let bucket = 0;
  for (const [number, count] of [...histogram].sort(([a], [b]) => a - b)) {
    bucket = number;
    seen += count;
    if (seen >= rank) break;
  }
  return Math.round(middleOf(bucket));
}

/** Of its bounds, in the measure in which they grow. */
function middleOf(bucket: number): number {
  return bucket === 0 ? 1 : 2 ** ((bucket - 0.5) / BUCKETS_PER_DOUBLING);
}
