import { Hono } from "hono";
import { expect, test } from "vitest";
import { type Actor, authorize } from "../../../src/core/actor.ts";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import { ok } from "../../../src/core/result.ts";
import type { AppEnv } from "../../../src/http/context.ts";
import { mountEndpoints, refusal } from "../../../src/http/endpoint.ts";
import { createNotFound } from "../../../src/http/middleware/not-found.ts";
import { createMcpServing } from "../../../src/mcp/serving.ts";
import { createAccessTokens } from "../../../src/runtime/agents/access-token.ts";
import { createAgentStore } from "../../../src/runtime/agents/agent-store.ts";
import type { Policy } from "../../../src/runtime/contract.ts";
import { createAgentMcpEndpoints } from "../../../src/runtime/mcp/mcp-endpoint.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { ECHO_API } from "../../support/graphs.ts";
import {
  ANYBODY,
  agentBody,
  callBy,
  createTestRuntime,
  ENCRYPTION_KEY,
  keyOf,
  ORIGIN,
  SYSTEM,
  toRunRequest,
} from "../../support/runtime/runtime.ts";

const ACTORS: Readonly<Record<string, Actor>> = {
  orx_owner: keyOf("user-1", "agents:run"),
  orx_other: keyOf("user-2", "agents:run"),
  orx_reader: keyOf("user-1", "servers:read"),
  orx_other_reader: keyOf("user-2", "servers:read"),
};

const BODY_LIMIT = 4_096;

interface Options {
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
}

function createScene(allowedOrigins: readonly string[] = []) {
  const made = createTestRuntime();
  const clock = createFakeClock();
  const tokens = createAccessTokens(ENCRYPTION_KEY);
  const agents = createAgentStore({ documents: made.documents, ids: createIdSource(clock, systemRandom), clock });
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const serving = createMcpServing({ publicUrl: ORIGIN, allowedOrigins, log });
  const endpoints = createAgentMcpEndpoints({ runtime: made.runtime, agents, tokens, serving, toRunRequest });
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set("requestId", "req_test");
    c.set("origin", ORIGIN);
    c.set("event", {});
    await next();
  });
  const guard = async (c: Parameters<typeof refusal>[0]) => {
    const key = c.req.header("x-api-key") ?? c.req.header("authorization")?.replace("Bearer ", "") ?? "";
    c.set("actor", ACTORS[key] ?? ANYBODY);
    return ok(null);
  };
  app.route("/", mountEndpoints(endpoints, guard, BODY_LIMIT));
  app.notFound(createNotFound(endpoints.map((e) => e.spec)));
  app.onError((error, c) =>
    error instanceof StorageUnavailable
      ? refusal(c, { code: "STORAGE_UNAVAILABLE", detail: "no store" })
      : refusal(c, { code: "INTERNAL", detail: "internal error" }),
  );

  let servers = 0;
  async function deploy(
    graph: Parameters<typeof agentBody>[0] = ECHO_API,
    access: "public" | "key" = "public",
    policy: Policy = {},
  ) {
    const body = { ...agentBody(graph, { access, policy, serverId: `mcp_${servers++}` }), name: "Écho  API (v2)" };
    const created = await made.runtime.createAgent(callBy(SYSTEM), body);
    if (!created.ok) throw new Error(created.error.detail);
    return created.value.agent.agentId;
  }

  async function send(agentId: string, message: unknown, { headers = {}, method = "POST" }: Options = {}) {
    const body = typeof message === "string" ? message : JSON.stringify(message);
    const response = await app.request(`${ORIGIN}/agents/${agentId}/mcp`, {
      method,
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
      },
      ...(method === "GET" ? {} : { body }),
    });
    await made.settle();
    const text = await response.text();
    const type = response.headers.get("content-type");
    return {
      status: response.status,
      headers: response.headers,
      type,
      text,
      body: text === "" ? null : JSON.parse(text),
    };
  }
  return { ...made, tokens, deploy, send };
}

const INITIALIZE = {
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } },
};
const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list" };

function callOf(input: unknown, name = "echo_api_v2") {
  return { jsonrpc: "2.0", id: "call-1", method: "tools/call", params: { name, arguments: input } };
}

const RUN_NAMED = { "orchestrix/runId": expect.stringMatching(/^run_[0-9a-z]{26}$/) };

const MODERN = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
};
const MODERN_HEADERS = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "echo_api_v2" };

test("a client of 2025-11-25 initializes, notifies, lists and calls, each in one JSON answer", async () => {
  const { deploy, send } = createScene();
  const agentId = await deploy();
  const initialized = await send(agentId, INITIALIZE);
  expect([initialized.status, initialized.type]).toEqual([200, "application/json"]);
  expect(initialized.headers.get("mcp-session-id")).toBeNull();
  expect(initialized.body).toEqual({
    jsonrpc: "2.0",
    id: 0,
    result: {
      protocolVersion: "2025-11-25",
      capabilities: { tools: {} },
      serverInfo: { name: "echo_api_v2", title: "Écho  API (v2)", version: "1" },
    },
  });

  const notified = await send(agentId, { jsonrpc: "2.0", method: "notifications/initialized" });
  expect([notified.status, notified.text]).toEqual([202, ""]);

  const listed = await send(agentId, LIST, { headers: { "mcp-protocol-version": "2025-11-25" } });
  expect(listed.body.result.tools).toEqual([
    {
      name: "echo_api_v2",
      title: "Écho  API (v2)",
      description: "Écho  API (v2)",
      inputSchema: { type: "object" },
      outputSchema: { type: "object", properties: { got: {} } },
    },
  ]);

  const called = await send(agentId, callOf({ hello: ["world"] }));
  expect([called.status, called.type]).toEqual([200, "application/json"]);
  expect(called.body).toEqual({
    jsonrpc: "2.0",
    id: "call-1",
    result: {
      content: [{ type: "text", text: '{"got":{"hello":["world"]}}' }],
      structuredContent: { got: { hello: ["world"] } },
      _meta: RUN_NAMED,
    },
  });
});

test("a client of 2026-07-28 calls without a handshake", async () => {
  const { deploy, send } = createScene();
  const agentId = await deploy();
  const message = callOf({ a: 1 });
  const called = await send(
    agentId,
    { ...message, params: { ...message.params, _meta: MODERN } },
    { headers: MODERN_HEADERS },
  );
  expect(called.status, called.text).toBe(200);
  expect(called.type).toBe("application/json");
  expect(called.body.result.structuredContent).toEqual({ got: { a: 1 } });
});

test("a run is counted and traced as any other, by who called", async () => {
  const { deploy, send, runtime, documents } = createScene();
  const agentId = await deploy();
  await send(agentId, callOf({ a: 1 }), { headers: { "x-api-key": "orx_owner" } });
  expect(await runtime.stats(agentId)).toMatchObject({ total: 1, failed: 0 });
  expect(documents.named("execution_logs")).toMatchObject([{ type: "run_complete", actor: "key_user-1" }]);
});

test.each(["application/json", "application/json, text/event-stream"])(
  "a call that asks for progress, of which a run has none to tell, is answered in JSON (%s)",
  async (accept) => {
    const { deploy, send } = createScene();
    const message = callOf({ a: 1 });
    for (const [_meta, headers] of [[{}, {}] as const, [MODERN, MODERN_HEADERS] as const]) {
      const params = { ...message.params, _meta: { ..._meta, progressToken: "p" } };
      const called = await send(await deploy(), { ...message, params }, { headers: { ...headers, accept } });
      expect([called.status, called.type], called.text).toEqual([200, "application/json"]);
      expect(called.headers.get("x-run-id")).toMatch(/^run_/);
    }
  },
);

const FAILING = {
  tools: [{ toolId: "out", name: "response", config: { body: "{{request.query.gone}}" } }],
  executionOrder: ["out"],
};

test.each([false, true])("a run is found again by its call, however it ended (2026: %s)", async (modern) => {
  const { deploy, send, runtime } = createScene();
  for (const [graph, input] of [
    [ECHO_API, { a: 1 }],
    [FAILING, {}],
    [VALIDATING, { email: 7 }],
  ] as const) {
    const agentId = await deploy(graph);
    const message = callOf(input);
    const params = { ...message.params, ...(modern ? { _meta: MODERN } : {}) };
    const called = await send(agentId, { ...message, params }, { headers: modern ? MODERN_HEADERS : {} });
    const runId = called.headers.get("x-run-id") ?? "";
    expect((await runtime.getRun(callBy(SYSTEM), agentId, runId)).ok).toBe(true);
    const { result } = called.body;
    expect(result._meta).toMatchObject({ "orchestrix/runId": runId });
    if (graph === FAILING) {
      expect(result.structuredContent).toMatchObject({ code: "RUN_FAILED", runId, step: "out" });
    }
    if (graph === VALIDATING) expect(result.structuredContent).toMatchObject({ code: "VALIDATION_FAILED", runId });
  }
});

test("what is no run names none", async () => {
  const { deploy, send } = createScene();
  const agentId = await deploy();
  for (const message of [INITIALIZE, LIST, callOf({}, "rm_rf")]) {
    expect((await send(agentId, message)).headers.get("x-run-id")).toBeNull();
  }
});

test("a run over MCP says so in its trace", async () => {
  const { deploy, send, runtime } = createScene();
  const agentId = await deploy();
  await send(agentId, callOf({ a: 1 }));
  const runs = await runtime.listRuns(callBy(SYSTEM), agentId, { limit: 1 });
  expect(runs.ok && runs.value.items).toMatchObject([{ trigger: "mcp", outcome: "ok" }]);
});

test.each([undefined, "*/*", "application/json"])("a client that accepts %s gets JSON", async (accept) => {
  const { deploy, send } = createScene();
  const listed = await send(await deploy(), LIST, { headers: { accept: accept ?? "" } });
  expect(listed.status).toBe(accept === undefined ? 406 : 200);
});

test("who asks an agent too often is told when to come again", async () => {
  const { deploy, send } = createScene();
  const agentId = await deploy(ECHO_API, "public", { rate: { perAgent: { perMinute: 1 } } });
  const results = await Promise.all([1, 2, 3].map(async () => (await send(agentId, callOf({}))).body.result));
  const refused = results.filter(({ isError }) => isError === true);
  expect(refused.length).toBeGreaterThan(0);
  for (const { structuredContent } of refused) {
    expect(structuredContent).toEqual({
      code: "RATE_LIMITED",
      detail: "this agent's rate is used up",
      retryAfterSeconds: expect.any(Number),
    });
    expect(structuredContent.retryAfterSeconds).toBeGreaterThan(0);
  }
});

const VALIDATING = {
  tools: [
    {
      toolId: "input",
      name: "input",
      inputSchema: { type: "object", required: ["email"], properties: { email: { type: "string" } } },
    },
    { toolId: "validation", name: "inputValidation" },
    { toolId: "response", name: "response", config: { body: "hello {{validation.email}}" } },
  ],
  executionOrder: ["input", "validation", "response"],
  inputSchema: { type: "object", required: ["email"], properties: { email: { type: "string" } } },
};

test("bad input is the tool's error, told by field; a text answer is an object's result in its structured form", async () => {
  const { deploy, send } = createScene();
  const agentId = await deploy(VALIDATING);
  const refused = await send(agentId, callOf({ email: 7 }));
  expect(refused.status).toBe(200);
  expect(refused.body.result).toMatchObject({
    isError: true,
    content: [{ type: "text", text: expect.stringContaining("email") }],
    structuredContent: { code: "VALIDATION_FAILED", errors: [{ path: "email", message: expect.any(String) }] },
  });
  const called = await send(agentId, callOf({ email: "ada" }));
  expect(called.body.result).toEqual({
    content: [{ type: "text", text: "hello ada" }],
    structuredContent: { result: "hello ada" },
    _meta: RUN_NAMED,
  });
});

test("a step that fails is the tool's error, with the message made for the caller", async () => {
  const { deploy, send } = createScene();
  const agentId = await deploy({
    tools: [
      { toolId: "input", name: "input" },
      { toolId: "response", name: "response", config: { body: "{{input.missing}}" } },
    ],
    executionOrder: ["input", "response"],
  });
  const failed = await send(agentId, callOf({}));
  expect(failed.body.result).toMatchObject({
    isError: true,
    content: [{ type: "text", text: expect.stringMatching(/^step response: .*input\.missing/) }],
    structuredContent: { code: "RUN_FAILED" },
  });
});

test("an answer of 400 and above is the tool's error", async () => {
  const { deploy, send } = createScene();
  const agentId = await deploy({
    tools: [{ toolId: "response", name: "response", config: { status: 403, body: { why: "no" } } }],
    executionOrder: ["response"],
  });
  expect((await send(agentId, callOf({}))).body.result).toEqual({
    isError: true,
    content: [{ type: "text", text: '{"why":"no"}' }],
    structuredContent: { why: "no" },
    _meta: RUN_NAMED,
  });
});

test("a graph whose input is no object takes it as the property input", async () => {
  const { deploy, send } = createScene();
  const agentId = await deploy({
    ...ECHO_API,
    inputSchema: { type: "array", items: { $ref: "#/$defs/word" }, $defs: { word: { type: "string" } } },
  });
  const listed = await send(agentId, LIST);
  expect(listed.body.result.tools[0].inputSchema).toEqual({
    type: "object",
    properties: { input: { type: "array", items: { $ref: "#/$defs/word" } } },
    required: ["input"],
    $defs: { word: { type: "string" } },
  });
  expect((await send(agentId, callOf({ input: ["a"] }))).body.result.structuredContent).toEqual({ got: ["a"] });
});

test("a graph that takes one of some words is called with one of them", async () => {
  const { deploy, send } = createScene();
  const agentId = await deploy({
    tools: [
      { toolId: "input", name: "input" },
      { toolId: "validation", name: "inputValidation" },
    ],
    executionOrder: ["input", "validation"],
    inputSchema: { enum: ["a", "b"] },
  });
  expect((await send(agentId, LIST)).body.result.tools[0].inputSchema).toEqual({
    type: "object",
    properties: { input: { enum: ["a", "b"] } },
    required: ["input"],
  });
  expect((await send(agentId, callOf({ input: "b" }))).body.result.structuredContent).toEqual({ result: "b" });
  expect((await send(agentId, callOf({ input: "c" }))).body.result.isError).toBe(true);
});

test.each<[object, string]>([
  [{ ...INITIALIZE, params: undefined }, "params: required"],
  [{ ...INITIALIZE, params: { ...INITIALIZE.params, clientInfo: { name: "test" } } }, "clientInfo.version: required"],
  [{ ...LIST, params: { cursor: 5 } }, "cursor: must be a string, not a number"],
  [{ ...LIST, method: "tools/call" }, "params: required"],
  [{ ...LIST, method: "tools/call", params: {} }, "name: required"],
])("params that a method does not take are told by name: %j", async (message, detail) => {
  const { deploy, send } = createScene();
  const { status, body } = await send(await deploy(), message);
  expect([status, body.error.code]).toEqual([200, -32_602]);
  expect(body.error.message).toBe(detail);
});

test("a tool of another name is no tool", async () => {
  const { deploy, send } = createScene();
  const refused = await send(await deploy(), callOf({}, "rm_rf"));
  expect(refused.body.error).toMatchObject({ code: -32_602 });
  expect(refused.body.result).toBeUndefined();
});

test("GET and DELETE answer 405: there are no sessions", async () => {
  const { deploy, send } = createScene();
  const agentId = await deploy();
  for (const method of ["GET", "DELETE"]) {
    const refused = await send(agentId, "", { method });
    expect(refused.status).toBe(405);
    expect(refused.headers.get("allow")).toBe("POST");
  }
});

const bearer = (token: string | null) => ({ headers: { authorization: `Bearer ${token}` } });

test("an agent that is not public takes its own token, and a key of its owner that may run agents", async () => {
  const { deploy, send, tokens } = createScene();
  const agentId = await deploy(ECHO_API, "key");
  const token = await tokens.mint(agentId);
  expect((await send(agentId, LIST, bearer(token))).status).toBe(200);
  expect((await send(agentId, callOf({ a: 1 }), bearer(token))).body.result.structuredContent).toEqual({
    got: { a: 1 },
  });
  expect((await send(agentId, callOf({ a: 1 }), bearer("orx_owner"))).status).toBe(200);
  expect((await send(agentId, LIST, { headers: { "x-api-key": "orx_owner" } })).status).toBe(200);
});

test("an agent that is not public refuses everybody else", async () => {
  const { deploy, send, tokens } = createScene();
  const agentId = await deploy(ECHO_API, "key");
  const token = String(await tokens.mint(agentId));
  const last = token.at(-1) === "A" ? "B" : "A";
  const strangers = [
    await tokens.mint(await deploy(ECHO_API, "key")),
    await createAccessTokens(btoa("another key of thirty-two bytes!")).mint(agentId),
    `${token.slice(0, -1)}${last}`,
    `${token}A`,
    token.slice(0, -1),
    token.toUpperCase(),
    "orxa_",
  ];
  for (const stranger of strangers) {
    const refused = await send(agentId, LIST, bearer(stranger));
    expect([refused.status, refused.body.code]).toEqual([401, "UNAUTHENTICATED"]);
    expect(refused.headers.get("www-authenticate")).toBe(
      `Bearer realm="orchestrix", resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/agents/${agentId}/mcp"`,
    );
    expect(refused.text).not.toContain(String(stranger).slice(5, 20) || "orxa_");
  }
  expect((await send(agentId, LIST)).status).toBe(401);
  expect((await send(agentId, LIST, bearer("orx_reader"))).status).toBe(403);
  expect((await send(agentId, LIST, bearer("orx_other"))).status).toBe(404);
  expect((await send(agentId, LIST, bearer("orx_other_reader"))).status).toBe(404);
});

test("a token shows nothing of itself to the graph, whatever else the caller sends", async () => {
  const { deploy, send, tokens } = createScene();
  const agentId = await deploy({
    tools: [{ toolId: "response", name: "response", config: { body: { request: "{{request}}" } } }],
    executionOrder: ["response"],
  });
  const token = await tokens.mint(agentId);
  for (const headers of [
    { authorization: `Bearer ${token}` },
    { authorization: `bearer  ${token}`, "x-api-key": "orx_owner" },
  ]) {
    const called = await send(agentId, callOf({}), { headers });
    expect(called.body.result.structuredContent.request.method).toBe("POST");
    expect(called.text).not.toContain("orxa_");
  }
});

test("without ENCRYPTION_KEY there are no tokens", async () => {
  const tokens = createAccessTokens(undefined);
  expect(await tokens.mint("agent_1")).toBeNull();
  expect(await tokens.verify("agent_1", `orxa_${"A".repeat(43)}`)).toBe(false);
});

test("a token is the same on every isolate, and differs by agent", async () => {
  const token = await createAccessTokens(ENCRYPTION_KEY).mint("agent_1");
  expect(token).toMatch(/^orxa_[\w-]{43}$/);
  expect(await createAccessTokens(ENCRYPTION_KEY).mint("agent_1")).toBe(token);
  expect(await createAccessTokens(ENCRYPTION_KEY).mint("agent_2")).not.toBe(token);
});

test("a page of another origin is refused, ours and the allowed ones are not", async () => {
  const from = (origin: string) => ({ headers: { origin } });
  const scene = createScene(["https://app.example.com"]);
  const agentId = await scene.deploy();
  expect((await scene.send(agentId, LIST, from("https://evil.example"))).status).toBe(403);
  expect((await scene.send(agentId, LIST, from("null"))).status).toBe(403);
  expect((await scene.send(agentId, LIST, from(ORIGIN))).status).toBe(200);
  expect((await scene.send(agentId, LIST, from("https://app.example.com"))).status).toBe(200);
  const open = createScene(["*"]);
  expect((await open.send(await open.deploy(), LIST, from("https://evil.example"))).status).toBe(200);
});

test.each(["agent_00000000000000000000000000", "nobody", "__proto__", "%00"])(
  "there is no agent %s",
  async (agentId) => {
    const { send } = createScene();
    const answer = await send(agentId, LIST);
    expect([answer.status, answer.body.code]).toEqual([404, "NOT_FOUND"]);
  },
);

test.each<[string, unknown, number, number]>([
  ["no JSON", "{", 400, -32_700],
  ["nothing", "", 400, -32_600],
  ["a text", '"hello"', 400, -32_600],
  ["null", "null", 400, -32_600],
  ["a batch", [LIST, LIST], 400, -32_600],
  ["a prototype key", '{"__proto__": {}, "jsonrpc": "2.0"}', 400, -32_700],
  ["a number that no double holds", '{"jsonrpc": "2.0", "id": 1e400}', 400, -32_700],
  ["deep nesting", "[".repeat(10_000), 413, -32_000],
  ["deeper than we read", "[".repeat(1_000), 400, -32_700],
  ["no message", {}, 400, -32_600],
  ["another protocol", { jsonrpc: "1.0", id: 1, method: "tools/list" }, 400, -32_600],
  ["a method that is no text", { jsonrpc: "2.0", id: 1, method: 7 }, 400, -32_600],
  ["a large body", JSON.stringify(callOf({ a: "x".repeat(BODY_LIMIT) })), 413, -32_000],
])("%s is refused as JSON-RPC says", async (_what, message, status, code) => {
  const { deploy, send } = createScene();
  const refused = await send(await deploy(), message);
  expect([refused.status, refused.body.error?.code], refused.text).toEqual([status, code]);
  expect(refused.body.jsonrpc).toBe("2.0");
});

test.each<[string, unknown, number]>([
  ["an unknown method", { jsonrpc: "2.0", id: 1, method: "tools/destroy" }, -32_601],
  ["a call without a name", { jsonrpc: "2.0", id: 1, method: "tools/call", params: {} }, -32_602],
  ["arguments that are no object", callOf("text"), -32_602],
])("%s is an error in the answer", async (_what, message, code) => {
  const { deploy, send } = createScene();
  const refused = await send(await deploy(), message);
  expect(refused.body.error?.code, refused.text).toBe(code);
});

test("a body that is not JSON by its type is refused", async () => {
  const { deploy, send } = createScene();
  const refused = await send(await deploy(), "a=b", {
    headers: { "content-type": "application/x-www-form-urlencoded" },
  });
  expect([refused.status, refused.body.error.code]).toEqual([415, -32_000]);
});

test("100 calls at once are answered each with its own", async () => {
  const { deploy, send } = createScene();
  const agentId = await deploy();
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) => send(agentId, { ...callOf({ n }), id: n % 3 })),
  );
  expect(answers.map((a) => a.body.result.structuredContent.got.n)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  expect(answers.map((a) => a.body.id)).toEqual(Array.from({ length: 100 }, (_, n) => n % 3));
});

test("a bug of ours, and a store that went away, say nothing of themselves", async () => {
  const secret = "mongodb://user:hunter2@db.example";
  for (const [error, code, text] of [
    [new Error(secret), "INTERNAL", "internal error"],
    [new StorageUnavailable(secret), "STORAGE_UNAVAILABLE", "the documents store does not answer; try again soon"],
  ] as const) {
    const scene = createScene();
    const agentId = await scene.deploy();
    const find = scene.documents.findOne;
    let reads = 0;
    Object.assign(scene.documents, {
      findOne: (...call: Parameters<typeof find>) => (reads++ === 0 ? find(...call) : Promise.reject(error)),
    });
    const failed = await scene.send(agentId, callOf({}));
    const structuredContent = { code, detail: text };
    expect(failed.body.result).toMatchObject({ isError: true, content: [{ type: "text", text }], structuredContent });
    expect(failed.text).not.toContain("hunter2");
  }
});

test("an actor that comes by a token may run, and nothing else", () => {
  const actor: Actor = { kind: "key", id: "token:agent_1", ownerId: "user-1", scopes: new Set(["agents:run"]) };
  expect(authorize(actor, "agents:run").ok).toBe(true);
  expect(authorize(actor, "servers:read").ok).toBe(false);
});
