import { expect, test } from "vitest";
import * as collections from "../../../src/storage/documents/collections.ts";
import { mongoNameOf } from "../../../src/storage/documents/mongo-collections.ts";

test("a system collection keeps its name", async () => {
  expect(await mongoNameOf(collections.servers("any"))).toBe("servers");
  expect(await mongoNameOf(collections.runs("any"))).toBe("runs");
});

test("an owned collection shows its name, and meets no other", async () => {
  const pairs = [
    ["a", "users"],
    ["a:b", "users"],
    ["a", "b:users"],
    ["A", "users"],
    ["a", "Users"],
    ["a", "servers"],
    ["a", "users "],
    ["", "users"],
    ["a", "".padEnd(500, "x")],
    ["a", "".padEnd(501, "x")],
    ["a", "使用者"],
  ] as const;
  const names = await Promise.all(pairs.map(([ownerId, name]) => mongoNameOf({ kind: "owned", ownerId, name })));
  expect(names[0]).toMatch(/^data_[0-9a-f]{40}_users$/);
  expect(new Set(names).size).toBe(pairs.length);
  for (const name of names) {
    expect(name).toMatch(/^data_[0-9a-f]{40}_[A-Za-z0-9_-]*$/);
    expect(name.length).toBeLessThan(100);
  }
});

test.each(["", "system.users", "data_x", "orchestrix_locks", "a$b", "a\0b", "\ud800", "x".repeat(200)])(
  "%j is no name of a system collection",
  async (name) => {
    await expect(mongoNameOf({ kind: "system", name, partition: "p" })).rejects.toBeInstanceOf(TypeError);
  },
);

test("a name that is not valid Unicode is refused", async () => {
  await expect(mongoNameOf({ kind: "owned", ownerId: "a", name: "\ud800" })).rejects.toBeInstanceOf(TypeError);
});
