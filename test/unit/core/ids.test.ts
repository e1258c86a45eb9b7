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
