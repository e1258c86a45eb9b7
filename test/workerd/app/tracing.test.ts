import { expect, test } from "vitest";
import { parseTraceparent } from "../../../src/core/trace-context.ts";
import { createMemoryHost } from "../../support/agents-host.ts";
import { createTestApp, newOwner, type TestApp } from "../../support/app.ts";
import { ECHO_API } from "../../support/graphs.ts";
import { SECRET, signMessage } from "../../unit/deploy/webhooks/harness.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER = `00-${TRACE}-00f067aa0ba902b7-01`;

interface Told {
  readonly host: string;
  readonly traceparent: string | null;
  readonly tracestate: string | null;
}

function setUp(): { readonly app: TestApp; readonly told: Told[] } {
  const told: Told[] = [];
  const agentsHost = createMemoryHost();
  const app = createTestApp({
    variables: {
      OUTBOUND_PRIVATE_HOSTS: "crm.internal",
      TAVILY_API_KEY: "tvly-0123456789",
      TAVILY_BASE_URL: "https://tavily.test",
      SEARCH_KEYLESS: "off",
      EMAIL_API_KEY: "re_0123456789",
      EMAIL_API_URL: "https://mail.test",
      ARCHESTRA_API_KEY: "key-of-the-host",
      ARCHESTRA_DEPLOYMENT_ENDPOINT: "https://host.test/mcp/agents",
      WEBHOOK_SECRET: SECRET,
    },
    async fetch(url, init) {
      const headers = new Headers(init.headers);
      const { host } = new URL(url);
      told.push({ host, traceparent: headers.get("traceparent"), tracestate: headers.get("tracestate") });
      if (host === "host.test") return agentsHost.fetch(url, init);
      const page = { title: "How tides work", url: "https://a.example/", content: "The moon pulls.", score: 0.5 };
      return Response.json(host === "tavily.test" ? { results: [page] } : { id: "m1" });
    },
  });
  return { app, told };
}

async function createAgent(app: TestApp, tools: readonly object[], executionOrder: readonly string[]): Promise<string> {
  const made = await app.call("POST", "/mcp/agents", {
    body: {
      name: "Traced",
      description: "",
      tools: [{ toolId: "input", name: "input" }, ...tools],
      executionOrder: ["input", ...executionOrder],
      inputSchema: { type: "object" },
      access: "public",
      metadata: {
        createdBy: "orchestrix",
        serverId: `mcp_${crypto.randomUUID()}`,
        createdAt: "2026-02-13T10:30:00.000Z",
        ownerId: "tracing-owner",
      },
    },
  });
  expect(made.status, made.text).toBe(201);
  return made.body.agentId;
}

const askCrm = (toolId: string) => ({ toolId, name: "httpRequest", config: { url: "http://crm.internal/customers" } });

/** An agent that asks a host, the web, and another agent that asks the host too, and writes a message. */
async function createCaller(app: TestApp): Promise<string> {
  const inner = await createAgent(app, [askCrm("inner")], ["inner"]);
  const search = { toolId: "web", name: "webSearch", config: { query: `how do tides work ${crypto.randomUUID()}` } };
  const other = { toolId: "other", name: "callAgent", config: { agentId: inner } };
  const message = { from: "us@example.com", to: "ada@example.com", subject: "Tides", text: "They come." };
  const mail = { toolId: "mail", name: "emailSend", config: message };
  return createAgent(app, [askCrm("crm"), search, other, mail], ["crm", "web", "other", "mail"]);
}

test("a run continues its caller's trace in all that it calls; only hosts that its author chose hear of the state", async () => {
  const { app, told } = setUp();
  const agentId = await createCaller(app);
  const headers = { traceparent: CALLER, tracestate: " vendor=1 , other=2" };
  const run = await app.call("POST", `/agents/${agentId}`, { key: null, body: {}, headers });
  expect(run.status, run.text).toBe(200);
  expect(told).toEqual([
    { host: "crm.internal", traceparent: expect.any(String), tracestate: "vendor=1,other=2" },
    { host: "tavily.test", traceparent: expect.any(String), tracestate: null },
    { host: "crm.internal", traceparent: expect.any(String), tracestate: "vendor=1,other=2" },
    { host: "mail.test", traceparent: expect.any(String), tracestate: null },
  ]);
  const places = told.map(({ traceparent }) => parseTraceparent(traceparent));
  expect(places.map((place) => place?.traceId)).toEqual([TRACE, TRACE, TRACE, TRACE]);
  const [crm, web, other, mail] = places.map((place) => place?.spanId);
  expect(new Set([crm, web, other, "00f067aa0ba902b7"]).size).toBe(4);
  expect(mail).toBe(crm);
});

test.each([
  ["a state without a trace", { tracestate: "vendor=1" }],
  ["a state beside a wrong trace", { traceparent: "00-a-b-01", tracestate: "vendor=1" }],
  ["a state that is wrong", { traceparent: CALLER, tracestate: "Vendor=1" }],
])("%s is not passed on", async (_what, headers) => {
  const { app, told } = setUp();
  const agentId = await createAgent(app, [askCrm("crm")], ["crm"]);
  expect((await app.call("POST", `/agents/${agentId}`, { key: null, body: {}, headers })).status).toBe(200);
  expect(told).toEqual([{ host: "crm.internal", traceparent: expect.any(String), tracestate: null }]);
});

test("a run over MCP continues the trace too", async () => {
  const { app, told } = setUp();
  const agentId = await createAgent(app, [askCrm("crm")], ["crm"]);
  const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "traced", arguments: {} } };
  const called = await app.call("POST", `/agents/${agentId}/mcp`, {
    key: null,
    body: message,
    headers: { Accept: "application/json, text/event-stream", traceparent: CALLER, tracestate: "vendor=1" },
  });
  expect(called.status, called.text).toBe(200);
  expect(told).toMatchObject([{ host: "crm.internal", tracestate: "vendor=1" }]);
  expect(parseTraceparent(told[0]?.traceparent)?.traceId).toBe(TRACE);
});

test("a search continues its caller's trace, whoever of several asks first", async () => {
  const { app, told } = setUp();
  const body = { query: `how do tides work ${crypto.randomUUID()}` };
  const headers = { traceparent: CALLER, tracestate: "vendor=1" };
  const first = app.call("POST", "/search", { body, headers });
  const answers = await Promise.all([first, app.call("POST", "/search", { body })]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(told).toEqual([{ host: "tavily.test", traceparent: expect.any(String), tracestate: null }]);
  expect(parseTraceparent(told[0]?.traceparent)?.traceId).toBe(TRACE);
});

test("a deploy continues its caller's trace at the target, and one that a webhook asked for is in none", async () => {
  const { app, told } = setUp();
  const ownerId = newOwner();
  const created = await app.call("POST", "/mcp/servers", { body: { ...ECHO_API, ownerId } });
  const { serverId } = created.body;
  const headers = { traceparent: CALLER, tracestate: "vendor=1" };
  const body = { ownerId, target: "archestra" };
  const deployed = await app.call("POST", `/mcp/servers/${serverId}/deploy`, { body, headers });
  expect(deployed.status, deployed.text).toBe(200);
  expect(told).toEqual([{ host: "host.test", traceparent: expect.any(String), tracestate: "vendor=1" }]);
  const place = parseTraceparent(told[0]?.traceparent);
  expect(place).toMatchObject({ traceId: TRACE, sampled: true });
  expect(place?.spanId).not.toBe("00f067aa0ba902b7");

  const raw = JSON.stringify({ type: "server.redeploy", data: { serverId, ownerId } });
  const id = crypto.randomUUID();
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signature = await signMessage(id, timestamp, raw, SECRET);
  const signed = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature };
  await app.call("POST", "/webhooks/deploy", { key: null, raw, headers: { ...headers, ...signed } });
  await app.settle();
  expect(told.slice(1)).toEqual([{ host: "host.test", traceparent: null, tracestate: null }]);
});
