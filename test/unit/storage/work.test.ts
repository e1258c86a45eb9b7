import { expect, test } from "vitest";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { prepareUpdate } from "../../../src/storage/documents/apply-update.ts";
import { compareValues, orderOf } from "../../../src/storage/documents/compare.ts";
import type { Filter } from "../../../src/storage/documents/documents.ts";
import { loadFilterCompiler } from "../../../src/storage/documents/matcher.ts";
import { arrayIndex, eachIndexedValue, someValueAt } from "../../../src/storage/documents/paths.ts";
import { uniqueKeysAt } from "../../../src/storage/documents/unique-keys.ts";
import { createWork, TooMuchWork } from "../../../src/storage/documents/work.ts";
import { startCpuTimer } from "../../support/cpu-time.ts";

const compile = await loadFilterCompiler();

/** What one operation may take of the processor, with room for a slow one: it is counted to about a second. */
const CPU_MAX_MS = 5_000;

/** Runs the work, and says what it came to: it may be refused, but must not take long. */
function inTime<T>(work: () => T): T | "too much" {
  const elapsed = startCpuTimer();
  try {
    return work();
  } catch (error) {
    if (error instanceof TooMuchWork) return "too much";
    throw error;
  } finally {
    expect(elapsed()).toBeLessThan(CPU_MAX_MS);
  }
}

/** Lists of one object in each other, whose elements are reached by name and by index. */
function nested(pairs: number, end: Json): JsonObject {
  let value = end;
  for (let n = 0; n < pairs; n++) value = [{ "0": value }];
  return { a: value };
}

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, n) => from + n);

test("a path of indexes into lists of lists is one walk, whether it is filtered, sorted or unique", () => {
  const document = { _id: "x", ...nested(30, 1) };
  const path = `a${".0".repeat(60)}`;
  expect(inTime(() => compile({ [path]: { $gt: 5 } })(document))).toBe(false);
  expect(inTime(() => compile({ [path]: 1 })(document))).toBe(true);
  expect(inTime(() => orderOf({ [path]: 1 }).keysOf(document))).toHaveLength(1);
  expect(inTime(() => [...uniqueKeysAt(document, path)])).toContain("1");
});

test("a walk that many positions of a path lead into is refused before it takes long", () => {
  const wide = numbers(200_000).map(() => ({}));
  const document = nested(49, wide);
  const path = `a${".0".repeat(98)}.x`;
  expect(inTime(() => compile({ [path]: { $gt: 5 } })(document))).toBe("too much");
  expect(inTime(() => orderOf({ [path]: 1 }).keysOf(document))).toBe("too much");
  expect(inTime(() => uniqueKeysAt(document, path))).toBe("too much");
});

test("a long list of choices is compared with long lists at once", () => {
  const documents = numbers(20).map((n) => ({ tags: numbers(28_000, n * 28_000).map((k) => `t${k}`) }));
  const choices = numbers(28_000).map((n) => `x${n}`);
  const matched = (filter: Filter) => inTime(() => documents.filter(compile(filter)).length);
  expect(matched({ tags: { $in: choices } })).toBe(0);
  expect(matched({ tags: { $nin: choices } })).toBe(20);
  expect(matched({ tags: { $in: [...choices, "t28000"] } })).toBe(1);
});

test("choices of every type, and values that only look alike, are told apart", () => {
  const values: readonly Json[] = [
    ...[null, 0, -0, 1, "1", "", "null", true, false, "true", [], {}, [1], ["1"], [[1]], { a: 1 }, { a: "1" }],
    ...[{ a: 1, b: 2 }, { b: 2, a: 1 }, "[1]", '"1"', "\ud800", "\\ud800", 1e21, "1e21", 0.1, 1e308],
  ];
  for (const value of values) {
    for (const choice of values) {
      const among = [value, ...(Array.isArray(value) ? value : [])];
      const isEqual = among.some((one) => compareValues(one, choice) === 0);
      const found = compile({ a: { $in: ["no value", choice] } })({ a: value });
      expect(found, JSON.stringify([value, choice])).toBe(isEqual);
      expect(compile({ a: { $ne: choice } })({ a: value })).toBe(!isEqual);
    }
  }
});

test("a large value to compare with is not read anew for each element", () => {
  const large = Object.fromEntries(numbers(50_000).map((n) => [`k${n}`, n]));
  const document = { a: numbers(100_000).map(() => ({})), b: [5, ...numbers(100_000).map(() => [{}])] };
  expect(inTime(() => compile({ a: large })(document))).toBe(false);
  expect(inTime(() => compile({ a: { $ne: large } })(document))).toBe(true);
  expect(inTime(() => compile({ a: { $gt: large } })(document))).toBe("too much");
  expect(inTime(() => compile({ b: { $gt: [large] } })(document))).toBe("too much");
});

test("many conditions on a large document are refused before they take long", () => {
  const document = { a: numbers(100_000), text: "x".repeat(1_000_000) };
  const branches = (filter: Filter) => ({ $or: numbers(5_000).map(() => filter) });
  expect(inTime(() => compile(branches({ a: -1 }))(document))).toBe("too much");
  expect(inTime(() => compile(branches({ a: { $lt: 0 } }))(document))).toBe("too much");
  expect(inTime(() => compile(branches({ text: "y" }))(document))).toBe("too much");
});

test("an update that pulls a long list of choices out of many documents prepares it once", () => {
  const choices = numbers(28_000);
  const update = prepareUpdate({ $pull: { a: { $in: choices } } }, compile);
  const documents = numbers(1_000).map((n) => ({ a: [n, -1] }));
  expect(inTime(() => documents.map((document) => update(document, false)))).toEqual(
    documents.map(() => ({ a: [-1] })),
  );
});

test("a sort by the elements of long lists reads each list once", () => {
  const documents = numbers(1_000).map((n) => ({ a: numbers(1_000, n) }));
  const order = orderOf({ a: -1 });
  const sorted = inTime(() => documents.map((document) => order.keysOf(document)).sort((a, b) => order.compare(a, b)));
  expect(sorted[0]).toEqual([{ value: 1_998, steps: 1 }]);
});

test("all documents of an operation count together", () => {
  const work = createWork(1_000);
  const matches = compile({ a: { $gt: 0 } }, work);
  const document = { a: numbers(300).map((n) => -n) };
  expect(matches(document)).toBe(false);
  expect(() => matches(document)).toThrow(TooMuchWork);
});

test("a walk finds the same as one that follows every way", () => {
  const random = createRandom(20_261_122);
  let found = 0;
  for (let n = 0; n < 3_000; n++) {
    const document = { a: randomValue(random, 5) };
    const path = `a${numbers(1 + random(4))
      .map(() => `.${random(3)}`)
      .join("")}`;
    const expected = new Set(everyWay(document, path.split(".")));
    const seen = new Set<string>();
    const look = (value: Json | undefined) => !seen.add(JSON.stringify(value ?? null));
    expect(someValueAt(document, path, look, createWork())).toBe(false);
    expect([...seen].sort(), `${JSON.stringify(document)} ${path}`).toEqual([...expected].sort());
    const indexed = new Set<string>();
    eachIndexedValue(document, path, (value) => indexed.add(JSON.stringify(value ?? null)), createWork());
    expect(indexed.difference(expected.add("null")).size).toBe(0);
    found += seen.size;
  }
  expect(found).toBeGreaterThan(2_000);
});

/** The values at a path as JSON, a list with its elements, by following each way apart: slow, and plain to see. */
function everyWay(at: Json, segments: readonly string[]): string[] {
  const [segment = "", ...rest] = segments;
  const end = (value: Json | undefined, whole: boolean) => [
    JSON.stringify(value ?? null),
    ...(Array.isArray(value) && !whole ? value.map((element: Json) => JSON.stringify(element)) : []),
  ];
  if (Array.isArray(at)) {
    const list: readonly Json[] = at;
    const byName = list.flatMap((element) =>
      typeof element === "object" && element !== null && !Array.isArray(element) ? everyWay(element, segments) : [],
    );
    const element = list[arrayIndex(segment) ?? list.length];
    if (element === undefined) return byName;
    if (rest.length === 0) return [...byName, ...end(element, true)];
    return typeof element === "object" && element !== null ? [...byName, ...everyWay(element, rest)] : byName;
  }
  const value = (at as JsonObject)[segment];
  if (rest.length === 0) return end(value, false);
  return typeof value === "object" && value !== null ? everyWay(value, rest) : end(undefined, false);
}

function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function randomValue(random: (below: number) => number, depth: number): Json {
  const kind = depth === 0 ? 0 : random(5);
  const size = random(4);
  if (kind < 1) return random(9);
  if (kind < 3) return numbers(size).map(() => randomValue(random, depth - 1));
  return Object.fromEntries(numbers(size).map((n) => [String(n), randomValue(random, depth - 1)]));
}
