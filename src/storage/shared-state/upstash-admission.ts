import type { Ratelimit } from "@upstash/ratelimit";
import { UPSTASH_MAX_CLOCK_SKEW_MS, UPSTASH_MAX_TIER_SHAPES } from "./limits.ts";
import type { Admission, Tier, TierState } from "./shared-state.ts";
import { stateName } from "./state-names.ts";
import { misfit, readWhole } from "./upstash-answers.ts";
import type { Batch } from "./upstash-batch.ts";
import type { UpstashKit } from "./upstash-client.ts";
import { UPSTASH_PREFIX } from "./upstash-names.ts";
import { GIVE_BACK_SCRIPT } from "./upstash-scripts.ts";

/** What one bucket said. */
interface Taken {
  readonly tier: Tier;
  readonly success: boolean;
  readonly remaining: number;
  /** When the bucket is filled again: epoch milliseconds, by the clock of whoever filled it last. */
  readonly resetAtMs: number;
}

type Limiter = ReturnType<ReturnType<typeof Ratelimit.tokenBucket>>;

const MS_PER_SECOND = 1_000;

/**
 * Tiers as token buckets of @upstash/ratelimit: the whole limit at once, when its window has passed. The scripts go by
 * the callers' clocks: one that is ahead fills a bucket early, once; one that is behind waits until the others fill it,
 * or until Redis lets go of it, a window after its last use. The limit is part of a bucket's name, so that a changed one
 * counts at once.
 */
export function createUpstashAdmission() {
  const limiters = new Map<string, Limiter>();

  function limiterOf(kit: UpstashKit, { limit, windowSeconds }: Tier): Limiter {
    const shape = `${limit}/${windowSeconds}`;
    const known = limiters.get(shape);
    if (known !== undefined) return known;
    const oldest = limiters.size < UPSTASH_MAX_TIER_SHAPES ? undefined : limiters.keys().next().value;
    if (oldest !== undefined) limiters.delete(oldest);
    const limiter = kit.Ratelimit.tokenBucket(limit, `${windowSeconds} s`, limit)();
    limiters.set(shape, limiter);
    return limiter;
  }

  return {
    /**
     * Takes from each tier by itself. Where some refused, `settle` must follow. The library adds its script before it
     * waits for anything, so all tiers are in the batch when this returns.
     */
    take(kit: UpstashKit, batch: Batch, subject: string, tiers: readonly Tier[], tokens: number): Promise<Taken[]> {
      const context = contextOf(batch);
      return Promise.all(
        tiers.map(async (tier) => {
          const answer = await limiterOf(kit, tier).limit(context, bucketName(subject, tier), tokens);
          const { success, limit, remaining, reset: resetAtMs } = answer;
          if (limit !== tier.limit || !isPlausible(resetAtMs, tier)) throw misfit();
          if (success && remaining > tier.limit - tokens) throw misfit();
          return { tier, success, remaining, resetAtMs };
        }),
      );
    },

    /** Gives back what was admitted although another tier refused, and asks what is left where that was not told. */
    settle(kit: UpstashKit, batch: Batch, subject: string, taken: readonly Taken[], tokens: number): Promise<Taken[]> {
      const context = contextOf(batch);
      return Promise.all(
        taken.map(async (one) => {
          const { tier } = one;
          if (one.success) {
            const left = readLeft(await giveBack(batch, subject, tier, tokens, one.resetAtMs), tier);
            return { ...one, remaining: left ?? tier.limit };
          }
          // A refusal of one token says that none is left; of several, only that there are fewer.
          if (tokens === 1) return one;
          const { remaining, reset } = await limiterOf(kit, tier).getRemaining(context, bucketName(subject, tier));
          if (remaining > tier.limit) throw misfit();
          return { ...one, remaining: reset <= Date.now() ? tier.limit : remaining };
        }),
      );
    },

    giveBack(batch: Batch, subject: string, tiers: readonly Tier[], tokens: number): Promise<unknown> {
      return Promise.all(
        tiers.map(async (tier) => readLeft(await giveBack(batch, subject, tier, tokens, ANY_WINDOW), tier)),
      );
    },
  };
}

export function admissionOf(taken: readonly Taken[]): Admission {
  const violated = taken.filter(({ success }) => !success).map(({ tier }) => tier.name);
  return { admitted: violated.length === 0, tiers: taken.map(stateOf), violated };
}

/** The library's type asks for a whole client; of that, a bucket's scripts use what the batch has. */
function contextOf(batch: Batch): Parameters<Limiter["limit"]>[0] {
  return { redis: batch.limiterClient, prefix: UPSTASH_PREFIX } as unknown as Parameters<Limiter["limit"]>[0];
}

const ANY_WINDOW = 0;

function giveBack(batch: Batch, subject: string, tier: Tier, tokens: number, resetAtMs: number): Promise<unknown> {
  const args = [tier.limit, tier.windowSeconds * MS_PER_SECOND, Date.now(), tokens, resetAtMs];
  return batch.script(GIVE_BACK_SCRIPT, [bucketName(subject, tier)], args);
}

/** What is left in the bucket; null where its window is over. */
function readLeft(answer: unknown, tier: Tier): number | null {
  const left = readWhole(answer, -1, tier.limit);
  return left === -1 ? null : left;
}

function stateOf({ tier, remaining, resetAtMs }: Taken): TierState {
  const leftMs = resetAtMs - Date.now();
  const resetMs = Math.min(tier.windowSeconds * MS_PER_SECOND, Math.max(1, leftMs));
  return { name: tier.name, limit: tier.limit, windowSeconds: tier.windowSeconds, remaining, resetMs };
}

function isPlausible(resetAtMs: number, { windowSeconds }: Tier): boolean {
  const leftMs = resetAtMs - Date.now();
  return leftMs > -UPSTASH_MAX_CLOCK_SKEW_MS && leftMs <= windowSeconds * MS_PER_SECOND + UPSTASH_MAX_CLOCK_SKEW_MS;
}

/** The tier's name has its length before it, so that no name and subject run into another pair. */
function bucketName(subject: string, { name, limit, windowSeconds }: Tier): string {
  return UPSTASH_PREFIX + stateName("bucket", `${limit}:${windowSeconds}:${name.length}:${name}:${subject}`);
}
