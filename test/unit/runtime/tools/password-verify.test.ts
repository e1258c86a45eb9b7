import { expect, test } from "vitest";
import type { Json } from "../../../../src/core/json.ts";
import { err } from "../../../../src/core/result.ts";
import { passwordVerifyTool } from "../../../../src/runtime/tools/password-verify.ts";
import { runTool, testContext, testServices } from "../../../support/runtime/step-context.ts";

const services = testServices();
const verify = (config: { readonly [key: string]: Json }) =>
  runTool(passwordVerifyTool, { password: "correct horse", ...config }, testContext({ services }));

async function hashOf(password: string): Promise<string> {
  const hash = await services.passwords.hash(password);
  return hash.ok ? hash.value : hash.error;
}

test("the right password passes, a wrong one is refused with 401", async () => {
  const hash = await hashOf("correct horse");
  expect(await verify({ hash })).toEqual({ kind: "output", value: { valid: true } });
  expect(await verify({ hash, password: "wrong" })).toMatchObject({ error: { code: "UNAUTHENTICATED" } });
});

test("an unknown user is refused in the same words as a wrong password", async () => {
  const hash = await hashOf("another");
  const wrong = await verify({ hash });
  for (const missing of [{}, { hash: null }, { hash: "" }, { hash: "correct horse" }]) {
    expect(await verify(missing)).toEqual(wrong);
  }
});

test.each([
  [400, "VALIDATION_FAILED"],
  [403, "FORBIDDEN"],
  [404, "NOT_FOUND"],
])("the run answers %i where the graph says so", async (status, code) => {
  expect(await verify({ status })).toMatchObject({ kind: "refuse", error: { code } });
});

test.each<[Json]>([[{ $ne: null }], [["a"]], [5], [null], ["p".repeat(1_025)]])(
  "%.20j is no password: refused in the same words as a wrong one, and where an author writes it",
  async (password) => {
    const wrong = await verify({ password: "wrong" });
    expect(await verify({ password, hash: await hashOf("correct horse") })).toEqual(wrong);
    expect(await verify({ password })).toEqual(wrong);
    expect(passwordVerifyTool.check({ password })).toMatchObject([{ path: "password" }]);
  },
);

test("a password is needed, and may be a reference", () => {
  expect(passwordVerifyTool.bind({}).ok).toBe(false);
  expect(passwordVerifyTool.check({ password: "{{input.password}}" })).toEqual([]);
});

test.each([200, 500, "401"])("the status %j is refused", (status) => {
  expect(passwordVerifyTool.bind({ password: "a", status }).ok).toBe(false);
});

test("where too many wait the run is told to come again, whatever the password", async () => {
  const passwords = { hash: async () => err("full"), verify: async () => err("full") };
  const context = testContext({ services: testServices({ passwords }) });
  const told = await runTool(passwordVerifyTool, { password: "correct horse", status: 404 }, context);
  expect(told).toMatchObject({ kind: "refuse", error: { code: "OVERLOADED", retryAfterSeconds: expect.any(Number) } });
});
