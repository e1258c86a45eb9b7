import { SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../../../../src/core/json.ts";
import { authMiddlewareTool, jwtVerifyTool } from "../../../../src/runtime/tools/jwt-verify.ts";
import { execute, statuses } from "./scene.ts";

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

  test("and a secret that is not set fails it too", async () => {
    const ended = await verify({ token: "{{secrets.GONE}}" });
    expect(ended.result).toMatchObject({
      ok: false,
      error: { code: "RUN_FAILED", detail: "step auth: the secret GONE is not set" },
    });
  });
});
