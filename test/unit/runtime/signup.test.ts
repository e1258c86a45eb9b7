import { jwtVerify } from "jose";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { deriveSigningKey } from "../../../src/runtime/agents/signing-key.ts";
import { resolveInputSchema } from "../../../src/runtime/graph/graph.ts";
import signupApi from "../../../src/servers/templates/signup-api.json" with { type: "json" };
import {
  ANYBODY,
  agentBody,
  callBy,
  createTestRuntime,
  ENCRYPTION_KEY,
  requestOf,
  SYSTEM,
} from "../../support/runtime/runtime.ts";

/** As an author might write it who trusts the caller: nothing is checked before it meets the filter. */
const LOGIN = {
  tools: [
    { toolId: "input", name: "input" },
    {
      toolId: "find",
      name: "dbFind",
      config: { collection: "users", filter: { email: "{{input.email}}" }, one: true },
    },
    {
      toolId: "verify",
      name: "passwordVerify",
      config: { password: "{{input.password}}", hash: "{{find.password?}}" },
    },
    { toolId: "response", name: "response", config: { body: { ok: "{{verify.valid}}" } } },
  ],
  executionOrder: ["input", "find", "verify", "response"],
};

const PASSWORD = "correct horse battery";

async function deployed() {
  const test = createTestRuntime({ clock: systemClock });
  const deploy = async (graph: Parameters<typeof agentBody>[0], serverId: string) => {
    const inputSchema = resolveInputSchema({ tools: agentBody(graph).tools });
    const made = await test.runtime.createAgent(callBy(SYSTEM), agentBody({ ...graph, inputSchema }, { serverId }));
    if (!made.ok) throw new Error(JSON.stringify(made.error));
    return made.value.agent.agentId;
  };
  const signup = await deploy(signupApi, "mcp_signup");
  const login = await deploy(LOGIN, "mcp_login");
  const run = async (agentId: string, input: object) => {
    const outcome = await test.runtime.run(callBy(ANYBODY), agentId, requestOf(input as never));
    await test.settle();
    if (!outcome.ok) throw new Error(outcome.error.detail);
    return outcome.value.result;
  };
  return { ...test, signup, login, run };
}

test("somebody signs up, cannot twice, and logs in; the password is nowhere", async () => {
  const { signup, login, run, documents, lines } = await deployed();
  const user = { email: "ada@example.com", password: PASSWORD, name: "Ada" };

  const first = await run(signup, user);
  if (!first.ok) throw new Error(first.error.detail);
  expect(first.value).toEqual({
    status: 200,
    headers: {},
    body: {
      success: true,
      user: { _id: expect.any(String), email: "ada@example.com", name: "Ada" },
      token: expect.any(String),
    },
  });
  const { user: stored, token } = first.value.body as unknown as { user: { _id: string }; token: string };
  const { payload } = await jwtVerify(token, await deriveSigningKey(ENCRYPTION_KEY, signup), { issuer: signup });
  expect(payload).toMatchObject({ sub: stored._id, email: "ada@example.com" });

  expect(await run(signup, user)).toEqual({
    ok: false,
    error: { code: "DUPLICATE", detail: "a document with the same email exists already" },
  });
  expect(await run(login, user)).toMatchObject({ ok: true, value: { body: { ok: true } } });
  expect(await run(login, { ...user, password: "wrong password" })).toMatchObject({
    error: { code: "UNAUTHENTICATED" },
  });
  expect(await run(login, { email: { $ne: null }, password: PASSWORD })).toMatchObject({
    error: { code: "UNAUTHENTICATED" },
  });

  expect(documents.named("users")).toEqual([
    {
      _id: stored._id,
      email: "ada@example.com",
      name: "Ada",
      password: expect.stringMatching(/^\$scrypt\$ln=14,r=8,p=5\$/),
    },
  ]);
  expect(documents.named("runs").length).toBeGreaterThan(4);
  const everything = JSON.stringify([documents.all(), lines]);
  expect(everything).not.toContain(PASSWORD);
  expect(everything).not.toContain("wrong password");
  expect(everything).not.toContain(token);
});

test("a bad sign-up is told every field, and nothing is stored", async () => {
  const { signup, run, documents } = await deployed();
  expect(await run(signup, { email: "no address", password: "short", role: "admin" })).toMatchObject({
    ok: false,
    error: {
      code: "VALIDATION_FAILED",
      errors: [
        { path: "email", message: "is not a valid email" },
        { path: "password", message: "must hold at least 8 characters" },
        { path: "role", message: "is not allowed" },
      ],
    },
  });
  expect(documents.named("users")).toEqual([]);
});

test("a name that is not given is not stored", async () => {
  const { signup, run, documents } = await deployed();
  await run(signup, { email: "bob@example.com", password: PASSWORD });
  expect(Object.keys(documents.named("users")[0] ?? {})).toEqual(["_id", "email", "password"]);
});
