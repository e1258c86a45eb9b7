import { decodeProtectedHeader, jwtVerify } from "jose";
import { expect, test } from "vitest";
import type { JsonObject } from "../../../../src/core/json.ts";
import { deriveSigningKey } from "../../../../src/runtime/agents/signing-key.ts";
import type { ToolServices } from "../../../../src/runtime/tool.ts";
import { jwtGenerateTool } from "../../../../src/runtime/tools/jwt-generate.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { runTool, TEST_ENCRYPTION_KEY, testContext, testServices } from "../../../support/runtime/step-context.ts";

const AGENT = "agent_00000000000000000000000001";

async function generate(config: JsonObject, changes: Partial<ToolServices> = {}) {
  return runTool(jwtGenerateTool, config, testContext({ services: testServices(changes), agentId: AGENT }));
}

async function verify(result: Awaited<ReturnType<typeof generate>>, agentId = AGENT) {
  if (result.kind !== "output") throw new Error(result.kind);
  const { token, expiresAt } = jwtGenerateTool.output.parse(result.value) as { token: string; expiresAt: string };
  const currentDate = new Date(createFakeClock().now());
  const key = await deriveSigningKey(TEST_ENCRYPTION_KEY, agentId);
  return { token, expiresAt, ...(await jwtVerify(token, key, { currentDate })) };
}

test("a token carries the claims, the agent as issuer, and its hour", async () => {
  const { payload, expiresAt, token } = await verify(await generate({ claims: { sub: "doc_1", email: "a@b.c" } }));
  const now = createFakeClock().now() / 1_000;
  expect(payload).toEqual({ sub: "doc_1", email: "a@b.c", iss: AGENT, iat: now, exp: now + 3_600 });
  expect(expiresAt).toBe("2026-02-13T11:30:00.000Z");
  expect(decodeProtectedHeader(token)).toEqual({ alg: "HS256", typ: "JWT" });
});

test.each([
  ["30s", 30],
  ["15m", 900],
  ["7d", 604_800],
  ["30d", 2_592_000],
])("it lasts %s", async (expiresIn, seconds) => {
  const { payload } = await verify(await generate({ claims: {}, expiresIn, audience: "app" }));
  expect(Number(payload.exp) - Number(payload.iat)).toBe(seconds);
  expect(payload.aud).toBe("app");
});

test.each(["31d", "0m", "1", "1w", "-1h", "1.5h", "999999999999d", 3600])("it cannot last %j", (expiresIn) => {
  expect(jwtGenerateTool.bind({ claims: {}, expiresIn }).ok).toBe(false);
});

test("claims do not say who issued the token, or until when", async () => {
  const { payload } = await verify(
    await generate({ claims: { iss: "root", iat: 1, exp: 9_999_999_999, admin: true } }),
  );
  expect(payload.iss).toBe(AGENT);
  expect(payload.exp).toBeLessThan(9_999_999_999);
});

test("another agent's key does not verify it", async () => {
  const result = await generate({ claims: {} });
  await expect(verify(result, "agent_00000000000000000000000002")).rejects.toThrow("signature");
});

test("without an ENCRYPTION_KEY the step fails and says so", async () => {
  expect(await generate({ claims: {} }, { signingKey: async () => null })).toEqual({
    kind: "fail",
    message: expect.stringContaining("ENCRYPTION_KEY"),
  });
});

test("with a secret it is signed by that, and names the agent all the same", async () => {
  const secret = "s".repeat(32);
  const result = await generate({ claims: { sub: "a" }, secret }, { signingKey: async () => null });
  const token = result.kind === "output" ? (result.value as { token: string }).token : "";
  const currentDate = new Date(createFakeClock().now());
  const { payload } = await jwtVerify(token, new TextEncoder().encode(secret), { currentDate });
  expect(payload).toMatchObject({ sub: "a", iss: AGENT });
});

test.each(["", "s".repeat(31), "s".repeat(1_025), 5])("a secret that is no good key is refused: %.10j", (secret) => {
  expect(jwtGenerateTool.bind({ claims: {}, secret }).ok).toBe(false);
});

test("claims are bounded", async () => {
  expect(await generate({ claims: { a: "x".repeat(5_000) } })).toMatchObject({ kind: "fail" });
});

test("a signing key is 32 bytes, the same each time, and another for each agent and secret", async () => {
  const [key, again, otherAgent, otherSecret] = await Promise.all([
    deriveSigningKey(TEST_ENCRYPTION_KEY, AGENT),
    deriveSigningKey(TEST_ENCRYPTION_KEY, AGENT),
    deriveSigningKey(TEST_ENCRYPTION_KEY, "agent_x"),
    deriveSigningKey(btoa("x".repeat(32)), AGENT),
  ]);
  expect(key).toHaveLength(32);
  expect(again).toEqual(key);
  expect(otherAgent).not.toEqual(key);
  expect(otherSecret).not.toEqual(key);
});
