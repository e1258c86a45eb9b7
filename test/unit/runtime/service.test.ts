import { describe, expect, test } from "vitest";
import { agentAnswer, runTraceSchema } from "../../../src/runtime/contract.ts";
import { toolRegistry } from "../../../src/runtime/registry.ts";
import { agentBindings, agents } from "../../../src/storage/documents/collections.ts";
import type { Documents } from "../../../src/storage/documents/documents.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createMemoryDocuments } from "../../support/memory-documents.ts";
import {
  ANYBODY,
  agentBody,
  callBy,
  createTestRuntime,
  keyOf,
  requestOf,
  SYSTEM,
  type TestRuntime,
} from "../../support/runtime/runtime.ts";

const ECHO = {
  tools: [
    { toolId: "input", name: "input" },
    { toolId: "response", name: "response", config: { status: 201, body: { got: "{{input}}" } } },
  ],
  executionOrder: ["input", "response"],
};

const OWNER = callBy(keyOf("user-1", "deploy", "servers:read", "agents:run"));
const STRANGER = callBy(keyOf("user-2", "deploy", "servers:read", "agents:run"));

async function deploy(test: TestRuntime, metadata: Parameters<typeof agentBody>[1] = {}, graph = ECHO) {
  const made = await test.runtime.createAgent(callBy(SYSTEM), agentBody(graph, metadata));
  if (!made.ok) throw new Error(made.error.detail);
  return made.value.agent;
}

test("an agent is created with its endpoint and dashboard, and found by id and by server", async () => {
  const { runtime } = createTestRuntime();
  const made = await runtime.createAgent(OWNER, agentBody(ECHO));
  if (!made.ok) throw new Error(made.error.detail);
  const { agent, created } = made.value;
  expect(created).toBe(true);
  expect(agentAnswer.parse(agent)).toEqual(agent);
  expect(agent.publicEndpoint).toBe(`https://orchestrix.test/agents/${agent.agentId}`);
  expect(agent.dashboardUrl).toBe(`https://orchestrix.test/dashboard/agents/${agent.agentId}`);
  expect(await runtime.getAgent(OWNER, agent.agentId)).toEqual({ ok: true, value: agent });
  expect(await runtime.findAgent(OWNER, "mcp_1")).toEqual({ ok: true, value: agent });
});

test("a repeated create gives the same agent, which runs the new graph", async () => {
  const { runtime } = createTestRuntime();
  const first = await runtime.createAgent(OWNER, agentBody(ECHO));
  const again = await runtime.createAgent(
    OWNER,
    agentBody({ tools: [{ toolId: "input", name: "input" }], executionOrder: ["input"] }),
  );
  if (!first.ok || !again.ok) throw new Error("not created");
  expect(again.value.created).toBe(false);
  expect(again.value.agent.agentId).toBe(first.value.agent.agentId);
  const run = await runtime.run(callBy(ANYBODY), first.value.agent.agentId, requestOf(1));
  expect(run).toMatchObject({ ok: true, value: { result: { value: { status: 200, body: 1 } } } });
});

test("of a hundred creates at once on two isolates one makes the agent", async () => {
  const documents = createMemoryDocuments();
  const isolates = [createTestRuntime({ documents }), createTestRuntime({ documents })];
  const made = await Promise.all(
    Array.from({ length: 100 }, (_, i) => isolates[i % 2]?.runtime.createAgent(OWNER, agentBody(ECHO))),
  );
  const answers = made.flatMap((result) => (result?.ok ? [result.value] : []));
  expect(answers).toHaveLength(100);
  expect(answers.filter((answer) => answer.created)).toHaveLength(1);
  expect(new Set(answers.map((answer) => answer.agent.agentId)).size).toBe(1);
  expect(documents.named("agents")).toHaveLength(1);
});

test("a create that crashed after its binding is completed by the next one", async () => {
  const documents = createMemoryDocuments();
  const crashing: Documents = { ...documents, replaceOne: () => Promise.reject(new Error("crash")) };
  const broken = createTestRuntime({ documents: { ...documents, ...crashing } });
  await expect(broken.runtime.createAgent(OWNER, agentBody(ECHO))).rejects.toThrow("crash");
  expect(await createTestRuntime({ documents }).runtime.findAgent(OWNER, "mcp_1")).toMatchObject({ ok: false });
  await deploy(createTestRuntime({ documents }));
  expect(documents.named("agents")).toHaveLength(1);
  expect(documents.named("agent_bindings")).toHaveLength(1);
});

test("a removal that crashed half-way leaves room for a new agent", async () => {
  const documents = createMemoryDocuments();
  const agent = await deploy(createTestRuntime({ documents }));
  let deletes = 0;
  const crashing = {
    ...documents,
    deleteOne: (...args: Parameters<Documents["deleteOne"]>) =>
      ++deletes === 2 ? Promise.reject(new Error("crash")) : documents.deleteOne(...args),
  };
  await expect(createTestRuntime({ documents: crashing }).runtime.removeAgent(OWNER, agent.agentId)).rejects.toThrow(
    "crash",
  );
  const after = createTestRuntime({ documents });
  expect(await after.runtime.removeAgent(OWNER, agent.agentId)).toMatchObject({
    ok: false,
    error: { code: "NOT_FOUND" },
  });
  const next = await deploy(after);
  expect(next.agentId).not.toBe(agent.agentId);
  expect(documents.named("agents").map((document) => document._id)).toEqual([next.agentId]);
});

test("however creates and removals of one server cross, no agent is left that its server does not know", async () => {
  for (let round = 0; round < 60; round++) {
    const documents = createMemoryDocuments();
    const test = createTestRuntime({ documents: slowly(documents, round) });
    const agent = await deploy(test);
    await Promise.all([
      test.runtime.removeAgent(OWNER, agent.agentId),
      test.runtime.createAgent(OWNER, agentBody(ECHO)),
      test.runtime.createAgent(OWNER, agentBody(ECHO)),
    ]);
    const [binding] = documents.named("agent_bindings");
    const known = binding === undefined || binding.removing === true ? [] : [binding.agentId];
    expect(documents.named("agents").map((document) => document._id)).toEqual(known);
  }
});

/** The same store with each operation put off by some turns, other ones in each round. */
function slowly(documents: ReturnType<typeof createMemoryDocuments>, round: number): typeof documents {
  let calls = 0;
  const wait = async () => {
    const turns = (round * 7 + ++calls * 13) % 11;
    for (let i = 0; i < turns; i++) await Promise.resolve();
  };
  const { findOne, insertOne, replaceOne, updateOne, deleteOne } = documents;
  return {
    ...documents,
    findOne: async (...args) => wait().then(() => findOne(...args)),
    insertOne: async (...args) => wait().then(() => insertOne(...args)),
    replaceOne: async (...args) => wait().then(() => replaceOne(...args)),
    updateOne: async (...args) => wait().then(() => updateOne(...args)),
    deleteOne: async (...args) => wait().then(() => deleteOne(...args)),
  };
}

test("a bad graph is refused with its faults, and nothing is stored", async () => {
  const { runtime, documents } = createTestRuntime();
  const body = agentBody({ tools: [{ toolId: "a", name: "nope" }], executionOrder: ["a", "b"] });
  expect(await runtime.createAgent(OWNER, body)).toMatchObject({
    ok: false,
    error: { code: "VALIDATION_FAILED", errors: [{ path: "executionOrder.1" }, { path: "tools.0.name" }] },
  });
  expect(documents.all()).toEqual([]);
});

test("an agent is replaced and removed, and a second removal finds nothing", async () => {
  const test = createTestRuntime();
  const agent = await deploy(test);
  await test.runtime.run(callBy(ANYBODY), agent.agentId, requestOf(1));
  const graph = { tools: [{ toolId: "input", name: "input" }], executionOrder: ["input"] };
  const replaced = await test.runtime.replaceAgent(OWNER, agent.agentId, agentBody(graph, { version: 2 }));
  expect(replaced).toMatchObject({ ok: true, value: { agentId: agent.agentId, metadata: { version: 2 } } });
  const run = await test.runtime.run(callBy(ANYBODY), agent.agentId, requestOf(7));
  expect(run).toMatchObject({ ok: true, value: { result: { value: { status: 200, body: 7 } } } });
  expect(run.ok && run.value.trace()).toMatchObject({ version: 2 });
  expect(await test.runtime.removeAgent(OWNER, agent.agentId)).toEqual({ ok: true, value: null });
  await test.settle();
  for (const gone of [
    test.runtime.removeAgent(OWNER, agent.agentId),
    test.runtime.getAgent(OWNER, agent.agentId),
    test.runtime.findAgent(OWNER, "mcp_1"),
    test.runtime.replaceAgent(OWNER, agent.agentId, agentBody(graph)),
    test.runtime.run(callBy(ANYBODY), agent.agentId, requestOf(7)),
  ]) {
    expect(await gone).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
  }
  expect([
    ...test.documents.named("agents"),
    ...test.documents.named("agent_bindings"),
    ...test.documents.named("runs"),
  ]).toEqual([]);
});

test("an agent keeps its server", async () => {
  const test = createTestRuntime();
  const agent = await deploy(test);
  expect(await test.runtime.replaceAgent(OWNER, agent.agentId, agentBody(ECHO, { serverId: "mcp_2" }))).toMatchObject({
    ok: false,
    error: { code: "VALIDATION_FAILED" },
  });
});

describe("another owner's agent", () => {
  test("is as absent as none", async () => {
    const test = createTestRuntime();
    const agent = await deploy(test, { access: "key" });
    const { value: run } = (await test.runtime.run(OWNER, agent.agentId, requestOf(1))) as { value: { runId: string } };
    await test.settle();
    const theirs = agentBody(ECHO, { ownerId: "user-2" });
    for (const refused of [
      test.runtime.getAgent(STRANGER, agent.agentId),
      test.runtime.findAgent(STRANGER, "mcp_1"),
      test.runtime.replaceAgent(STRANGER, agent.agentId, theirs),
      test.runtime.removeAgent(STRANGER, agent.agentId),
      test.runtime.listRuns(STRANGER, agent.agentId, { limit: 20 }),
      test.runtime.getRun(STRANGER, agent.agentId, run.runId),
      test.runtime.run(STRANGER, agent.agentId, requestOf(1)),
    ]) {
      expect(await refused).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
    }
  });

  test("is neither taken over nor kept from being made by who names its server first", async () => {
    const test = createTestRuntime();
    const squatted = await test.runtime.createAgent(STRANGER, agentBody(ECHO, { ownerId: "user-2" }));
    const agent = await deploy(test);
    expect(squatted).toMatchObject({ ok: true, value: { created: true } });
    expect(agent.agentId).not.toBe(squatted.ok && squatted.value.agent.agentId);
    const { serverId } = agent.metadata;
    expect(await test.runtime.findAgent(OWNER, serverId)).toMatchObject({ value: { agentId: agent.agentId } });
    expect(await test.runtime.findAgent(STRANGER, serverId)).toMatchObject({
      value: { metadata: { ownerId: "user-2" } },
    });
  });

  test("is not made in another's name", async () => {
    const { runtime } = createTestRuntime();
    expect(await runtime.createAgent(STRANGER, agentBody(ECHO))).toMatchObject({ error: { code: "FORBIDDEN" } });
  });
});

test("scopes decide, and without a credential there is nothing", async () => {
  const test = createTestRuntime();
  const { agentId } = await deploy(test, { access: "key" });
  const reader = callBy(keyOf("user-1", "servers:read"));
  const nobody = callBy(ANYBODY);
  expect(await test.runtime.createAgent(reader, agentBody(ECHO))).toMatchObject({ error: { code: "FORBIDDEN" } });
  expect(await test.runtime.removeAgent(reader, agentId)).toMatchObject({ error: { code: "FORBIDDEN" } });
  expect(await test.runtime.run(reader, agentId, requestOf(1))).toMatchObject({ error: { code: "FORBIDDEN" } });
  expect(await test.runtime.getAgent(callBy(keyOf("user-1", "deploy")), agentId)).toMatchObject({
    error: { code: "FORBIDDEN" },
  });
  expect(await test.runtime.run(nobody, agentId, requestOf(1))).toMatchObject({ error: { code: "UNAUTHENTICATED" } });
  expect(await test.runtime.getAgent(nobody, agentId)).toMatchObject({ error: { code: "UNAUTHENTICATED" } });
  expect(await test.runtime.listRuns(nobody, agentId, { limit: 1 })).toMatchObject({
    error: { code: "UNAUTHENTICATED" },
  });
  expect(await test.runtime.run(OWNER, agentId, requestOf(1))).toMatchObject({ ok: true });
});

test.each(["", "agent_x", "../agents", "agent_00000000000000000000000000", "__proto__"])(
  "the id %j is not found",
  async (id) => {
    const { runtime } = createTestRuntime();
    expect(await runtime.run(callBy(ANYBODY), id, requestOf(1))).toMatchObject({ error: { code: "NOT_FOUND" } });
    expect(await runtime.getAgent(OWNER, id)).toMatchObject({ error: { code: "NOT_FOUND" } });
  },
);

test("runs leave traces, an event each, and sums", async () => {
  const clock = createFakeClock();
  const test = createTestRuntime({ clock });
  const { agentId } = await deploy(test);
  const ids: string[] = [];
  for (const input of [1, 2, 3]) {
    const run = await test.runtime.run(callBy(ANYBODY), agentId, requestOf(input));
    if (run.ok) ids.push(run.value.runId);
    await test.settle();
    await clock.advance(1);
  }
  const page = await test.runtime.listRuns(OWNER, agentId, { limit: 2 });
  if (!page.ok) throw new Error("no page");
  expect(page.value.items.map((run) => run.runId)).toEqual([ids[2], ids[1]]);
  const rest = await test.runtime.listRuns(OWNER, agentId, { limit: 2, cursor: page.value.nextCursor ?? "" });
  expect(rest).toMatchObject({ ok: true, value: { items: [{ runId: ids[0] }], nextCursor: null } });
  const one = await test.runtime.getRun(OWNER, agentId, ids[0] ?? "");
  if (!one.ok) throw new Error("no run");
  expect(runTraceSchema.parse(one.value)).toEqual(one.value);
  expect(one.value).toMatchObject({ serverId: "mcp_1", version: 1, outcome: "ok", status: 201, requestId: "req_test" });
  expect(await test.runtime.stats(agentId)).toEqual({ total: 3, failed: 0, p50Ms: 1, p99Ms: 1 });
  expect(test.documents.named("execution_logs")).toMatchObject(
    ids.map((runId) => ({ type: "run_complete", serverId: "mcp_1", ownerId: "user-1", data: { runId, status: 201 } })),
  );
});

test("a failed run counts as such, a refusal of bad input does not", async () => {
  const test = createTestRuntime();
  const { agentId } = await deploy(test, {}, {
    tools: [
      { toolId: "input", name: "input" },
      { toolId: "v", name: "inputValidation", config: { schema: { type: "object", required: ["a"] } } },
      { toolId: "response", name: "response", config: { body: "{{input.b}}" } },
    ],
    executionOrder: ["input", "v", "response"],
  } as typeof ECHO);
  await test.runtime.run(callBy(ANYBODY), agentId, requestOf({}));
  await test.runtime.run(callBy(ANYBODY), agentId, requestOf({ a: 1 }));
  await test.settle();
  expect(await test.runtime.stats(agentId)).toMatchObject({ total: 2, failed: 1 });
  const runs = await test.runtime.listRuns(OWNER, agentId, { limit: 20 });
  expect(runs).toMatchObject({
    value: {
      items: [
        { outcome: "failed", status: 500, error: "step response: {{input.b}} has no value" },
        {
          outcome: "ok",
          status: 400,
          error: null,
          steps: [{}, { status: "refused", error: "a: is required" }],
        },
      ],
    },
  });
  expect(test.documents.named("execution_logs").map((event) => event.type)).toEqual(["run_complete", "run_failed"]);
});

test("an owner does not learn whose key called a public agent", async () => {
  const test = createTestRuntime();
  const { agentId } = await deploy(test);
  for (const call of [OWNER, STRANGER, callBy(ANYBODY)]) await test.runtime.run(call, agentId, requestOf(1));
  await test.settle();
  expect(test.documents.named("execution_logs").map((event) => event.actor)).toEqual([
    "key_user-1",
    "anonymous",
    "anonymous",
  ]);
});

test("an agent that never ran has sums of zero", async () => {
  expect(await createTestRuntime().runtime.stats("agent_none")).toEqual({
    total: 0,
    failed: 0,
    p50Ms: null,
    p99Ms: null,
  });
});

test("a graph may hold names that a documents store would refuse", async () => {
  const test = createTestRuntime();
  const graph = {
    tools: [
      {
        toolId: "input",
        name: "input",
        inputSchema: { $ref: "#/$defs/a", $defs: { a: { properties: { "x.y": {} } } } },
      },
      { toolId: "f", name: "dbFind", config: { collection: "c", filter: { $or: [{ "a.b": { $gt: 1 } }] } } },
    ],
    executionOrder: ["input", "f"],
  };
  const { agentId } = await deploy(test, {}, graph as typeof ECHO);
  const fresh = createTestRuntime({ documents: test.documents });
  expect(await fresh.runtime.run(callBy(ANYBODY), agentId, requestOf(null))).toMatchObject({
    value: { result: { value: { body: [] } } },
  });
});

test("a search in a graph is its owner's, with that scope alone", async () => {
  const seen: unknown[] = [];
  const test = createTestRuntime({
    services: {
      search: async (call, request) => {
        seen.push([call.actor, request.query, request.maxResults]);
        return {
          ok: false,
          error: { code: "SEARCH_UNAVAILABLE", detail: "no provider answered", attempts: [], retryAfterSeconds: 5 },
        };
      },
    },
  });
  const { agentId } = await deploy(test, {}, {
    tools: [
      { toolId: "input", name: "input" },
      { toolId: "s", name: "webSearch", config: { query: "about {{input.q}}", maxResults: "{{input.n}}" } },
    ],
    executionOrder: ["input", "s"],
  } as typeof ECHO);
  const run = await test.runtime.run(callBy(SYSTEM), agentId, requestOf({ q: "workers", n: 3 }));
  expect(seen).toEqual([
    [{ kind: "key", id: agentId, ownerId: "user-1", scopes: new Set(["search"]) }, "about workers", 3],
  ]);
  expect(run).toMatchObject({
    value: { result: { error: { code: "RUN_FAILED", detail: "step s: no provider answered" } } },
  });
});

test("records carry their owner and their times", async () => {
  const test = createTestRuntime();
  const { agentId } = await deploy(test);
  expect(await test.documents.findOne(agents(agentId), { _id: agentId })).toMatchObject({
    ownerId: "user-1",
    version: 1,
    createdAt: "2026-02-13T10:30:00.000Z",
    updatedAt: "2026-02-13T10:30:00.000Z",
  });
  expect(await test.documents.findOne(agentBindings("mcp_1"), { _id: "mcp_1:user-1" })).toMatchObject({
    agentId,
    ownerId: "user-1",
  });
});

test("an agent whose stored graph this version no longer takes says so, and the log says why", async () => {
  const documents = createMemoryDocuments();
  const agent = await deploy(createTestRuntime({ documents }));
  const registry = new Map([...toolRegistry].filter(([name]) => name !== "response"));
  const later = createTestRuntime({ documents, registry });
  for (let n = 0; n < 2; n++) {
    const run = await later.runtime.run(callBy(ANYBODY), agent.agentId, requestOf(1));
    expect(run).toMatchObject({
      ok: false,
      error: { code: "RUN_FAILED", detail: expect.stringContaining("deploy it again") },
    });
  }
  expect(later.lines).toMatchObject(
    Array(2).fill({ level: "error", event: "agent_graph_refused", fields: { agentId: agent.agentId } }),
  );
  expect(JSON.stringify(later.lines[0]?.fields.faults)).toContain("no tool is named response");
});
