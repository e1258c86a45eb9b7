import { expect, test } from "vitest";
import type { JsonObject } from "../../../../src/core/json.ts";
import { ok } from "../../../../src/core/result.ts";
import type { Tool } from "../../../../src/runtime/tool.ts";
import { dbDeleteTool } from "../../../../src/runtime/tools/db-delete.ts";
import { dbInsertTool } from "../../../../src/runtime/tools/db-insert.ts";
import { dbUpdateTool } from "../../../../src/runtime/tools/db-update.ts";
import { ownedData } from "../../../../src/storage/documents/collections.ts";
import { createMemoryDocuments } from "../../../support/memory-documents.ts";
import { previewTool, runTool, testContext, testServices } from "../../../support/runtime/step-context.ts";

const USERS = ownedData("user-1", "users");
const PASSWORDS = { hash: async (text: string) => ok(`hash of ${text.length}`), verify: async () => ok(false) };

const STORED: readonly JsonObject[] = [
  { _id: "ada", email: "ada@example.com", name: "Ada", age: 36, tags: ["a"], team: "x" },
  { _id: "bob", email: "bob@example.com", name: "Bob", age: 20, tags: ["b"], team: "x" },
  { _id: "cy", name: "Cy", age: 20, team: "y" },
];

async function scene(stored: readonly JsonObject[] = STORED) {
  const store = createMemoryDocuments();
  for (const document of stored) await store.insertOne(USERS, document, { unique: ["email", "name"] });
  return { store, context: testContext({ services: testServices({ documents: store, passwords: PASSWORDS }) }) };
}

/** What a new document is called differs from run to run. */
function withoutId(result: unknown): unknown {
  return JSON.parse(JSON.stringify(result), (name, value) =>
    name === "upsertedId" || (name === "_id" && /^(?:doc_|dry_run)/.test(value)) ? "new" : value,
  );
}

const CASES: readonly (readonly [string, Tool, JsonObject, "output" | "refuse" | "fail"])[] = [
  [
    "a new document",
    dbInsertTool,
    { document: { email: "new@example.com", name: "New" }, unique: ["email"] },
    "output",
  ],
  ["a taken value", dbInsertTool, { document: { email: "ada@example.com", name: "New" }, unique: ["email"] }, "refuse"],
  ["a value taken by an older rule", dbInsertTool, { document: { email: "new@example.com", name: "Ada" } }, "refuse"],
  ["a second document without the field", dbInsertTool, { document: { name: "New" } }, "refuse"],
  ["a taken _id", dbInsertTool, { document: { _id: "ada", email: "new@example.com", name: "New" } }, "refuse"],
  ["a taken _id and value", dbInsertTool, { document: { _id: "ada", email: "bob@example.com", name: "N" } }, "refuse"],
  ["a field that is shared", dbInsertTool, { document: { name: "New", email: "n" }, unique: ["age"] }, "fail"],
  [
    "a list of which one is taken",
    dbInsertTool,
    { document: { name: "New", email: ["n", "bob@example.com"] } },
    "refuse",
  ],
  ["another type of value", dbInsertTool, { document: { name: 1, email: { ada: "example.com" } } }, "output"],
  ["a document that is no document", dbInsertTool, { document: { $set: 1 } }, "refuse"],
  ["an update of all", dbUpdateTool, { filter: {}, update: { $set: { team: "x" } }, many: true }, "output"],
  ["an update of nobody", dbUpdateTool, { filter: { name: "Zoe" }, update: { $set: { age: 1 } } }, "output"],
  ["an update to what stands there", dbUpdateTool, { filter: { _id: "ada" }, update: { $set: { age: 36 } } }, "output"],
  ["an update of the first alone", dbUpdateTool, { filter: { team: "x" }, update: { $inc: { age: 1 } } }, "output"],
  ["an increase of a text", dbUpdateTool, { filter: { _id: "ada" }, update: { $inc: { name: 1 } } }, "fail"],
  ["a push onto a number", dbUpdateTool, { filter: {}, update: { $push: { age: 1 } }, many: true }, "fail"],
  ["a pull", dbUpdateTool, { filter: {}, update: { $pull: { tags: "a" } }, many: true }, "output"],
  ["a path through a text", dbUpdateTool, { filter: { _id: "ada" }, update: { $set: { "name.first": 1 } } }, "fail"],
  ["an update to a taken value", dbUpdateTool, { filter: { _id: "bob" }, update: { $set: { name: "Ada" } } }, "refuse"],
  ["an update to its own value", dbUpdateTool, { filter: { _id: "bob" }, update: { $set: { name: "Bob" } } }, "output"],
  ["one new value for many", dbUpdateTool, { filter: {}, update: { $set: { name: "Zoe" } }, many: true }, "refuse"],
  ["the removal of a value", dbUpdateTool, { filter: { _id: "bob" }, update: { $unset: { email: 1 } } }, "refuse"],
  [
    "an upsert",
    dbUpdateTool,
    { filter: { name: "Zoe" }, update: { $set: { email: "zoe@example.com" } }, upsert: true },
    "output",
  ],
  [
    "an upsert of a match",
    dbUpdateTool,
    { filter: { name: "Ada" }, update: { $inc: { age: 1 } }, upsert: true },
    "output",
  ],
  [
    "an upsert without a unique field",
    dbUpdateTool,
    { filter: { name: "Zoe" }, update: { $inc: { n: 1 } }, upsert: true },
    "refuse",
  ],
  [
    "an upsert under a taken _id",
    dbUpdateTool,
    { filter: { _id: "ada", age: 1 }, update: { $set: { name: "Z", email: "z" } }, upsert: true },
    "refuse",
  ],
  [
    "an upsert whose filter and update disagree",
    dbUpdateTool,
    { filter: { "a.b": 1 }, update: { $push: { "a.b": 2 } }, upsert: true },
    "fail",
  ],
  ["a delete of one", dbDeleteTool, { filter: { team: "x" } }, "output"],
  ["a delete of all", dbDeleteTool, { filter: {}, many: true }, "output"],
  ["a delete of nobody", dbDeleteTool, { filter: { name: { $in: ["Zoe"] } }, many: true }, "output"],
];

test.each(CASES)("a dry run ends as the run does, and changes nothing: %s", async (_title, tool, config, kind) => {
  const { store, context } = await scene();
  const before = store.named("users");
  const preview = await previewTool(tool, { collection: "users", ...config }, context);
  expect(store.named("users")).toEqual(before);
  const real = await runTool(tool, { collection: "users", ...config }, context);
  expect(withoutId(preview)).toEqual(withoutId(real));
  expect(preview.kind).toBe(kind);
});

test("values move as they are written: one that was given up is free for the next", async () => {
  const stored = [1, 2, 3].map((n) => ({ _id: String(n), email: n, name: String(n) }));
  for (const by of [1, -1]) {
    const { context } = await scene(stored);
    const config = { collection: "users", filter: {}, update: { $inc: { email: by } }, many: true };
    const preview = await previewTool(dbUpdateTool, config, context);
    expect(preview.kind).toBe(by === 1 ? "refuse" : "output");
    expect(preview).toEqual(await runTool(dbUpdateTool, config, context));
  }
});

test("counts are exact up to a thousand, and beyond it say that there are more", async () => {
  const store = createMemoryDocuments();
  const context = testContext({ services: testServices({ documents: store }) });
  for (let n = 0; n < 1_000; n++) await store.insertOne(USERS, { n });
  const remove = () => previewTool(dbDeleteTool, { collection: "users", filter: {}, many: true }, context);
  const change = { collection: "users", filter: {}, update: { $inc: { n: 1 } }, many: true };
  expect(await remove()).toEqual({ kind: "output", value: { deletedCount: 1_000 } });
  await store.insertOne(USERS, { n: 1_000 });
  expect(await remove()).toEqual({ kind: "output", value: { deletedCount: 1_000, more: true } });
  expect(await previewTool(dbUpdateTool, change, context)).toEqual({
    kind: "output",
    value: { matchedCount: 1_000, modifiedCount: 1_000, more: true },
  });
  expect(store.named("users")).toHaveLength(1_001);
});

test("a hashed password is looked up no more than it is shown", async () => {
  const { context } = await scene();
  const document = { name: "New", email: "new@example.com", password: "correct horse" };
  const config = { collection: "users", document, unique: ["name"], hash: ["password"], hide: ["email"] };
  expect(await previewTool(dbInsertTool, config, context)).toEqual({
    kind: "output",
    value: { _id: "dry_run", name: "New", password: "dry_run" },
  });
});

test("another owner's documents stand against nothing", async () => {
  const { store } = await scene();
  const context = testContext({ services: testServices({ documents: store }), ownerId: "user-2" });
  const config = { collection: "users", document: { email: "ada@example.com" }, unique: ["email"] };
  expect(await previewTool(dbInsertTool, config, context)).toMatchObject({ kind: "output" });
});
