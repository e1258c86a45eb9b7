import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WRITE_BEHIND_MS } from "../../../src/storage/shared-state/limits.ts";
import { createWriteBehind } from "../../../src/storage/shared-state/write-behind.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** The little of an object's storage that is used, over a map. */
function createStorage(stored = new Map<string, unknown>()) {
  const written: unknown[] = [];
  const storage = {
    kv: { get: (key: string) => stored.get(key) },
    async put(key: string, value: unknown, options: unknown) {
      expect(options).toEqual({ allowUnconfirmed: true });
      stored.set(key, value);
      written.push(value);
    },
  } as unknown as DurableObjectStorage;
  return { storage, written, stored };
}

test("the first change is written at once, later ones together", () => {
  const { storage, written } = createStorage();
  const value = createWriteBehind<number>(storage, "k");
  for (let n = 1; n <= 50; n++) value.write(n);
  expect(value.read()).toBe(50);
  expect(written).toEqual([1]);
  vi.advanceTimersByTime(WRITE_BEHIND_MS);
  expect(written).toEqual([1, 50]);
});

test("a value that rests is not written again, and the next change is at once", () => {
  const { storage, written } = createStorage();
  const value = createWriteBehind<number>(storage, "k");
  value.write(1);
  vi.advanceTimersByTime(10 * WRITE_BEHIND_MS);
  expect(written).toEqual([1]);
  value.write(2);
  expect(written).toEqual([1, 2]);
});

test("what was stored is read, once", () => {
  const { storage, stored } = createStorage(new Map([["k", 7]]));
  const value = createWriteBehind<number>(storage, "k");
  expect(value.read()).toBe(7);
  stored.set("k", 8);
  expect(value.read()).toBe(7);
});

test("what was forgotten is not written any more", () => {
  const { storage, written } = createStorage();
  const value = createWriteBehind<number>(storage, "k");
  value.write(1);
  value.write(2);
  value.forget();
  vi.advanceTimersByTime(10 * WRITE_BEHIND_MS);
  expect(written).toEqual([1]);
  expect(value.read()).toBeUndefined();
});
