import { describe, expect, test } from "vitest";
import {
  type Breaker,
  CLOSED,
  closedAt,
  isNewer,
  phaseOf,
  recordFailure,
  recordSuccess,
} from "../../../src/search/breakers/breaker-states.ts";
import type { FailureReason } from "../../../src/search/providers/provider.ts";

const NOW = 1_000_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

interface Fields {
  readonly at?: number;
  readonly retryAfterMs?: number | null;
  readonly chance?: number;
}

const fail = (breaker: Breaker, reason: FailureReason, { at = NOW, retryAfterMs = null, chance = 0 }: Fields = {}) =>
  recordFailure(breaker, { reason, retryAfterMs }, at, chance);

const failOften = (reason: FailureReason, times: number, fields: Fields = {}) => {
  let breaker = CLOSED;
  for (let i = 0; i < times; i++) breaker = fail(breaker, reason, fields);
  return breaker;
};

describe("opening", () => {
  test.each<[FailureReason, number, number]>([
    ["timeout", 3, 5_000],
    ["server_error", 3, 5_000],
    ["bad_response", 3, 5_000],
    ["irrelevant", 5, 30_000],
    ["rate_limited", 1, MINUTE],
    ["quota", 1, 6 * HOUR],
    ["unauthorized", 1, 24 * HOUR],
  ])("%s opens at failure %i in a row, for %i ms", (reason, times, coolDownMs) => {
    expect(phaseOf(failOften(reason, times - 1), NOW)).toBe("closed");
    const open = failOften(reason, times);
    expect(open).toEqual({ failures: times, reason, openUntil: NOW + coolDownMs, trips: 1, changedAt: NOW });
    expect(phaseOf(open, NOW + coolDownMs - 1)).toBe("open");
    expect(phaseOf(open, NOW + coolDownMs)).toBe("half_open");
  });

  test("a success between failures starts the count again", () => {
    const two = failOften("timeout", 2);
    const again = fail(fail(recordSuccess(two, NOW), "timeout"), "timeout");
    expect(phaseOf(again, NOW)).toBe("closed");
  });

  test.each<[FailureReason, number, number]>([
    ["rate_limited", 12_000, 12_000],
    ["rate_limited", 0, 1_000],
    ["rate_limited", 30 * 24 * HOUR, 24 * HOUR],
    ["quota", 2 * HOUR, 2 * HOUR],
    ["server_error", 20_000, 20_000],
    ["server_error", 1_000, 5_000],
    ["server_error", HOUR, 5 * MINUTE],
    ["unauthorized", 1_000, 24 * HOUR],
  ])("%s with a Retry-After of %i ms stays open for %i ms", (reason, retryAfterMs, expected) => {
    expect(failOften(reason, 3, { retryAfterMs }).openUntil).toBe(NOW + expected);
  });

  test("chance shortens a cool-down by a fifth at most", () => {
    expect(failOften("timeout", 3, { chance: 1 }).openUntil).toBe(NOW + 4_000);
    expect(failOften("rate_limited", 1, { chance: 1, retryAfterMs: 12_000 }).openUntil).toBe(NOW + 12_000);
  });
});

describe("half-open", () => {
  test("each failed probe doubles the cool-down, up to its longest", () => {
    let breaker = failOften("timeout", 3);
    const coolDowns: number[] = [];
    for (let i = 0; i < 8; i++) {
      const at = breaker.openUntil ?? 0;
      breaker = fail(breaker, "server_error", { at });
      coolDowns.push((breaker.openUntil ?? 0) - at);
    }
    expect(coolDowns).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
  });

  test("one success closes it, and the next opening is short again", () => {
    let breaker = failOften("timeout", 3);
    breaker = fail(breaker, "timeout", { at: NOW + 5_000 });
    const closed = recordSuccess(breaker, NOW + 15_000);
    expect(closed).toEqual({ ...CLOSED, changedAt: NOW + 15_000 });
    const again = [1, 2, 3].reduce((state) => fail(state, "timeout", { at: NOW + 16_000 }), closed);
    expect(again.openUntil).toBe(NOW + 21_000);
  });
});

describe("while open", () => {
  const open = failOften("timeout", 3);

  test("attempts that began before count for nothing, however they end", () => {
    expect(recordSuccess(open, NOW + 1)).toBe(open);
    expect(fail(open, "server_error", { at: NOW + 1 })).toBe(open);
    expect(fail(failOften("rate_limited", 1), "rate_limited", { at: NOW + 1 })).toMatchObject({
      openUntil: NOW + MINUTE,
    });
  });

  test("what one answer proves keeps it open for longer, never for less", () => {
    const badKey = fail(open, "unauthorized", { at: NOW + 1 });
    expect(badKey).toMatchObject({ reason: "unauthorized", openUntil: NOW + 1 + 24 * HOUR, trips: 1 });
    expect(fail(badKey, "rate_limited", { at: NOW + 2 })).toBe(badKey);
  });
});

test("of two copies the later change holds, and of two at once the one that is open for longer", () => {
  const opened = failOften("timeout", 3);
  expect(isNewer(closedAt(opened, NOW), opened)).toBe(true);
  expect(isNewer(opened, opened)).toBe(false);
  expect(isNewer(opened, { ...CLOSED, changedAt: NOW })).toBe(true);
});
