import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import type { JsonObject } from "../../../src/core/json.ts";
import { agentBody, callBy, createTestRuntime, keyOf, requestOf } from "../../support/runtime/runtime.ts";

const ISSUING = {
  tools: [
    { toolId: "token", name: "jwtGenerate", config: { claims: { role: "admin" } } },
    { toolId: "answer", name: "response", config: { body: { token: "{{token.token}}" } } },
  ],
  executionOrder: ["token", "answer"],
};
const GUARDED = {
  tools: [
    { toolId: "who", name: "authMiddleware" },
    { toolId: "answer", name: "response", config: { body: { role: "{{who.role}}" } } },
  ],
  executionOrder: ["who", "answer"],
};

const ALICE = callBy(keyOf("alice", "deploy", "agents:run"));
const MALLORY = callBy(keyOf("mallory", "agents:run"));

function createScene() {
  const { runtime } = createTestRuntime();

  async function deploy(graph: object, serverId: string): Promise<string> {
    const made = await runtime.createAgent(ALICE, agentBody(graph as never, { serverId, ownerId: "alice" }));
    if (!made.ok) throw new Error(JSON.stringify(made.error));
    return made.value.agent.agentId;
  }

  async function tryOut(call: typeof ALICE, ownerId: string, graph: object, serverId: string, token = "") {
    const { tools, executionOrder, inputSchema } = agentBody(graph as never);
    const server = { tools, executionOrder, inputSchema, serverId, ownerId, version: 1, policy: {} };
    const run = await runtime.testRun(call, server, withToken(token), { dryRun: false });
    if (!run.ok) throw new Error(run.error.detail);
    return run.value.result;
  }

  async function tokenOfTest(call: typeof ALICE, ownerId: string, serverId: string): Promise<string> {
    const result = await tryOut(call, ownerId, ISSUING, serverId);
    return result.ok ? String((result.value.body as JsonObject).token) : "";
  }

  async function run(agentId: string, token: string) {
    const outcome = await runtime.run(ALICE, agentId, withToken(token));
    if (!outcome.ok) throw new Error(outcome.error.detail);
    return outcome.value.result;
  }

  return { deploy, tryOut, tokenOfTest, run };
}

function withToken(token: string) {
  return { ...requestOf(null), headers: token === "" ? {} : { authorization: `Bearer ${token}` } };
}

const REFUSED = { ok: false, error: { code: "UNAUTHENTICATED" } };

test("whoever names a server like another owner's agent makes no token that the agent takes", async () => {
  const { deploy, tokenOfTest, run } = createScene();
  const agentId = await deploy(GUARDED, "mcp_guarded");
  const forged = await tokenOfTest(MALLORY, "mallory", agentId);
  expect(decodeJwt(forged).iss).not.toBe(agentId);
  expect(await run(agentId, forged)).toMatchObject(REFUSED);
});

test("what nobody has deployed makes no token that a deployed agent takes, the owner's own neither", async () => {
  const { deploy, tokenOfTest, run } = createScene();
  const guarded = await deploy(GUARDED, "mcp_guarded");
  const issuing = await deploy(ISSUING, "mcp_issuing");
  const ofTest = await tokenOfTest(ALICE, "alice", "mcp_issuing");
  expect(await run(guarded, ofTest)).toMatchObject(REFUSED);
  const ofAgent = await run(issuing, "");
  const real = ofAgent.ok ? String((ofAgent.value.body as JsonObject).token) : "";
  expect(await run(guarded, real)).toMatchObject({ ok: true, value: { body: { role: "admin" } } });
});

test("a test takes tokens of the same owner's tests and agents, and nobody else's", async () => {
  const { deploy, tryOut, tokenOfTest, run } = createScene();
  const guard = (token: string) => tryOut(ALICE, "alice", GUARDED, "mcp_other", token);
  expect(await guard(await tokenOfTest(ALICE, "alice", "mcp_one"))).toMatchObject({ ok: true });
  expect(await guard(await tokenOfTest(MALLORY, "mallory", "mcp_one"))).toMatchObject(REFUSED);
  const ofAgent = await run(await deploy(ISSUING, "mcp_issuing"), "");
  const real = ofAgent.ok ? String((ofAgent.value.body as JsonObject).token) : "";
  expect(await guard(real)).toMatchObject({ ok: true, value: { body: { role: "admin" } } });
});
