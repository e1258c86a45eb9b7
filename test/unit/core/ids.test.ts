import { expect, test } from "vitest";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

test("ids have the prefix and 26 lower-case characters", () => {
  expect(createIdSource(createFakeClock(), systemRandom).next("mcp")).toMatch(/^mcp_[0-9a-hjkmnp-tv-z]{26}$/);
});

test("ten thousand ids of one millisecond differ and sort in the order in which they were made", () => {
  const ids = createIdSource(createFakeClock(), systemRandom);
  const made = Array.from({ length: 10_000 }, () => ids.next("x"));
  expect(new Set(made).size).toBe(made.length);
  expect([...made].sort()).toEqual(made);
});

test("the order survives a carry through every digit", () => {
  const ids = createIdSource(createFakeClock(), (length) => new Uint8Array(length).fill(31).fill(0, 0, 1));
  const made = [ids.next("x"), ids.next("x"), ids.next("x")];
  expect([...made].sort()).toEqual(made);
});

test("a clock that goes back does not make ids that sort earlier", async () => {
  let now = 1_000_000;
  const ids = createIdSource({ now: () => now, after: () => () => {} }, systemRandom);
  const first = ids.next("x");
  now -= 5_000;
  expect(ids.next("x") > first).toBe(true);
});

test("random bytes are as many as asked for, the caller's own, and never the same", () => {
  const seen = new Set<string>();
  for (let n = 0; n < 2_000; n++) {
    const bytes = systemRandom(16);
    seen.add(bytes.join());
    bytes.fill(0);
  }
  expect(seen.size).toBe(2_000);
  for (const length of [0, 1, 63, 64, 65, 5_000]) expect(systemRandom(length)).toHaveLength(length);
});

test("every bit of random bytes is as often set as not", () => {
  const bytes = Array.from({ length: 2_000 }, () => systemRandom(24)).flatMap((some) => [...some]);
  for (let bit = 0; bit < 8; bit++) {
    const share = bytes.filter((byte) => (byte >> bit) & 1).length / bytes.length;
    expect(Math.abs(share - 0.5)).toBeLessThan(0.02);
  }
});
