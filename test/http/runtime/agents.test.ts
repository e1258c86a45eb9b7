import { Hono } from "hono";
import { expect, test } from "vitest";
import { type Actor, authorize } from "../../../src/core/actor.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { ok } from "../../../src/core/result.ts";
import type { AppEnv } from "../../../src/http/context.ts";
import { type Guard, mountEndpoints } from "../../../src/http/endpoint.ts";
import { createStreamPlaces } from "../../../src/http/stream-places.ts";
import { createRuntimeEndpoints } from "../../../src/runtime/routes.ts";
import { ANYBODY, agentBody, createTestRuntime, keyOf, ORIGIN, toRunRequest } from "../../support/runtime/runtime.ts";

const ACTORS: Readonly<Record<string, Actor>> = {
  orx_owner: keyOf("user-1", "deploy", "servers:read", "agents:run"),
  orx_other: keyOf("user-2", "deploy", "servers:read", "agents:run"),
  orx_reader: keyOf("user-1", "servers:read"),
  orx_other_reader: keyOf("user-2", "servers:read"),
};

/** Who the tests' callers are, in place of stored keys. */
const guard: Guard = async (c, spec) => {
  const credential = c.req.header("x-api-key") ?? c.req.header("authorization")?.replace("Bearer ", "") ?? "";
  const actor = ACTORS[credential] ?? ANYBODY;
  c.set("actor", actor);
  const { access } = spec;
  if (access === "open" || access === "agent" || access === "admin" || access === "any_key" || access === "metrics")
    return ok(null);
  const authorized = authorize(actor, access);
  return authorized.ok ? ok(null) : authorized;
};

function createApp() {
  const made = createTestRuntime();
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set("requestId", "req_test");
    c.set("origin", ORIGIN);
    c.set("event", {});
    await next();
  });
  const streams = createStreamPlaces({ clock: systemClock });
  app.route("/", mountEndpoints(createRuntimeEndpoints(made.runtime, toRunRequest, streams), guard, 262_144));
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await app.request(`${ORIGIN}${path}`, {
      method,
      headers: { "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    await made.settle();
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: text === "" ? null : JSON.parse(text) };
  };
  return { ...made, call, app };
}

const AS_OWNER = { "x-api-key": "orx_owner" };

const MIRROR = {
  tools: [
    { toolId: "input", name: "input" },
    {
      toolId: "response",
      name: "response",
      config: {
        status: 202,
        headers: { "X-Made-By": "{{agent.id}}" },
        body: { input: "{{input}}", request: "{{request}}" },
      },
    },
  ],
  executionOrder: ["input", "response"],
};

async function deploy(
  app: ReturnType<typeof createApp>,
  graph: Parameters<typeof agentBody>[0] = MIRROR,
  access = "public",
) {
  const body = agentBody(graph, { access: access as "public" });
  const { status, body: agent } = await app.call("POST", "/mcp/agents", body, AS_OWNER);
  expect(status).toBe(201);
  return agent as { agentId: string; publicEndpoint: string };
}

test("the agents contract: create, repeat, look up, replace, remove, remove again", async () => {
  const app = createApp();
  const { agentId, publicEndpoint } = await deploy(app);
  expect(publicEndpoint).toBe(`${ORIGIN}/agents/${agentId}`);
  const again = await app.call("POST", "/mcp/agents", agentBody(MIRROR), AS_OWNER);
  expect([again.status, again.body.agentId]).toEqual([200, agentId]);
  expect((await app.call("GET", `/mcp/agents/${agentId}`, undefined, AS_OWNER)).body.agentId).toBe(agentId);
  expect((await app.call("GET", "/mcp/agents?serverId=mcp_1", undefined, AS_OWNER)).body.agentId).toBe(agentId);
  expect((await app.call("GET", "/mcp/agents?serverId=mcp_2", undefined, AS_OWNER)).status).toBe(404);
  expect((await app.call("GET", "/mcp/agents", undefined, AS_OWNER)).status).toBe(400);
  const replaced = await app.call("PUT", `/mcp/agents/${agentId}`, agentBody(MIRROR, { version: 3 }), AS_OWNER);
  expect([replaced.status, replaced.body.metadata.version]).toEqual([200, 3]);
  expect((await app.call("DELETE", `/mcp/agents/${agentId}`, undefined, AS_OWNER)).status).toBe(204);
  expect((await app.call("DELETE", `/mcp/agents/${agentId}`, undefined, AS_OWNER)).status).toBe(404);
});

test("an agent answers what its graph says", async () => {
  const app = createApp();
  const { agentId } = await deploy(app);
  const answer = await app.call("POST", `/agents/${agentId}?q=1&q=2`, { a: 1 });
  expect(answer.status).toBe(202);
  expect(answer.headers.get("x-made-by")).toBe(agentId);
  expect(answer.headers.get("x-run-id")).toMatch(/^run_/);
  expect(answer.headers.get("content-type")).toBe("application/json");
  expect(answer.body).toEqual({
    input: { a: 1 },
    request: { method: "POST", headers: { "content-type": "application/json" }, query: { q: "1" } },
  });
});

test.each<[string | undefined, unknown]>([
  [undefined, null],
  ["null", null],
  ["5", 5],
  ['"text"', "text"],
  ["[1]", [1]],
  ["false", false],
])("the body %j is the input %j", async (body, input) => {
  const app = createApp();
  const { agentId } = await deploy(app);
  expect((await app.call("POST", `/agents/${agentId}`, body)).body.input).toEqual(input);
});

const FIND_NOTHING = {
  toolId: "f",
  name: "dbFind",
  config: { collection: "users", filter: { email: "nobody" }, one: true },
};

test.each<[string, readonly { readonly toolId: string; readonly name: string; readonly config: object }[]]>([
  ["a response of it", [FIND_NOTHING, { toolId: "response", name: "response", config: { body: "{{f}}" } }]],
  ["the last step's output", [FIND_NOTHING]],
])("a document that is not there is answered as null: %s", async (_how, tools) => {
  const app = createApp();
  const { agentId } = await deploy(app, { tools, executionOrder: tools.map(({ toolId }) => toolId) });
  const answer = await app.call("POST", `/agents/${agentId}`, {});
  expect([answer.status, answer.headers.get("content-type"), answer.text]).toEqual([200, "application/json", "null"]);
});

test("an optional reference to nothing is no body", async () => {
  const app = createApp();
  const { agentId } = await deploy(app, {
    tools: [{ toolId: "response", name: "response", config: { body: "{{request.query.q?}}" } }],
    executionOrder: ["response"],
  });
  const answer = await app.call("POST", `/agents/${agentId}`, {});
  expect([answer.status, answer.headers.get("content-type"), answer.text]).toEqual([200, null, ""]);
});

test.each([
  [{ "x-api-key": "orx_owner" }],
  [{ "X-API-Key": "orx_owner", Authorization: "Bearer the.users.token", Cookie: "dashboard=1" }],
  [{ Authorization: "Bearer orx_owner" }],
  [{ Authorization: "Bearer orx_somebody_elses" }],
])("a graph never sees our keys or cookies: %j", async (headers) => {
  const app = createApp();
  const { agentId } = await deploy(app);
  const { text, body } = await app.call("POST", `/agents/${agentId}`, {}, headers);
  expect(text).not.toMatch(/orx_|dashboard/);
  const own = Object.values(headers).find((value) => value.includes("the.users.token"));
  expect(body.request.headers.authorization).toBe(own);
});

test("a failed run is a problem with its run and step", async () => {
  const app = createApp();
  const graph = {
    tools: [{ toolId: "response", name: "response", config: { body: "{{request.headers.x-gone}}" } }],
    executionOrder: ["response"],
  };
  const { agentId } = await deploy(app, graph);
  const { status, headers, body } = await app.call("POST", `/agents/${agentId}`, {});
  expect(status).toBe(500);
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(body).toMatchObject({
    code: "RUN_FAILED",
    step: "response",
    runId: headers.get("x-run-id"),
    detail: "step response: {{request.headers.x-gone}} has no value",
  });
});

test("bad input is a 400 with every field, from the graph's own schema", async () => {
  const app = createApp();
  const graph = {
    inputSchema: {
      type: "object",
      required: ["email"],
      properties: { email: { format: "email" }, age: { type: "integer" } },
    },
    tools: [
      { toolId: "input", name: "input" },
      { toolId: "validation", name: "inputValidation" },
    ],
    executionOrder: ["input", "validation"],
  };
  const { agentId } = await deploy(app, graph);
  const { status, body, headers } = await app.call("POST", `/agents/${agentId}`, { age: "old" });
  expect(status).toBe(400);
  expect(headers.get("x-run-id")).toMatch(/^run_/);
  expect(body.errors).toEqual([
    { path: "email", message: "is required" },
    { path: "age", message: "must be of type integer" },
  ]);
});

test("an agent that is not public needs a key of its owner", async () => {
  const app = createApp();
  const { agentId } = await deploy(app, MIRROR, "key");
  const run = async (headers: Record<string, string>) =>
    (await app.call("POST", `/agents/${agentId}`, {}, headers)).status;
  expect(await run({})).toBe(401);
  expect(await run({ "x-api-key": "orx_unknown" })).toBe(401);
  expect(await run({ "x-api-key": "orx_other" })).toBe(404);
  expect(await run({ "x-api-key": "orx_other_reader" })).toBe(404);
  expect(await run({ "x-api-key": "orx_reader" })).toBe(403);
  expect(await run(AS_OWNER)).toBe(202);
});

test("runs are listed for their owner, page by page, and shown one by one", async () => {
  const app = createApp();
  const { agentId } = await deploy(app);
  const ids: (string | null)[] = [];
  for (let i = 0; i < 3; i++)
    ids.unshift((await app.call("POST", `/agents/${agentId}`, { i })).headers.get("x-run-id"));
  const first = await app.call("GET", `/agents/${agentId}/runs?limit=2`, undefined, { "x-api-key": "orx_reader" });
  expect(first.body.items.map((run: { runId: string }) => run.runId)).toEqual(ids.slice(0, 2));
  const rest = await app.call(
    "GET",
    `/agents/${agentId}/runs?limit=2&cursor=${first.body.nextCursor}`,
    undefined,
    AS_OWNER,
  );
  expect(rest.body).toMatchObject({ items: [{ runId: ids[2] }], nextCursor: null });
  const one = await app.call("GET", `/agents/${agentId}/runs/${ids[0]}`, undefined, AS_OWNER);
  expect(one.body.steps.map((step: { toolId: string }) => step.toolId)).toEqual(["input", "response"]);
  expect((await app.call("GET", `/agents/${agentId}/runs`, undefined, { "x-api-key": "orx_other" })).status).toBe(404);
  expect((await app.call("GET", `/agents/${agentId}/runs`)).status).toBe(401);
  expect((await app.call("GET", `/agents/${agentId}/runs/run_nope`, undefined, AS_OWNER)).status).toBe(404);
});

test.each(["zzz", "agent_00000000000000000000000001", "run_1", "log_00000000000000000000000001"])(
  "the cursor %s is no run, and refused",
  async (cursor) => {
    const app = createApp();
    const { agentId } = await deploy(app);
    const { status, body } = await app.call("GET", `/agents/${agentId}/runs?cursor=${cursor}`, undefined, AS_OWNER);
    expect([status, body.errors]).toEqual([400, [{ path: "cursor", message: "a nextCursor of an earlier page" }]]);
  },
);

test("a stream of runs is of the outcome and begins with the number asked for; a cursor means nothing to it", async () => {
  const app = createApp();
  const { agentId } = await deploy(app, {
    tools: [
      { toolId: "input", name: "input" },
      { toolId: "response", name: "response", config: { body: "{{input.needed}}" } },
    ],
    executionOrder: ["input", "response"],
  });
  const ids: (string | null)[] = [];
  for (const input of [{}, { needed: 1 }, {}, { needed: 1 }]) {
    ids.push((await app.call("POST", `/agents/${agentId}`, input)).headers.get("x-run-id"));
  }
  const follow = async (query: string) => {
    const headers = { ...AS_OWNER, accept: "text/event-stream" };
    const response = await app.app.request(`${ORIGIN}/agents/${agentId}/runs?${query}`, { headers });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const { value = "" } = (await reader?.read()) ?? {};
    await reader?.cancel();
    return { status: response.status, ids: [...value.matchAll(/^id: (run_\w+)$/gm)].map(([, id]) => id) };
  };
  expect(await follow("")).toEqual({ status: 200, ids });
  expect(await follow("limit=1")).toEqual({ status: 200, ids: [ids[3]] });
  expect(await follow("outcome=failed")).toEqual({ status: 200, ids: [ids[0], ids[2]] });
  expect(await follow("outcome=failed&limit=1")).toEqual({ status: 200, ids: [ids[2]] });
  expect((await follow("outcome=fail")).status).toBe(400);
  expect((await follow("limit=0")).status).toBe(400);
  expect((await follow(`cursor=${ids[3]}`)).status).toBe(400);
});

test.each<[string, string, number]>([
  ["malformed JSON", "{", 400],
  ["a prototype key", '{"__proto__": {"admin": true}}', 400],
  ["a number that no double holds", '{"x": 1e400}', 400],
  ["10,000 levels", "[".repeat(10_000) + "]".repeat(10_000), 400],
  ["more than the limit", `"${"x".repeat(300_000)}"`, 413],
])("a body with %s is refused before the run", async (_what, body, status) => {
  const app = createApp();
  const { agentId } = await deploy(app);
  const answer = await app.call("POST", `/agents/${agentId}`, body);
  expect(answer.status).toBe(status);
  expect(answer.headers.get("x-run-id")).toBeNull();
});

test("a graph with faults is refused with each of them", async () => {
  const app = createApp();
  const body = { ...agentBody(MIRROR), executionOrder: ["response", "input", "gone"] };
  const { status, body: problem } = await app.call("POST", "/mcp/agents", body, AS_OWNER);
  expect(status).toBe(400);
  expect(problem.errors.map((fault: { path: string }) => fault.path)).toEqual([
    "executionOrder.1",
    "executionOrder.2",
    "tools.1.config.body.input",
  ]);
});
