import { expect, test } from "vitest";
import type { Json, JsonObject } from "../../../../src/core/json.ts";
import { inputTool } from "../../../../src/runtime/tools/input.ts";
import { inputValidationTool } from "../../../../src/runtime/tools/input-validation.ts";
import { runTool, testContext } from "../../../support/runtime/step-context.ts";

const SCHEMA = {
  type: "object",
  required: ["email"],
  additionalProperties: false,
  properties: { email: { type: "string", format: "email" } },
};

const validate = (input: Json, config: JsonObject = {}) =>
  runTool(inputValidationTool, config, testContext({ input, inputSchema: SCHEMA }));

test("input is the request's body, whatever it is", async () => {
  for (const input of [{ a: [1] }, null, "text", []] as const) {
    expect(await runTool(inputTool, {}, testContext({ input }))).toEqual({ kind: "output", value: input });
  }
  expect(inputTool.bind({ a: 1 }).ok).toBe(false);
});

test("inputValidation gives the input that fits the graph's schema", async () => {
  expect(await validate({ email: "a@b.c" })).toEqual({ kind: "output", value: { email: "a@b.c" } });
});

test("inputValidation answers 400 with every fault by field", async () => {
  expect(await validate({ email: "no", admin: true })).toMatchObject({
    kind: "refuse",
    error: { code: "VALIDATION_FAILED", errors: [{ path: "email" }, { path: "admin" }] },
  });
});

test.each<[Json]>([[null], ["a@b.c"], [[{ email: "a@b.c" }]], [JSON.parse('{"__proto__": {"email": "a@b.c"}}')]])(
  "inputValidation refuses %j",
  async (input) => {
    expect(await validate(input)).toMatchObject({ kind: "refuse", error: { code: "VALIDATION_FAILED" } });
  },
);

test("inputValidation takes another schema and other data where the graph names them", async () => {
  const schema = { type: "integer", minimum: 1 };
  expect(await validate(null, { schema, data: 5 })).toEqual({ kind: "output", value: 5 });
  expect(await validate(null, { schema, data: 0 })).toMatchObject({ kind: "refuse" });
  expect(inputValidationTool.check({ schema: { type: "nothing" } })).toMatchObject([{ path: "schema.type" }]);
});
