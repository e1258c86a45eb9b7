import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Hono } from "hono";
import { expect, onTestFinished, test } from "vitest";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import { ok } from "../../../src/core/result.ts";
import type { AppEnv } from "../../../src/http/context.ts";
import { mountEndpoints } from "../../../src/http/endpoint.ts";
import { createMcpServing } from "../../../src/mcp/serving.ts";
import { createAccessTokens } from "../../../src/runtime/agents/access-token.ts";
import { createAgentStore } from "../../../src/runtime/agents/agent-store.ts";
import { createAgentMcpEndpoints } from "../../../src/runtime/mcp/mcp-endpoint.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { ECHO_API } from "../../support/graphs.ts";
import { listen } from "../../support/node-listener.ts";
import {
  ANYBODY,
  agentBody,
  callBy,
  createTestLog,
  createTestRuntime,
  ENCRYPTION_KEY,
  SYSTEM,
  toRunRequest,
} from "../../support/runtime/runtime.ts";

async function connect(mode: "legacy" | "auto", graph: Parameters<typeof agentBody>[0] = ECHO_API) {
  const { runtime, documents } = createTestRuntime();
  const clock = createFakeClock();
  const { log } = createTestLog();
  const endpoints = createAgentMcpEndpoints({
    runtime,
    agents: createAgentStore({ documents, ids: createIdSource(clock, systemRandom), clock }),
    tokens: createAccessTokens(ENCRYPTION_KEY),
    serving: createMcpServing({ publicUrl: undefined, allowedOrigins: [], log }),
    toRunRequest,
  });
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set("requestId", "req_test");
    c.set("origin", new URL(c.req.url).origin);
    c.set("event", {});
    c.set("actor", ANYBODY);
    await next();
  });
  app.route(
    "/",
    mountEndpoints(endpoints, async () => ok(null), 262_144),
  );
  const created = await runtime.createAgent(callBy(SYSTEM), agentBody(graph, { access: "public" }));
  if (!created.ok) throw new Error(created.error.detail);
  const listener = await listen((request) => app.fetch(request));
  const client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode } });
  onTestFinished(async () => {
    await client.close();
    await listener.close();
  });
  const url = new URL(`${listener.url}/agents/${created.value.agent.agentId}/mcp`);
  await client.connect(new StreamableHTTPClientTransport(url));
  return client;
}

/** The client checks the structured answer against the schema that was listed. */
test.each(["legacy", "auto"] as const)("the official client lists and calls an agent's tool (%s)", async (mode) => {
  const client = await connect(mode);
  const { tools } = await client.listTools();
  expect(tools).toMatchObject([{ name: "echo_api", outputSchema: { type: "object", properties: { got: {} } } }]);
  const called = await client.callTool({ name: "echo_api", arguments: { hello: ["world"] } });
  expect(called.structuredContent).toEqual({ got: { hello: ["world"] } });
});

test.each(["legacy", "auto"] as const)(
  "no header that a schema asks for costs its agent the tool (%s)",
  async (mode) => {
    const asked = (of: object) => ({ ...of, "x-mcp-header": "Region" });
    const list = { type: "array", items: asked({ type: "string" }) };
    const client = await connect(mode, {
      ...ECHO_API,
      inputSchema: {
        type: "object",
        properties: { region: asked({ type: "string" }), list, n: asked({ type: "number" }) },
      },
    });
    const { tools } = await client.listTools();
    expect(tools.map(({ inputSchema }) => inputSchema.properties)).toEqual([
      { region: { type: "string" }, list: { type: "array", items: { type: "string" } }, n: { type: "number" } },
    ]);
    const called = await client.callTool({ name: "echo_api", arguments: { region: "eu" } });
    expect(called.structuredContent).toEqual({ got: { region: "eu" } });
  },
);
