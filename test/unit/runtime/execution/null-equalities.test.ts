import { expect, test } from "vitest";
import type { Json, JsonObject } from "../../../../src/core/json.ts";
import { dbDeleteTool } from "../../../../src/runtime/tools/db-delete.ts";
import { dbFindTool } from "../../../../src/runtime/tools/db-find.ts";
import { dbUpdateTool } from "../../../../src/runtime/tools/db-update.ts";
import { ownedData } from "../../../../src/storage/documents/collections.ts";
import { createMemoryDocuments } from "../../../support/memory-documents.ts";
import { execute } from "./scene.ts";

const SET = { update: { $set: { seen: true } } };
const STORED = [
  { _id: "ada", resetToken: "t1" },
  { _id: "bob" },
  { _id: "cy", resetToken: null, tags: [null] },
] as const;

async function ask(name: "dbFind" | "dbUpdate" | "dbDelete", config: JsonObject, input: Json, dryRun = false) {
  const documents = createMemoryDocuments();
  const users = ownedData("user-1", "users");
  for (const document of STORED) await documents.insertOne(users, document);
  const { execution } = execute(["input", { name, config: { collection: "users", ...config } }], {
    tools: [dbFindTool, dbUpdateTool, dbDeleteTool],
    services: { documents },
    input,
    dryRun,
  });
  return { ...(await execution), stored: documents.named("users") };
}

const REFUSED: readonly (readonly [JsonObject, string])[] = [
  [{ resetToken: "{{input.token}}" }, "filter.resetToken"],
  [{ "reset.token": "{{input.token?}}", _id: "bob" }, "filter.reset.token"],
  [{ $or: [{ _id: "ada" }, { $and: [{ resetToken: "{{input.token}}" }] }] }, "filter.$or.1.$and.0.resetToken"],
];

test.each(REFUSED)("a null is nothing to look for: %j", async (filter, path) => {
  const { result, trace } = await ask("dbFind", { filter }, { token: null });
  const message = expect.stringMatching(/^a value is needed, and \{\{input\.token\??\}\} is null$/);
  expect(result).toMatchObject({ ok: false, error: { code: "VALIDATION_FAILED", errors: [{ path, message }] } });
  expect(trace.steps[1]).toMatchObject({ status: "refused", attempts: 0 });
});

test.each(["dbUpdate", "dbDelete"] as const)("%s changes nothing then, dry or not", async (name) => {
  const config = { filter: { resetToken: "{{input.token}}" }, many: true, ...(name === "dbUpdate" ? SET : {}) };
  for (const dryRun of [true, false]) {
    const { result, stored } = await ask(name, config, { token: null }, dryRun);
    expect(result).toMatchObject({ ok: false, error: { code: "VALIDATION_FAILED" } });
    expect(stored).toEqual(STORED);
  }
});

test.each<[JsonObject, Json, readonly string[]]>([
  [{ resetToken: "{{input.token}}" }, { token: "t1" }, ["ada"]],
  [{ resetToken: null }, {}, ["bob", "cy"]],
  [{ resetToken: { $eq: "{{input.token}}" } }, { token: null }, ["bob", "cy"]],
  [{ resetToken: { $in: ["{{input.token}}"] } }, { token: null }, ["bob", "cy"]],
  [{ resetToken: { $ne: "{{input.token}}" } }, { token: null }, ["ada"]],
  [{ resetToken: "{{input.token?}}" }, {}, ["ada", "bob", "cy"]],
  [{ resetToken: { inner: "{{input.token}}" } }, { token: null }, []],
  [{ resetToken: "is {{input.token}}" }, { token: null }, []],
])("an author who means null, or something else, finds what is written: %j of %j", async (filter, input, ids) => {
  const { result } = await ask("dbFind", { filter }, input);
  const found = result.ok ? (result.value.body as readonly { _id: string }[]) : [];
  expect(found.map(({ _id }) => _id)).toEqual(ids);
});

test("what an update pulls may be null", async () => {
  const config = { filter: { _id: "cy" }, update: { $pull: { tags: "{{input.tag}}" } } };
  const { stored } = await ask("dbUpdate", config, { tag: null });
  expect(stored.find(({ _id }) => _id === "cy")).toEqual({ _id: "cy", resetToken: null, tags: [] });
});
