import { Hono } from "hono";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { ok } from "../../../src/core/result.ts";
import type { AppEnv } from "../../../src/http/context.ts";
import { mountEndpoints } from "../../../src/http/endpoint.ts";
import { createStreamPlaces } from "../../../src/http/stream-places.ts";
import { createRuntimeEndpoints } from "../../../src/runtime/routes.ts";
import { createTestRun, createTestRunEndpoints } from "../../../src/runtime/test-run-routes.ts";
import {
  agentBody,
  callBy,
  createTestRuntime,
  keyOf,
  ORIGIN,
  SYSTEM,
  toRunRequest,
} from "../../support/runtime/runtime.ts";

type Graph = Parameters<typeof agentBody>[0];

/** A graph behind its endpoint and in a test run. */
async function createScene(graph: Graph, metadata: Parameters<typeof agentBody>[1] = {}) {
  const made = createTestRuntime();
  const { runtime, settle } = made;
  const body = agentBody(graph, metadata);
  const { serverId, ownerId, version, policy } = body.metadata;
  const created = await runtime.createAgent(callBy(SYSTEM), body);
  if (!created.ok) throw new Error(created.error.detail);
  const find = async () => ok({ ...body, serverId, ownerId, version, policy });
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set("requestId", "req_test");
    c.set("origin", ORIGIN);
    c.set("event", {});
    c.set("actor", keyOf("user-1", "agents:run"));
    await next();
  });
  const tests = createTestRunEndpoints(createTestRun(runtime, find), runtime, find);
  app.route(
    "/",
    mountEndpoints(
      [...createRuntimeEndpoints(runtime, toRunRequest, createStreamPlaces({ clock: systemClock })), ...tests],
      async () => ok(null),
      262_144,
    ),
  );

  async function post(path: string, input: Json): Promise<Response> {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(input) };
    const response = await app.request(`${ORIGIN}${path}`, init);
    await settle();
    return response;
  }

  return {
    async atEndpoint(input: Json) {
      const { agentId } = created.value.agent;
      const response = await post(`/agents/${agentId}`, input);
      const text = await response.text();
      const output = text === "" ? null : text.startsWith("a,b") ? text : JSON.parse(text);
      return { status: response.status, headers: Object.fromEntries(response.headers), output };
    },
    async inTest(input: Json) {
      const response = await post(`/mcp/servers/${serverId}/run`, { input });
      expect(response.status).toBe(200);
      return (await response.json()) as JsonObject & { trace: { runId: string; status: number } };
    },
  };
}

const answering = (config: JsonObject): Graph => ({
  tools: [{ toolId: "out", name: "response", config }],
  executionOrder: ["out"],
});

const VALIDATING: Graph = {
  inputSchema: { type: "object", required: ["email"] },
  tools: [
    { toolId: "input", name: "input" },
    { toolId: "validation", name: "inputValidation" },
  ],
  executionOrder: ["input", "validation"],
};

const PROTECTED: Graph = { tools: [{ toolId: "auth", name: "authMiddleware" }], executionOrder: ["auth"] };

const INSERTING: Graph = {
  tools: [
    { toolId: "input", name: "input" },
    { toolId: "first", name: "dbInsert", config: { collection: "c", document: { a: 1 }, unique: ["a"] } },
    { toolId: "second", name: "dbInsert", config: { collection: "c", document: { a: 1 }, unique: ["a"] } },
  ],
  executionOrder: ["input", "first", "second"],
};

test.each<[string, Graph, Json, number]>([
  ["an answer", answering({ status: 201, headers: { "X-A": "1" }, body: { a: 1 } }), {}, 201],
  ["a text of its own type", answering({ headers: { "content-type": "text/csv" }, body: "a,b" }), {}, 200],
  ["null", answering({ body: null }), {}, 200],
  ["no body", answering({ status: 204, body: { never: "sent" } }), {}, 204],
  ["the graph's own refusal", answering({ status: 418, body: { why: "teapot" } }), {}, 418],
  ["bad input", VALIDATING, {}, 400],
  ["a missing token", PROTECTED, {}, 401],
  ["a duplicate", INSERTING, {}, 409],
  ["a failed step", answering({ body: "{{request.query.gone}}" }), {}, 500],
])("a test run answers as the endpoint does: %s", async (_what, graph, input, status) => {
  const scene = await createScene(graph);
  const live = await scene.atEndpoint(input);
  const tested = await scene.inTest(input);
  const { runId } = tested.trace;
  const ofTheRun = (output: unknown) =>
    typeof output === "object" && output !== null && "instance" in output
      ? { ...output, instance: "", ...("runId" in output ? { runId: "" } : {}) }
      : output;
  expect([tested.status, tested.trace.status]).toEqual([status, status]);
  expect(tested.status).toBe(live.status);
  expect(ofTheRun(tested.output)).toEqual(ofTheRun(live.output));
  expect(tested.headers).toEqual({ ...live.headers, "x-run-id": runId });
  expect(tested.success).toBe(status < 400);
});

test("a failure is told as problem details that name the test's own run", async () => {
  const scene = await createScene(answering({ body: "{{request.query.gone}}" }));
  const { output, headers, error, trace } = await scene.inTest({});
  expect(headers).toMatchObject({ "content-type": "application/problem+json", "x-run-id": trace.runId });
  expect(output).toMatchObject({
    status: 500,
    code: "RUN_FAILED",
    instance: "/mcp/servers/mcp_1/run",
    requestId: "req_test",
    runId: trace.runId,
    step: "out",
  });
  expect(error).toMatchObject({ code: "RUN_FAILED", step: "out" });
});

test("a policy's refusal names the rule", async () => {
  const policy = { deny: [{ name: "nobody", when: "true" }] };
  const scene = await createScene(answering({ body: 1 }), { policy });
  expect(await scene.inTest({})).toMatchObject({
    status: 403,
    output: { code: "POLICY_REFUSED", rule: "nobody" },
    error: { rule: "nobody" },
  });
});
