import { expect, test } from "vitest";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { compileSchema } from "../../../src/runtime/json-schema/json-schema-validator.ts";
import { createRunWork } from "../../../src/runtime/run-work.ts";

async function faultsOf(schema: JsonObject, data: Json) {
  return (await compileSchema(schema))(data, createRunWork());
}

const lists = (depth: number, value: Json) => Array.from({ length: depth }).reduce<Json>((inner) => [inner], value);
const TOO_MUCH = [{ path: "", message: "takes too much work to check against the schema: send less" }];

test("schemas inside each other end before the stack does", async () => {
  const alternatives = Array.from({ length: 6 }).reduce<JsonObject>(
    (inner) => ({ oneOf: [inner], unevaluatedItems: false }),
    { items: { $ref: "#" }, contains: { $ref: "#" } },
  );
  expect(await faultsOf(alternatives, lists(128, 5))).toEqual(TOO_MUCH);
  expect(await faultsOf({ type: ["array", "number"], items: { $ref: "#" } }, lists(128, 5))).toEqual([]);
});

test("patterns, formats and what is left over are checked as elsewhere", async () => {
  const schema = {
    properties: {
      password: { pattern: "^(?=.*\\d)(?=.*\\p{Lu}).{8,}$" },
      page: { format: "uri-template" },
      slow: { pattern: "^(a+)+$" },
    },
    unevaluatedProperties: false,
  };
  const right = { password: "Long enough 1", page: "/pages{/id}", slow: "aaa" };
  expect(await faultsOf(schema, right)).toEqual([]);
  expect(await faultsOf(schema, { password: "long", page: "{", slow: `${"a".repeat(100_000)}!`, other: 1 })).toEqual([
    { path: "password", message: "does not match the pattern ^(?=.*\\d)(?=.*\\p{Lu}).{8,}$" },
    { path: "page", message: "is not a valid uri-template" },
    { path: "slow", message: "does not match the pattern ^(a+)+$" },
    { path: "other", message: "is not allowed" },
  ]);
});
