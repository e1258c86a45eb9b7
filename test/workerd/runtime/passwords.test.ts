import { scryptSync } from "node:crypto";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { systemRandom } from "../../../src/core/ids.ts";
import { createPasswords } from "../../../src/runtime/passwords/passwords.ts";

const passwords = createPasswords({ random: systemRandom, clock: systemClock });

/** The hash of "right" with the cost `2 ** log2N * r * p`, as another maker would have stored it. */
function hashOf(log2N: number, r: number, p: number): string {
  const key = scryptSync("right", "0123456789abcdef", 32, { N: 2 ** log2N, r, p, maxmem: 128 * 1_048_576 });
  return `$scrypt$ln=${log2N},r=${r},p=${p}$${btoa("0123456789abcdef")}$${key.toString("base64")}`;
}

test.each([
  [10, 32, 32],
  [16, 8, 2],
])("a stored hash of the highest cost is checked: ln=%i, r=%i, p=%i", async (log2N, r, p) => {
  const hash = hashOf(log2N, r, p);
  expect(await passwords.verify("right", hash)).toEqual({ ok: true, value: true });
  expect(await passwords.verify("wrong", hash)).toEqual({ ok: true, value: false });
});

test.each([
  [10, 25, 41],
  [16, 8, 5],
])("one beyond what the platform computes is no match: ln=%i, r=%i, p=%i", async (log2N, r, p) => {
  expect(() => hashOf(log2N, r, p)).toThrow(RangeError);
  const stored = `$scrypt$ln=${log2N},r=${r},p=${p}$c2FsdHNhbHRzYWx0c2FsdA$${"A".repeat(43)}`;
  expect(await passwords.verify("right", stored)).toEqual({ ok: true, value: false });
});

test("between two hashes of an isolate others have their turn", async () => {
  const events: string[] = [];
  let isOver = false;
  const neighbour = async () => {
    while (!isOver) {
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
      events.push("turn");
    }
  };
  const hash = async () => {
    expect((await passwords.hash("right")).ok).toBe(true);
    events.push("hash");
  };
  const watching = neighbour();
  await Promise.all([hash(), hash(), hash(), hash(), hash()]);
  isOver = true;
  await watching;
  expect(events.filter((event) => event === "hash")).toHaveLength(5);
  const adjacent = events.filter((event, i) => event === "hash" && events[i - 1] === "hash");
  expect(adjacent).toEqual([]);
});
