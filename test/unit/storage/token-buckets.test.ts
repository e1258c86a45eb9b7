import { expect, test } from "vitest";
import type { Tier } from "../../../src/storage/shared-state/shared-state.ts";
import {
  type Buckets,
  bucketsEndMs,
  returnTokens,
  takeTokens,
} from "../../../src/storage/shared-state/token-buckets.ts";

const BURST: Tier = { name: "burst", limit: 2, windowSeconds: 1 };
const MINUTE: Tier = { name: "minute", limit: 10, windowSeconds: 60 };
const START = 1_000_000;

function take(buckets: Buckets, tiers: readonly Tier[], at: number, tokens = 1) {
  return takeTokens(buckets, tiers, tokens, START + at);
}

test("a refusal leaves the buckets as they were", () => {
  const { buckets } = take({}, [BURST, MINUTE], 0, 2);
  const refused = take(buckets, [BURST, MINUTE], 0);
  expect(refused.admission).toMatchObject({ admitted: false, violated: ["burst"] });
  expect(refused.buckets).toBe(buckets);
});

test("windows follow one another from the first use on", () => {
  const { buckets } = take({}, [BURST], 0, 2);
  expect(take(buckets, [BURST], 999).admission.admitted).toBe(false);
  const second = take(buckets, [BURST], 2_500, 2);
  expect(second.admission).toMatchObject({ admitted: true, tiers: [{ remaining: 0, resetMs: 500 }] });
  expect(take(second.buckets, [BURST], 2_999).admission.admitted).toBe(false);
  expect(take(second.buckets, [BURST], 3_000).admission.admitted).toBe(true);
});

test("the reset is told in milliseconds, above 0 for a full bucket too", () => {
  const { buckets, admission } = take({}, [MINUTE], 0);
  expect(admission.tiers[0]?.resetMs).toBe(60_000);
  expect(take(buckets, [MINUTE], 100, 99).admission.tiers[0]?.resetMs).toBe(59_900);
  expect(take(buckets, [MINUTE], 59_999).admission.tiers[0]?.resetMs).toBe(1);
  expect(take({}, [MINUTE], 0, 99).admission.tiers[0]).toMatchObject({ remaining: 10, resetMs: 1 });
});

test("tokens go back into windows that still run, and into no others", () => {
  const { buckets } = take({}, [BURST, MINUTE], 0, 2);
  const returned = returnTokens(buckets, [BURST, MINUTE], 1, START + 1_000);
  const after = take(returned, [BURST, MINUTE], 1_000).admission;
  expect(after.tiers.map((tier) => tier.remaining)).toEqual([1, 8]);
  expect(returnTokens(buckets, [BURST], 1, START + 1_000)).toBe(buckets);
  expect(returnTokens({}, [BURST], 1, START)).toEqual({});
});

test("a bucket holds no more than its limit, whatever goes back", () => {
  const { buckets } = take({}, [MINUTE], 0, 2);
  const returned = returnTokens(buckets, [MINUTE], 50, START);
  expect(take(returned, [MINUTE], 0, 10).admission.admitted).toBe(true);
  expect(take(returned, [MINUTE], 0, 11).admission.admitted).toBe(false);
});

test("a limit that was changed counts at once", () => {
  const { buckets } = take({}, [MINUTE], 0, 10);
  expect(take(buckets, [{ ...MINUTE, limit: 12 }], 1, 2).admission.admitted).toBe(true);
  expect(take(buckets, [{ ...MINUTE, limit: 5 }], 1).admission).toMatchObject({
    admitted: false,
    tiers: [{ remaining: 0 }],
  });
});

test("a clock that goes back neither refills nor promises more than a window", () => {
  const { buckets } = take({}, [BURST], 0, 2);
  const refused = take(buckets, [BURST], -5_000).admission;
  expect(refused).toMatchObject({ admitted: false, tiers: [{ resetMs: 1_000 }] });
});

test("the buckets end with their longest window, whatever the tiers are called", () => {
  const { buckets } = take({}, [BURST, { ...MINUTE, name: "a/b/7" }, { ...BURST, name: "__proto__" }], 0);
  expect(bucketsEndMs(buckets)).toBe(START + 60_000);
  expect(bucketsEndMs({})).toBe(0);
});
