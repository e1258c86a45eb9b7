import { expect, test } from "vitest";
import type { Json, JsonObject } from "../../../../src/core/json.ts";
import { err, ok } from "../../../../src/core/result.ts";
import { sealFilter } from "../../../../src/runtime/graph/filters.ts";
import { compileTemplate } from "../../../../src/runtime/graph/references.ts";
import { resolveTemplate } from "../../../../src/runtime/graph/resolve-template.ts";
import { planConfig } from "../../../../src/runtime/graph/step-config.ts";
import { dbFindTool } from "../../../../src/runtime/tools/db-find.ts";
import { dbInsertTool } from "../../../../src/runtime/tools/db-insert.ts";
import { ownedData } from "../../../../src/storage/documents/collections.ts";
import { createMemoryDocuments } from "../../../support/memory-documents.ts";
import { previewTool, runTool as run, testContext, testServices } from "../../../support/runtime/step-context.ts";

const documents = () => createMemoryDocuments();

/** Quick and visible: what scrypt makes is the business of its own test. */
const PASSWORDS = { hash: async (text: string) => ok(`hash of ${text.length}`), verify: async () => ok(false) };

function contextOn(store = documents(), ownerId = "user-1") {
  const services = testServices({ documents: store, passwords: PASSWORDS });
  return { store, context: testContext({ services, ownerId }) };
}

const USER = { email: "ada@example.com", password: "correct horse" };

test("dbInsert returns what it stored, under an id, without the hidden fields", async () => {
  const { store, context } = contextOn();
  const config = { collection: "users", document: { ...USER, name: "Ada" }, hash: ["password"], hide: ["password"] };
  const result = await run(dbInsertTool, config, context);
  expect(result).toEqual({ kind: "output", value: { _id: expect.any(String), email: USER.email, name: "Ada" } });
  expect(store.named("users")).toEqual([
    { _id: expect.any(String), email: USER.email, name: "Ada", password: "hash of 13" },
  ]);
});

test("dbInsert answers 409 to a duplicate and names the field", async () => {
  const { store, context } = contextOn();
  const config = { collection: "users", document: USER, unique: ["email"] };
  await run(dbInsertTool, config, context);
  expect(await run(dbInsertTool, config, context)).toEqual({
    kind: "refuse",
    error: { code: "DUPLICATE", detail: "a document with the same email exists already" },
  });
  expect(store.named("users")).toHaveLength(1);
});

test("dbInsert says of a duplicate whether a value or its absence is what it shares", async () => {
  const { context } = contextOn();
  const insert = (document: JsonObject) =>
    run(dbInsertTool, { collection: "users", document, unique: ["email", "name"] }, context);
  await insert({ name: "Ada" });
  const duplicate = (detail: string) => ({ kind: "refuse", error: { code: "DUPLICATE", detail } });
  expect(await insert({ name: "Bob" })).toEqual(duplicate("a document without email exists already"));
  expect(await insert({ name: "Bob", email: null })).toEqual(duplicate("a document without email exists already"));
  expect(await insert({ name: "Ada" })).toEqual(
    duplicate("a document with the same name and without email exists already"),
  );
});

test("dbInsert fails where stored documents share what is to be unique, and says what to do", async () => {
  const { store, context } = contextOn();
  const insert = (document: JsonObject, unique: readonly string[] = []) =>
    run(dbInsertTool, { collection: "users", document, unique }, context);
  await insert({ _id: "1", name: "Ada" });
  await insert({ _id: "2", name: "Bob" });
  const failed = {
    kind: "fail",
    message:
      "unique: email cannot be made unique, because documents in users have the same email already, or several have " +
      "none. Change or delete them until no two are alike, or take email out of unique",
  };
  expect(await insert({ _id: "3", email: "new@example.com" }, ["email"])).toEqual(failed);
  expect(await insert({ _id: "3", email: "new@example.com" }, ["email"])).toEqual(failed);
  expect(store.named("users").map(({ _id }) => _id)).toEqual(["1", "2"]);
  await store.deleteOne(ownedData(context.ownerId, "users"), { _id: "1" });
  expect(await insert({ _id: "3", email: "new@example.com" }, ["email"])).toMatchObject({ kind: "output" });
});

test("dbInsert says of a document that the store takes none so large that it is too large", async () => {
  const { context } = contextOn({
    ...documents(),
    insertOne: () => Promise.reject(new RangeError("a gateway's own words")),
  });
  const result = await run(dbInsertTool, { collection: "c", document: { a: 1 } }, context);
  expect(result).toMatchObject({
    kind: "refuse",
    error: { code: "VALIDATION_FAILED", detail: "document: is too large for the store" },
  });
});

test("of a hundred inserts at once of one address one is stored", async () => {
  const { store, context } = contextOn();
  const config = { collection: "users", document: USER, unique: ["email"] };
  const results = await Promise.all(Array.from({ length: 100 }, () => run(dbInsertTool, config, context)));
  expect(results.filter((result) => result.kind === "output")).toHaveLength(1);
  expect(store.named("users")).toHaveLength(1);
});

test.each<[string, string]>([
  ['{"$set": 1}', "$set"],
  ['{"a.b": 1}', "a.b"],
  ['{"a": {"b\\u0000": 1}}', "a.b\u0000"],
  ['{"a": [{"__proto__": {"x": 1}}]}', "a.0.__proto__"],
  ['{"a": {"constructor": 1}}', "a.constructor"],
  ['{"_id": {"$ne": null}}', "_id"],
  ['{"_id": 7}', "_id"],
  ['{"bad": "\\ud800"}', "bad"],
  ['{"password": ["a"]}', "password"],
  [`{"password": "${"p".repeat(1_025)}"}`, "password"],
  [`{"_id": "${"i".repeat(201)}"}`, "_id"],
])("dbInsert answers 400 to %.30s and names the field", async (text, path) => {
  const { store, context } = contextOn();
  const result = await run(
    dbInsertTool,
    { collection: "users", document: JSON.parse(text), hash: ["password"] },
    context,
  );
  expect(result).toMatchObject({ kind: "refuse", error: { code: "VALIDATION_FAILED" } });
  expect(result.kind === "refuse" && result.error.code === "VALIDATION_FAILED" && result.error.errors).toContainEqual({
    path,
    message: expect.any(String),
  });
  expect(store.all()).toEqual([]);
});

test("fields are hashed and hidden at any depth, in lists too", async () => {
  const { store, context } = contextOn();
  const document = { login: { pin: "1234" }, cards: [{ cvc: "111", n: 1 }] };
  const config = { collection: "users", document, hash: ["login.pin", "none.such"], hide: ["login.pin", "cards.cvc"] };
  const result = await run(dbInsertTool, config, context);
  expect(result).toEqual({ kind: "output", value: { _id: expect.any(String), login: {}, cards: [{ n: 1 }] } });
  expect(store.named("users")).toMatchObject([{ login: { pin: "hash of 4" } }]);
});

test("a password inside a list is refused, not stored as it is", async () => {
  const { store, context } = contextOn();
  const config = {
    collection: "teams",
    document: { members: [{ password: "open sesame" }] },
    hash: ["members.password"],
  };
  expect(await run(dbInsertTool, config, context)).toMatchObject({
    kind: "refuse",
    error: { code: "VALIDATION_FAILED", errors: [{ path: "members.password" }] },
  });
  expect(store.all()).toEqual([]);
});

test("dbInsert in a dry run checks and shows the document, and neither stores nor hashes", async () => {
  const { store, context } = contextOn();
  const config = { collection: "users", document: { ...USER, token: "t" }, hash: ["password"], hide: ["token"] };
  expect(await previewTool(dbInsertTool, config, context)).toEqual({
    kind: "output",
    value: { _id: "dry_run", email: USER.email, password: "dry_run" },
  });
  const named = { ...config, document: { ...USER, _id: "ada" }, hide: ["password"] };
  expect(await previewTool(dbInsertTool, named, context)).toEqual({
    kind: "output",
    value: { _id: "ada", email: USER.email },
  });
  const bad = { ...config, document: { $where: "1" } };
  expect(await previewTool(dbInsertTool, bad, context)).toMatchObject({ error: { code: "VALIDATION_FAILED" } });
  expect(store.all()).toEqual([]);
});

test("two owners' collections of one name never meet", async () => {
  const { store, context } = contextOn();
  await run(dbInsertTool, { collection: "users", document: USER, unique: ["email"] }, context);
  const other = contextOn(store, "user-2").context;
  expect(await run(dbFindTool, { collection: "users", filter: {} }, other)).toEqual({ kind: "output", value: [] });
  expect(await run(dbInsertTool, { collection: "users", document: USER, unique: ["email"] }, other)).toMatchObject({
    kind: "output",
  });
});

test.each(["agents", "system.users", "../agents", "$cmd", "", "a b", "owner:user-2"])(
  "a collection named %j reaches nothing of the system",
  async (collection) => {
    const { store, context } = contextOn();
    await store.insertOne({ kind: "system", name: "agents", partition: "p" }, { _id: "a", secret: true });
    const bound = dbFindTool.bind({ collection, filter: {} });
    const found = bound.ok ? await bound.value.run(context) : null;
    expect(found === null || (found.kind === "output" && JSON.stringify(found.value) === "[]")).toBe(true);
  },
);

async function withUsers() {
  const { store, context } = contextOn();
  for (const [name, age] of [
    ["Ada", 36],
    ["Bob", 20],
    ["Cy", 50],
  ] as const) {
    await run(dbInsertTool, { collection: "users", document: { name, age, password: `hash-${name}` } }, context);
  }
  const find = (config: JsonObject) =>
    run(dbFindTool, { collection: "users", hide: ["_id", "password"], ...config }, context);
  return { store, context, find };
}

test("dbFind sorts, limits and hides", async () => {
  const { find } = await withUsers();
  expect(await find({ filter: { age: { $gt: 18 } }, sort: { age: -1 }, limit: 2 })).toEqual({
    kind: "output",
    value: [
      { name: "Cy", age: 50 },
      { name: "Ada", age: 36 },
    ],
  });
});

test("dbFind with one gives a document or null", async () => {
  const { find } = await withUsers();
  expect(await find({ filter: { name: "Bob" }, one: true })).toEqual({
    kind: "output",
    value: { name: "Bob", age: 20 },
  });
  expect(await find({ filter: { name: "Zoe" }, one: true })).toEqual({ kind: "output", value: null });
});

test.each([true, false])("dbFind that requires a find answers 404 (one: %s)", async (one) => {
  const { find } = await withUsers();
  expect(await find({ filter: { name: "Zoe" }, one, required: true })).toMatchObject({
    kind: "refuse",
    error: { code: "NOT_FOUND" },
  });
});

test("dbFind gives 20 documents unless told otherwise, and never more than 100", async () => {
  const { context } = contextOn();
  for (let i = 0; i < 30; i++) await run(dbInsertTool, { collection: "n", document: { i } }, context);
  const found = await run(dbFindTool, { collection: "n", filter: {} }, context);
  expect(found.kind === "output" && Array.isArray(found.value) && found.value.length).toBe(20);
  expect(dbFindTool.bind({ collection: "n", filter: {}, limit: 101 }).ok).toBe(false);
});

/** The author's filter with the caller's input in it, as a run would resolve it. */
function filterWith(filter: JsonObject, input: Json): JsonObject {
  const sealed = sealFilter(compileTemplate(filter).template, "filter", []);
  const resolved = resolveTemplate(sealed, new Map([["input", input]]));
  if (!resolved.ok) throw new Error(resolved.error);
  return resolved.value as JsonObject;
}

const INJECTIONS: readonly Json[] = [
  { $ne: null },
  { $gt: "" },
  { $in: ["Ada"] },
  { $exists: true },
  { $or: [{ name: "Ada" }] },
  { $where: "1" },
  { $regex: ".*" },
  [{ $ne: null }],
  { name: { $ne: null } },
];

test.each(INJECTIONS.map((injection) => [injection]))("the input %j is compared as a value", async (injection) => {
  const { find } = await withUsers();
  const filters: JsonObject[] = [
    { name: "{{input}}" },
    { name: { $eq: "{{input}}" } },
    { $or: [{ name: "{{input}}" }, { age: "{{input}}" }] },
    { $and: [{ age: { $gt: 0 } }, { name: "{{input}}" }] },
    { name: { first: "{{input}}" } },
    { name: ["{{input}}"] },
    { name: { $in: ["{{input}}"] } },
  ];
  for (const filter of filters) {
    expect(await find({ filter: filterWith(filter, injection) })).toEqual({ kind: "output", value: [] });
  }
});

test("plain values from the input find what they say", async () => {
  const { find } = await withUsers();
  for (const filter of [{ name: "{{input}}" }, { $or: [{ name: "{{input}}" }] }, { name: { $in: ["{{input}}"] } }]) {
    expect(await find({ filter: filterWith(filter, "Bob") })).toEqual({
      kind: "output",
      value: [{ name: "Bob", age: 20 }],
    });
  }
});

test("an operator that a reference gives the wrong operand fails the step", async () => {
  const { find } = await withUsers();
  expect(await find({ filter: filterWith({ name: { $in: "{{input}}" } }, "Bob") })).toEqual({
    kind: "fail",
    message: "filter.name.$in: a list is needed",
  });
});

test("more fields are not hashed than take their time of the isolate", async () => {
  const names = ["a", "b", "c", "d", "e"];
  const faults = [{ path: "hash", message: "at most 4 fields" }];
  expect(planConfig({ collection: "users", document: {}, hash: names }, dbInsertTool).faults).toEqual(faults);
  expect(planConfig({ collection: "users", document: {}, hash: "{{input.names}}" }, dbInsertTool).faults).toEqual([]);
  const bound = dbInsertTool.bind({ collection: "users", document: {}, hash: names });
  expect(bound).toEqual({ ok: false, error: faults });
  expect(dbInsertTool.bind({ collection: "users", document: {}, hash: names.slice(1) }).ok).toBe(true);
});

test("where too many passwords wait nothing is stored, and the run is told to come again", async () => {
  const store = documents();
  const passwords = { hash: async () => err("full"), verify: async () => err("full") };
  const context = testContext({ services: testServices({ documents: store, passwords }) });
  const told = await run(dbInsertTool, { collection: "users", document: USER, hash: ["password"] }, context);
  expect(told).toMatchObject({ kind: "refuse", error: { code: "OVERLOADED", retryAfterSeconds: expect.any(Number) } });
  expect(store.named("users")).toEqual([]);
});
