import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../../../../src/core/json.ts";
import { planConfig } from "../../../../src/runtime/graph/step-config.ts";
import type { Tool } from "../../../../src/runtime/tool.ts";
import { dbDeleteTool } from "../../../../src/runtime/tools/db-delete.ts";
import { dbFindTool } from "../../../../src/runtime/tools/db-find.ts";
import { dbInsertTool } from "../../../../src/runtime/tools/db-insert.ts";
import { dbUpdateTool } from "../../../../src/runtime/tools/db-update.ts";
import { ownedData } from "../../../../src/storage/documents/collections.ts";
import type { Document } from "../../../../src/storage/documents/documents.ts";
import { createMemoryDocuments } from "../../../support/memory-documents.ts";
import { previewTool, runTool, testContext, testServices } from "../../../support/runtime/step-context.ts";

const USERS = ownedData("user-1", "users");

async function withDocuments(...given: readonly Document[]) {
  const store = createMemoryDocuments();
  for (const document of given) await store.insertOne(USERS, document);
  const context = testContext({ services: testServices({ documents: store }) });
  const update = (config: JsonObject) => runTool(dbUpdateTool, { collection: "users", ...config }, context);
  const remove = (config: JsonObject) => runTool(dbDeleteTool, { collection: "users", ...config }, context);
  return { store, context, update, remove, users: () => store.named("users") };
}

const ADA = { _id: "ada", name: "Ada", age: 36, role: "user", tags: ["a", "b"] };
const BOB = { _id: "bob", name: "Bob", age: 20, role: "user", tags: ["b"] };

/** What an author may not write, as the planner tells it. */
function faultsOf(tool: Tool, config: JsonObject): readonly string[] {
  return planConfig({ collection: "users", ...config }, tool).faults.map(({ path, message }) => `${path}: ${message}`);
}

/** The author's config with the caller's input in it, run as the executor would. */
async function runAuthored(tool: Tool, config: JsonObject, input: Json, ...given: readonly Document[]) {
  const scene = await withDocuments(...given);
  const { planned, faults } = planConfig({ collection: "users", ...config }, tool);
  expect(faults).toEqual([]);
  const resolved = planned.resolve(new Map([["input", input]]), new Map());
  if (!resolved.ok) throw new Error(resolved.error);
  return { ...scene, result: await runTool(tool, resolved.value.value, scene.context) };
}

describe("dbUpdate", () => {
  test("changes the first match and counts", async () => {
    const { update, users } = await withDocuments(ADA, BOB);
    const result = await update({
      filter: { role: "user" },
      update: {
        $set: { role: "admin", "address.city": "London" },
        $inc: { age: 1 },
        $push: { tags: "c" },
        $unset: { name: 1 },
      },
    });
    expect(result).toEqual({ kind: "output", value: { matchedCount: 1, modifiedCount: 1 } });
    expect(users()).toEqual([
      { _id: "ada", age: 37, role: "admin", tags: ["a", "b", "c"], address: { city: "London" } },
      BOB,
    ]);
  });

  test("with many changes all, and tells matches from changes", async () => {
    const { update, users } = await withDocuments(ADA, { ...BOB, role: "admin" });
    expect(await update({ filter: {}, update: { $set: { role: "admin" } }, many: true })).toEqual({
      kind: "output",
      value: { matchedCount: 2, modifiedCount: 1 },
    });
    expect(users().map(({ role }) => role)).toEqual(["admin", "admin"]);
  });

  test("of nothing says so", async () => {
    const { update } = await withDocuments(ADA);
    expect(await update({ filter: { name: "Zoe" }, update: { $set: { age: 1 } } })).toEqual({
      kind: "output",
      value: { matchedCount: 0, modifiedCount: 0 },
    });
  });

  test("with upsert inserts one of the filter and the update, and tells its id", async () => {
    const { update, users } = await withDocuments();
    const config = {
      filter: { email: { $eq: "a@b.c" }, n: { $gt: 1 } },
      update: { $inc: { visits: 1 }, $setOnInsert: { since: "2026" } },
      upsert: true,
    };
    const result = await update(config);
    expect(result).toMatchObject({ value: { matchedCount: 0, modifiedCount: 0, upsertedId: expect.any(String) } });
    expect(users()).toEqual([{ _id: expect.any(String), email: "a@b.c", visits: 1, since: "2026" }]);
  });

  test("answers 409 where a unique field is taken, and changes nothing", async () => {
    const { update, users, context } = await withDocuments();
    for (const document of [ADA, BOB]) {
      await runTool(dbInsertTool, { collection: "users", document, unique: ["name"] }, context);
    }
    const duplicate = {
      kind: "refuse",
      error: { code: "DUPLICATE", detail: "a document with the same name exists already" },
    };
    expect(await update({ filter: { _id: "bob" }, update: { $set: { name: "Ada" } } })).toEqual(duplicate);
    expect(await update({ filter: {}, update: { $set: { name: "Cy" } }, many: true })).toEqual(duplicate);
    const another = { filter: { name: "Ada", age: 1 }, update: { $set: { role: "user" } }, upsert: true };
    expect(await update(another)).toEqual(duplicate);
    expect(users()).toEqual([ADA, BOB]);
    const without = { kind: "refuse", error: { code: "DUPLICATE", detail: "a document without name exists already" } };
    await update({ filter: { _id: "ada" }, update: { $unset: { name: "" } } });
    expect(await update({ filter: { name: "Bob" }, update: { $unset: { name: "" } } })).toEqual(without);
    expect(await update({ filter: { _id: "cy" }, update: { $set: { age: 1 } }, upsert: true })).toEqual(without);
  });

  test("never reaches another owner's documents", async () => {
    const { store, users } = await withDocuments(ADA);
    const context = testContext({ services: testServices({ documents: store }), ownerId: "user-2" });
    const config = { collection: "users", filter: {}, update: { $set: { age: 0 } }, many: true };
    expect(await runTool(dbUpdateTool, config, context)).toMatchObject({ value: { matchedCount: 0 } });
    expect(await runTool(dbDeleteTool, { collection: "users", filter: {}, many: true }, context)).toMatchObject({
      value: { deletedCount: 0 },
    });
    expect(users()).toEqual([ADA]);
  });

  test("that does not fit the document fails the step without a value in its words", async () => {
    const { update, users } = await withDocuments(ADA);
    for (const bad of [{ $inc: { name: 1 } }, { $push: { name: "x" } }, { $set: { "name.first": "x" } }]) {
      const result = await update({ filter: {}, update: bad });
      expect(result).toEqual({ kind: "fail", message: "the update does not fit a document that it meets" });
    }
    expect(users()).toEqual([ADA]);
  });

  test("in a dry run counts and writes nothing", async () => {
    const { context, users } = await withDocuments(ADA, BOB);
    const preview = (config: JsonObject) => previewTool(dbUpdateTool, { collection: "users", ...config }, context);
    const update = { $set: { role: "admin" } };
    expect(await preview({ filter: { role: "user" }, update, many: true })).toMatchObject({
      value: { matchedCount: 2, modifiedCount: 2 },
    });
    expect(await preview({ filter: { role: "user" }, update })).toMatchObject({ value: { matchedCount: 1 } });
    expect(await preview({ filter: { role: "x" }, update, upsert: true })).toEqual({
      kind: "output",
      value: { matchedCount: 0, modifiedCount: 0, upsertedId: "dry_run" },
    });
    expect(await preview({ filter: {}, update: { $inc: { age: "x" } } })).toMatchObject({ kind: "refuse" });
    expect(users()).toEqual([ADA, BOB]);
  });
});

describe("an update that is refused when it is written:", () => {
  test.each<[string, JsonObject, string]>([
    ["a reference as the whole update", { update: "{{input}}" }, "update: is written as an object here"],
    ["a reference inside a text", { update: "a {{input}}" }, "update: is written as an object here"],
    ["a reference as what is set", { update: { $set: "{{input}}" } }, "update.$set: is written as an object here"],
    ["a reference as what is set on insert", { update: { $setOnInsert: "{{input.a}}" } }, "update.$setOnInsert: is"],
    ["a reference as what is unset", { update: { $unset: "{{input}}" } }, "update.$unset: is written"],
    ["a reference as what is increased", { update: { $inc: "{{input}}" } }, "update.$inc: is written"],
    ["a reference as what is pushed", { update: { $push: "{{input}}" } }, "update.$push: is written"],
    ["a reference as what is pulled", { update: { $pull: "{{input}}" } }, "update.$pull: is written"],
    ["a list of updates", { update: ["{{input}}"] }, "update: is written as an object here"],
    ["a secret", { update: { $set: { a: { b: "{{secrets.KEY}}" } } } }, "update.$set.a.b: {{secrets.KEY}}: secrets"],
    [
      "a field of elements to pull that may vanish",
      { update: { $pull: { items: { id: "{{input.id?}}" } } } },
      "update.$pull: {{input.id?}}: an optional",
    ],
    [
      "a condition of $pull that may vanish",
      { update: { $pull: { tags: { $eq: "{{input.tag?}}" } } } },
      "update.$pull: {{input.tag?}}: an optional",
    ],
    ["no operator", { update: { name: "x" } }, "update.name: not one of $set"],
    ["an unknown operator", { update: { $rename: { a: "b" } } }, "update.$rename: not one of $set"],
    ["nothing", { update: {} }, "update: an update names one of"],
    [
      "the _id",
      { update: { $set: { _id: "{{input.id}}x" }, $inc: { "_id.a": 1 } } },
      "update.$inc._id.a: _id never changes",
    ],
    ["$each", { update: { $push: { tags: { $each: ["{{input}}"] } } } }, "update.$push.tags.$each: a field's name"],
    [
      "prototype paths",
      { update: { $set: { "a.constructor": 1 } } },
      "update.$set.a.constructor: constructor is never",
    ],
    ["prototype names in values", { update: { $set: { a: { prototype: 1 } } } }, "update.$set.a.prototype: never"],
    ["one path twice", { update: { $set: { a: 1 }, $inc: { "a.b": 1 } } }, "update.$inc.a.b: written twice"],
    ["upsert of many", { update: { $set: { a: 1 } }, upsert: true, many: true }, "upsert: not with many"],
    ["where as a filter", { update: { $set: { a: 1 } }, filter: { $where: "1" } }, "filter.$where: not an operator"],
    [
      "a reference as the filter",
      { update: { $set: { a: 1 } }, filter: "{{input}}" },
      "filter: is written as an object",
    ],
  ])("%s", (_title, config, fault) => {
    const faults = faultsOf(dbUpdateTool, { filter: {}, ...config });
    expect(faults.filter((text) => text.startsWith(fault))).toHaveLength(1);
  });

  test.each<JsonObject>([
    { $set: { "a.b": "{{input.a?}}", c: { d: ["{{input.d}}"] } }, $inc: { n: "{{input.n}}" } },
    { $push: { tags: "{{input.tag}}" }, $unset: { a: "" }, $setOnInsert: { by: "{{input}}" } },
    { $pull: { tags: { $eq: "{{input.tag}}" }, items: { id: { $in: "{{input.ids}}" }, kind: "note" }, n: { $gt: 5 } } },
    { $pull: { tags: "{{input.kind}}-tag" } },
    {
      $pull: { tags: "{{input.tag}}", items: { id: "{{input.id}}", at: { day: "{{input.day}}" } }, n: ["{{input.n}}"] },
    },
  ])("but not %j", (update) => {
    expect(faultsOf(dbUpdateTool, { filter: { _id: "{{input.id}}" }, update })).toEqual([]);
  });
});

describe("what a caller sends is a value in an update, never an operator:", () => {
  const HOSTILE: readonly (readonly [string, string])[] = [
    ['{"$each": ["x"]}', "$each"],
    ['{"$ne": null}', "$ne"],
    ['{"a": {"$set": {"role": "admin"}}}', "a.$set"],
    ['{"__proto__": {"x": 1}}', "__proto__"],
    ['{"constructor": 1}', "constructor"],
    ['{"a": [{"prototype": 1}]}', "a.0.prototype"],
    ['{"a.b": 1}', "a.b"],
    ['{"a": "\\ud800"}', "a"],
    ['"\\ud800"', ""],
    [`${'{"a":'.repeat(100)}1${"}".repeat(100)}`, ""],
  ];

  test.each(HOSTILE)("400 for %.40s", async (text, path) => {
    for (const operator of ["$set", "$push", "$setOnInsert"]) {
      const config = { filter: { _id: "ada" }, update: { [operator]: { "x.y": "{{input}}" } }, upsert: true };
      const { result, users } = await runAuthored(dbUpdateTool, config, JSON.parse(text), ADA);
      expect(result).toMatchObject({ kind: "refuse", error: { code: "VALIDATION_FAILED" } });
      const errors = result.kind === "refuse" && result.error.code === "VALIDATION_FAILED" ? result.error.errors : [];
      if (path !== "") expect(errors.map((fault) => fault.path)).toContain(`update.${operator}.x.y.${path}`);
      expect(users()).toEqual([ADA]);
    }
  });

  test.each<[Json]>([["5"], [null], [{ $gt: 1 }], [[1]], [true]])("400 for an $inc by %j", async (input) => {
    const config = { filter: {}, update: { $inc: { age: "{{input}}" } } };
    const { result, users } = await runAuthored(dbUpdateTool, config, input, ADA);
    expect(result).toMatchObject({ error: { errors: [{ path: "update.$inc.age" }] } });
    expect(users()).toEqual([ADA]);
  });

  test.each<[Json]>([[{ $ne: null }], [{ $exists: true }], [{ $in: ["a", "b"] }], [{}], [{ $or: [{}] }]])(
    "$pull takes nothing out for %j",
    async (input) => {
      for (const tags of [{ $eq: "{{input}}" }, "{{input}}", ["{{input}}"]]) {
        const config = { filter: {}, update: { $pull: { tags } } };
        const { result, users } = await runAuthored(dbUpdateTool, config, input, ADA);
        expect(result).toEqual({ kind: "output", value: { matchedCount: 1, modifiedCount: 0 } });
        expect(users()).toEqual([ADA]);
      }
      const items = [{ id: "x" }, { id: null }];
      const config = { filter: {}, update: { $pull: { items: { id: "{{input}}" } } } };
      const { users } = await runAuthored(dbUpdateTool, config, input, { ...ADA, items });
      expect(users()).toEqual([{ ...ADA, items }]);
    },
  );

  test.each<[JsonObject]>([[{ tags: { $eq: "{{input}}" } }], [{ tags: "{{input}}" }]])(
    "$pull takes out what is equal: %j",
    async ($pull) => {
      const { users } = await runAuthored(dbUpdateTool, { filter: {}, update: { $pull } }, "a", ADA);
      expect(users()).toEqual([{ ...ADA, tags: ["b"] }]);
    },
  );

  test("$pull takes out an object that is equal, and elements by a field of theirs", async () => {
    const items = [
      { id: "x", n: 1 },
      { id: "y", n: 1 },
    ];
    for (const [operand, input] of [
      ["{{input}}", { id: "x", n: 1 }],
      [{ id: "{{input}}" }, "x"],
      [
        { id: "{{input.id}}", n: "{{input.n}}" },
        { id: "x", n: 1 },
      ],
    ] as const) {
      const config = { filter: {}, update: { $pull: { items: operand } } };
      const { users } = await runAuthored(dbUpdateTool, config, input, { _id: "a", items });
      expect(users()).toEqual([{ _id: "a", items: items.slice(1) }]);
    }
  });

  test("an optional value of $pull that is missing takes nothing out", async () => {
    const config = { filter: {}, update: { $pull: { tags: "{{input.tag?}}" }, $set: { seen: true } } };
    const { users } = await runAuthored(dbUpdateTool, config, {}, ADA);
    expect(users()).toEqual([{ ...ADA, seen: true }]);
  });

  test("an object is stored as it is, and $unset takes no notice of it", async () => {
    const config = { filter: {}, update: { $set: { profile: "{{input}}" }, $unset: { age: "{{input}}" } } };
    const { users } = await runAuthored(dbUpdateTool, config, { city: "London", role: "admin" }, ADA);
    const { age: _, ...rest } = ADA;
    expect(users()).toEqual([{ ...rest, profile: { city: "London", role: "admin" } }]);
  });

  test("what is missing is left as it was, and an update of nothing is refused", async () => {
    const config = { filter: {}, update: { $set: { name: "{{input.name?}}", age: "{{input.age?}}" } } };
    const { users } = await runAuthored(dbUpdateTool, config, { age: 1 }, ADA);
    expect(users()).toEqual([{ ...ADA, age: 1 }]);
    const { result } = await runAuthored(dbUpdateTool, config, {}, ADA);
    expect(result).toMatchObject({ error: { errors: [{ path: "update", message: "nothing to change" }] } });
  });

  test.each<[Json, string]>([
    [{ $ne: null }, "filter._id"],
    ["", "filter._id"],
    [7, "filter._id"],
    ["i".repeat(201), "filter._id"],
    ["\ud800", "filter._id"],
  ])("an upsert does not make an _id of %.20j", async (input, path) => {
    const config = { filter: { _id: "{{input}}" }, update: { $set: { a: 1 } }, upsert: true };
    const { result, users } = await runAuthored(dbUpdateTool, config, input);
    expect(result).toMatchObject({ kind: "refuse", error: { errors: [{ path }] } });
    expect(users()).toEqual([]);
  });

  test.each<[Json]>([[{ $gt: "" }], [{ constructor: 1 }], [{ a: { "b.c": 1 } }]])(
    "an upsert does not store %j out of its filter",
    async (input) => {
      const config = { filter: { $and: [{ "who.is": "{{input}}" }] }, update: { $set: { a: 1 } }, upsert: true };
      const { result, users } = await runAuthored(dbUpdateTool, config, input);
      expect(result).toMatchObject({ kind: "refuse", error: { code: "VALIDATION_FAILED" } });
      expect(users()).toEqual([]);
    },
  );
});

describe("a filter finds no more than its author wrote:", () => {
  const INJECTIONS: readonly Json[] = [{ $ne: null }, { $gt: "" }, { $in: ["Ada"] }, { $where: "1" }, {}, [], null];

  test.each(INJECTIONS.map((input) => [input]))("the input %j is compared as a value", async (input) => {
    const filters: readonly JsonObject[] = [
      { name: "{{input}}" },
      { name: { $eq: "{{input}}" } },
      { $or: [{ name: "{{input}}" }] },
      { name: { $in: ["{{input}}"] } },
    ];
    for (const filter of filters) {
      for (const many of [true, false]) {
        const removed = await runAuthored(dbDeleteTool, { filter, many }, input, ADA, BOB);
        expect(removed.result).toEqual({ kind: "output", value: { deletedCount: 0 } });
        const config = { filter, update: { $set: { role: "admin" } }, many };
        const updated = await runAuthored(dbUpdateTool, config, input, ADA, BOB);
        expect(updated.result).toMatchObject({ value: { matchedCount: 0 } });
        expect(updated.users()).toEqual([ADA, BOB]);
      }
    }
  });

  const VANISHING: readonly JsonObject[] = [
    { name: "{{input.name?}}" },
    { role: "user", name: "{{input.name?}}" },
    { name: { $eq: "{{input.name?}}" } },
    { age: { $gt: 1, $lt: "{{input.max?}}" } },
    { name: { $nin: ["{{input.name?}}"] } },
    { $or: [{ name: "{{input.name?}}" }] },
    { $and: [{ $or: [{ role: "user" }, { name: { first: "{{input.name?}}" } }] }] },
  ];

  test.each(VANISHING.map((filter) => [filter]))("a condition that may vanish is refused: %j", (filter) => {
    for (const many of [true, false]) {
      const fault = expect.stringMatching(/^filter: \{\{input\.\w+\?\}\}: an optional reference takes its condition/);
      expect(faultsOf(dbDeleteTool, { filter, many })).toEqual([fault]);
      expect(faultsOf(dbUpdateTool, { filter, many, update: { $set: { a: 1 } } })).toEqual([fault]);
    }
  });

  test("a text of which a part may be missing stays a condition", async () => {
    const config = { filter: { name: "{{input.name?}}{{input.more?}}" }, many: true };
    const { result, users } = await runAuthored(dbDeleteTool, config, {}, ADA);
    expect(result).toMatchObject({ value: { deletedCount: 0 } });
    expect(users()).toEqual([ADA]);
  });

  test("an operator that a reference gives the wrong operand fails the step", async () => {
    const filter = { name: { $in: "{{input}}" } };
    const failed = { kind: "fail", message: "filter.name.$in: a list is needed" };
    expect((await runAuthored(dbDeleteTool, { filter, many: true }, "Ada", ADA)).result).toEqual(failed);
    const update = { $set: { a: 1 } };
    expect((await runAuthored(dbUpdateTool, { filter, update }, "Ada", ADA)).result).toEqual(failed);
  });
});

describe("dbDelete", () => {
  test("deletes the first match, or with many all", async () => {
    const { remove, users } = await withDocuments(ADA, BOB, { _id: "cy", role: "admin" });
    expect(await remove({ filter: { role: "user" } })).toEqual({ kind: "output", value: { deletedCount: 1 } });
    expect(users().map(({ _id }) => _id)).toEqual(["bob", "cy"]);
    expect(await remove({ filter: { role: { $in: ["user", "admin"] } }, many: true })).toMatchObject({
      value: { deletedCount: 2 },
    });
    expect(await remove({ filter: { role: "user" } })).toMatchObject({ value: { deletedCount: 0 } });
  });

  test("empties a collection where its author wrote {}", async () => {
    const { result, users } = await runAuthored(dbDeleteTool, { filter: {}, many: true }, null, ADA, BOB);
    expect(result).toEqual({ kind: "output", value: { deletedCount: 2 } });
    expect(users()).toEqual([]);
  });

  test("in a dry run counts and deletes nothing", async () => {
    const { context, users } = await withDocuments(ADA, BOB);
    const preview = (config: JsonObject) => previewTool(dbDeleteTool, { collection: "users", ...config }, context);
    expect(await preview({ filter: { role: "user" }, many: true })).toEqual({
      kind: "output",
      value: { deletedCount: 2 },
    });
    expect(await preview({ filter: { role: "user" } })).toMatchObject({ value: { deletedCount: 1 } });
    expect(users()).toEqual([ADA, BOB]);
  });

  test.each(["{{input}}", "a", 5, null, ["{{input}}"]])("does not take the filter %j", (filter) => {
    expect(faultsOf(dbDeleteTool, { filter })).toContainEqual(expect.stringMatching(/^filter: .*object/));
  });
});

describe("a filter that takes too much work", () => {
  const list = Array.from({ length: 100_000 }, (_, n) => n);
  const filter = { $or: Array.from({ length: 200 }, () => ({ list: { $lt: 0 } })) };

  test.each([
    ["dbFind", dbFindTool, {}],
    ["dbDelete", dbDeleteTool, {}],
    ["dbDelete of many", dbDeleteTool, { many: true }],
    ["dbUpdate", dbUpdateTool, { update: { $set: { a: 1 } } }],
  ])("makes %s fail and say what to do, in a dry run too", async (_name, tool, more) => {
    const { context, users } = await withDocuments({ _id: "x", list });
    const config = { collection: "users", filter, ...more };
    const failed = { kind: "fail", message: expect.stringContaining("narrow the filter") };
    expect(await runTool(tool, config, context)).toEqual(failed);
    expect(await previewTool(tool, config, context)).toMatchObject({ kind: "fail" });
    expect(users()).toEqual([{ _id: "x", list }]);
  });
});
