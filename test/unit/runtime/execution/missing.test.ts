import { SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../../../../src/core/json.ts";
import { dbFindTool } from "../../../../src/runtime/tools/db-find.ts";
import { authMiddlewareTool, jwtVerifyTool } from "../../../../src/runtime/tools/jwt-verify.ts";
import { ownedData } from "../../../../src/storage/documents/collections.ts";
import { createMemoryDocuments } from "../../../support/memory-documents.ts";
import { bodyOf, execute, statuses } from "./scene.ts";

const SECRET = "a secret of thirty-two bytes or more";

describe.each([jwtVerifyTool, authMiddlewareTool])("$name answers 401", (tool) => {
  const verify = (config: JsonObject, input: Json = {}, headers: Record<string, string> = {}) => {
    const changes = { request: { input, method: "POST", headers, query: {} } };
    const steps = ["input", { name: tool.name, toolId: "auth", config }, "response"];
    return execute(steps, { tools: [tool], changes, secrets: { KEY: SECRET } }).execution;
  };

  test.each<[string, Json]>([
    ["{{request.headers.authorization}}", {}],
    ["{{request.headers.authorization?}}", {}],
    ["Bearer {{request.headers.authorization}}", {}],
    ["{{input.token}}", {}],
    ["{{input.token}}", null],
    ["{{input.token}}", { token: null }],
    ["{{input.token?}}", {}],
    ["{{input.nested.token}}", { nested: [] }],
  ])("where %s has no value in %j", async (token, input) => {
    for (const secret of [{}, { secret: "{{secrets.KEY}}" }]) {
      const ended = await verify({ token, ...secret }, input);
      expect(ended.result).toMatchObject({ ok: false, error: { code: "UNAUTHENTICATED" } });
      expect(statuses(ended)).toBe("input:ok auth:refused");
    }
  });

  test("and never takes the header in place of a token that is missing elsewhere", async () => {
    const token = await new SignJWT({ sub: "ada" })
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(SECRET));
    const headers = { authorization: `Bearer ${token}` };
    const config = { secret: "{{secrets.KEY}}" };
    expect((await verify({ ...config, token: "{{input.token}}" }, {}, headers)).result.ok).toBe(false);
    expect((await verify({ ...config, token: "{{input.token?}}" }, {}, headers)).result.ok).toBe(true);
    expect((await verify({ ...config, token: "{{request.headers.authorization}}" }, {}, headers)).result.ok).toBe(true);
  });

  test("while another setting that is missing fails the step", async () => {
    const ended = await verify({ audience: "{{input.audience}}" });
    expect(ended.result).toMatchObject({
      ok: false,
      error: { code: "RUN_FAILED", detail: "step auth: {{input.audience}} has no value" },
    });
  });
});

describe("inputValidation never checks another value than the one it was given", () => {
  const schema = { type: "object", required: ["city"], properties: { city: { type: "string" } } };
  const check = (data: Json, input: Json, of: JsonObject = schema) => {
    const steps = [
      "input",
      { name: "inputValidation", toolId: "address", config: { schema: of, data } },
      { name: "response", config: { body: { is: "{{address}}" } } },
    ];
    return execute(steps, { input }).execution;
  };

  test.each(["{{input.address?}}", "{{input.address}}"])("%s that is missing is null to the schema", async (data) => {
    const ended = await check(data, { city: "Bern", admin: true });
    expect(ended.result).toMatchObject({
      ok: false,
      error: { code: "VALIDATION_FAILED", errors: [{ path: "", message: expect.stringContaining("object") }] },
    });
    expect(statuses(ended)).toBe("input:ok address:refused");
  });

  test("a schema that takes null lets it be missing", async () => {
    const optional = { ...schema, type: ["object", "null"] };
    expect(bodyOf(await check("{{input.address?}}", { city: "Bern" }, optional))).toEqual({ is: null });
    expect(bodyOf(await check("{{input.address?}}", { address: { city: "Bern" } }, optional))).toEqual({
      is: { city: "Bern" },
    });
  });

  test("parts that are optional are left out as they are anywhere", async () => {
    expect(bodyOf(await check({ city: "Bern", zip: "{{input.zip?}}" }, {}))).toEqual({ is: { city: "Bern" } });
  });
});

describe("an optional reference to nothing takes with it what holds it in a filter", () => {
  test.each<[JsonObject, Json, number]>([
    [{ price: "{{input.price?}}" }, {}, 2],
    [{ price: { $gte: "{{input.min?}}", $lte: "{{input.max?}}" } }, { min: 6 }, 1],
    [{ price: { $gte: "{{input.min?}}", $lte: "{{input.max?}}" } }, {}, 0],
  ])("%j, with %j, finds %i of two", async (filter, input, found) => {
    const documents = createMemoryDocuments();
    for (const price of [5, 9]) await documents.insertOne(ownedData("user-1", "offers"), { price });
    const find = { name: "dbFind", config: { collection: "offers", filter } };
    const ended = await execute(["input", find], { tools: [dbFindTool], services: { documents }, input }).execution;
    expect(bodyOf(ended)).toHaveLength(found);
  });
});
