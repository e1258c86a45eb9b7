import { Hono } from "hono";
import { expect, test } from "vitest";
import { createIdSource, systemRandom } from "../../src/core/ids.ts";
import { ok } from "../../src/core/result.ts";
import type { AppEnv } from "../../src/http/context.ts";
import { mountEndpoints } from "../../src/http/endpoint.ts";
import { createMcpServing } from "../../src/mcp/serving.ts";
import { createAccessTokens } from "../../src/runtime/agents/access-token.ts";
import { createAgentStore } from "../../src/runtime/agents/agent-store.ts";
import { createAgentMcpEndpoints } from "../../src/runtime/mcp/mcp-endpoint.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { ECHO_API } from "../support/graphs.ts";
import {
  ANYBODY,
  agentBody,
  callBy,
  createTestLog,
  createTestRuntime,
  ENCRYPTION_KEY,
  ORIGIN,
  SYSTEM,
  toRunRequest,
} from "../support/runtime/runtime.ts";

/** The endpoint alone, on the runtime that serves it. */
async function createScene() {
  const { runtime, documents } = createTestRuntime();
  const clock = createFakeClock();
  const tokens = createAccessTokens(ENCRYPTION_KEY);
  const agents = createAgentStore({ documents, ids: createIdSource(clock, systemRandom), clock });
  const { log } = createTestLog();
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set("requestId", "req_test");
    c.set("origin", ORIGIN);
    c.set("event", {});
    c.set("actor", ANYBODY);
    await next();
  });
  const serving = createMcpServing({ publicUrl: ORIGIN, allowedOrigins: [], log });
  const endpoints = createAgentMcpEndpoints({ runtime, agents, tokens, serving, toRunRequest });
  app.route(
    "/",
    mountEndpoints(endpoints, async () => ok(null), 262_144),
  );
  const created = await runtime.createAgent(callBy(SYSTEM), agentBody(ECHO_API, { access: "key" }));
  if (!created.ok) throw new Error(created.error.detail);
  const { agentId } = created.value.agent;

  return async function send(message: object, token: string | null | undefined = undefined) {
    const credential = token === undefined ? await tokens.mint(agentId) : token;
    const response = await app.request(`${ORIGIN}/agents/${agentId}/mcp`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/json, text/event-stream",
        ...(credential === null ? {} : { Authorization: `Bearer ${credential}` }),
      },
      body: JSON.stringify({ jsonrpc: "2.0", ...message }),
    });
    const text = await response.text();
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      body: text === "" ? null : JSON.parse(text),
    };
  };
}

test("the handshake, the list and a call work inside workerd, each answered as JSON", async () => {
  const send = await createScene();
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } };
  const initialized = await send({ id: 1, method: "initialize", params });
  expect([initialized.status, initialized.type]).toEqual([200, "application/json"]);
  expect(initialized.body.result.protocolVersion).toBe("2025-11-25");
  expect((await send({ method: "notifications/initialized" })).status).toBe(202);
  const listed = await send({ id: 2, method: "tools/list" });
  const [tool] = listed.body.result.tools;
  const called = await send({ id: 3, method: "tools/call", params: { name: tool.name, arguments: { a: [1] } } });
  expect(called.body.result.structuredContent).toEqual({ got: { a: [1] } });
});

test("a revision of 2026-07-28 is served inside workerd", async () => {
  const send = await createScene();
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  };
  const refused = await send({ id: 1, method: "tools/list", params: { _meta } });
  // Without the headers that this revision wants beside the body.
  expect([refused.status, refused.body.error.code]).toEqual([400, -32_020]);
});

test("without its token an agent that is not public answers 401", async () => {
  const send = await createScene();
  expect((await send({ id: 1, method: "tools/list" }, null)).status).toBe(401);
  expect((await send({ id: 1, method: "tools/list" }, `orxa_${"A".repeat(43)}`)).status).toBe(401);
});

test("many calls at once on one isolate are answered each with its own", async () => {
  const send = await createScene();
  const calls = Array.from({ length: 30 }, (_, n) =>
    send({ id: n, method: "tools/call", params: { name: "echo_api", arguments: { n } } }),
  );
  const answers = await Promise.all(calls);
  expect(answers.map((answer) => answer.body.result.structuredContent.got.n)).toEqual([...calls.keys()]);
});
