import { expect, test } from "vitest";
import { createRecent } from "../../../src/core/recent.ts";

test("the oldest go first, and setting makes an entry the newest", () => {
  const dropped: [string, number][] = [];
  const recent = createRecent<number>(2, (key, value) => dropped.push([key, value]));
  recent.set("a", 1);
  recent.set("b", 2);
  recent.set("a", 3);
  recent.set("c", 4);
  expect(dropped).toEqual([["b", 2]]);
  expect([...recent.entries()]).toEqual([
    ["a", 3],
    ["c", 4],
  ]);
});

test("with weights as many go as have to, and what is too heavy alone is not kept", () => {
  const dropped: string[] = [];
  const recent = createRecent<string>(
    5,
    (key) => dropped.push(key),
    (text) => text.length,
  );
  recent.set("a", "xx");
  recent.set("b", "xx");
  recent.set("c", "xxxx");
  expect(dropped).toEqual(["a", "b"]);
  recent.set("c", "x");
  recent.set("d", "xxxx");
  expect(dropped).toEqual(["a", "b"]);
  recent.set("e", "xxxxxx");
  expect(dropped).toEqual(["a", "b", "c", "d", "e"]);
  expect(recent.get("e")).toBeUndefined();
});

test("what was deleted weighs nothing and is not told", () => {
  const dropped: string[] = [];
  const recent = createRecent<null>(1, (key) => dropped.push(key));
  recent.set("a", null);
  recent.delete("a");
  recent.delete("a");
  recent.set("b", null);
  expect(dropped).toEqual([]);
  expect(recent.get("b")).toBeNull();
});
