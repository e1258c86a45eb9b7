import { expect, test } from "vitest";
import type { Policy } from "../../../src/runtime/contract.ts";
import type { Outbound } from "../../../src/runtime/outbound/outbound.ts";
import { ANYBODY, agentBody, callBy, createTestRuntime, requestOf, SYSTEM } from "../../support/runtime/runtime.ts";

interface Step {
  readonly toolId: string;
  readonly name: string;
  readonly config?: object;
  readonly when?: string;
}

const INPUT: Step = { toolId: "input", name: "input" };
const ASK: Step = { toolId: "ask", name: "httpRequest", config: { url: "https://api.example.com/" } };
const INSERT: Step = {
  toolId: "insert",
  name: "dbInsert",
  config: { collection: "notes", document: { text: "{{input.text}}" }, unique: ["text"] },
};

function graphOf(steps: readonly Step[]) {
  return { tools: steps, executionOrder: steps.map(({ toolId }) => toolId), inputSchema: { type: "object" } };
}

function respond(body: unknown): Step {
  return { toolId: "response", name: "response", config: { body } };
}

function setUp() {
  const sent: string[] = [];
  const outbound: Outbound = {
    judge: async () => null,
    async send({ url }) {
      sent.push(url);
      return { kind: "answer", status: 200, headers: {}, text: "hi" };
    },
  };
  const scene = createTestRuntime({ services: { outbound } });
  let count = 0;
  return {
    ...scene,
    sent,
    async deploy(steps: readonly Step[], policy: Policy = {}, ownerId = "user-1") {
      const metadata = { serverId: `mcp_${++count}`, policy, ownerId };
      const made = await scene.runtime.createAgent(callBy(SYSTEM), agentBody(graphOf(steps), metadata));
      if (!made.ok) throw new Error(JSON.stringify(made.error));
      return made.value.agent.agentId;
    },
    async tryDry(steps: readonly Step[], dryRun = true) {
      const { executionOrder, tools, inputSchema } = agentBody(graphOf(steps));
      const server = {
        executionOrder,
        tools,
        inputSchema,
        serverId: "mcp_0",
        ownerId: "user-1",
        version: 1,
        policy: {},
      };
      const run = await scene.runtime.testRun(callBy(ANYBODY), server, requestOf({ text: "hello" }), { dryRun });
      await scene.settle();
      if (!run.ok) throw new Error(run.error.detail);
      return { ...run.value, trace: run.value.trace() };
    },
  };
}

function callOf(agentId: string, toolId = "call"): Step {
  return { toolId, name: "callAgent", config: { agentId, input: "{{input}}" } };
}

const ANSWER = respond({ id: "{{call.id}}", text: "{{call.text}}" });

test("a dry run tries the agents that it calls dry too: their answers are known, and nothing is stored or sent", async () => {
  const { deploy, tryDry, documents, sent } = setUp();
  const inner = await deploy([INPUT, INSERT, ASK, respond({ id: "{{insert._id}}", text: "{{insert.text}}" })]);
  const middle = await deploy([INPUT, callOf(inner), ANSWER]);
  const { result, isKnown, trace } = await tryDry([INPUT, callOf(middle), ANSWER]);
  expect(result).toMatchObject({ ok: true, value: { status: 200, body: { id: "dry_run", text: "hello" } } });
  expect(isKnown).toBe(true);
  expect(trace.steps.map(({ status }) => status)).toEqual(["ok", "ok", "ok"]);
  expect(sent).toEqual([]);
  expect(documents.named("notes")).toEqual([]);
  expect(documents.named("runs")).toEqual([]);
});

test("what an agent answers out of a call that was not made is not known to whoever calls it", async () => {
  const { deploy, tryDry } = setUp();
  const inner = await deploy([INPUT, ASK, respond({ id: "{{ask.body}}", text: "{{input.text}}" })]);
  const steps = [INPUT, callOf(inner), { ...INSERT, config: { collection: "notes", document: "{{call}}" } }, ANSWER];
  const { result, trace } = await tryDry(steps);
  expect(result).toMatchObject({ ok: true, value: { body: { id: null, text: null } } });
  expect(trace.steps.map(({ status }) => status)).toEqual(["ok", "ok", "skipped", "ok"]);
  expect(trace.steps[1]).toMatchObject({
    output: { id: null, text: "hello" },
    note: expect.stringContaining("not known"),
  });
});

const FOUND: Step = { ...respond("found"), toolId: "found", when: "ask.status == 200" };

test.each([
  ["another answer", { body: "none" }, "none"],
  ["a refusal", { status: 404, body: "none" }, "none"],
  ["a failure", { body: "{{input.gone}}" }, null],
])("of an agent that may have answered before, %s is nothing that a dry run knows", async (_what, config, output) => {
  const { deploy, tryDry } = setUp();
  const inner = await deploy([INPUT, ASK, FOUND, { toolId: "response", name: "response", config }]);
  const steps = [INPUT, callOf(inner), { toolId: "answer", name: "transform", config: { expression: "call" } }];
  const real = await tryDry([...steps, respond("{{answer}}")], false);
  expect(real.result).toMatchObject({ ok: true, value: { body: "found" } });
  const { result, trace } = await tryDry([...steps, respond("{{answer}}")]);
  expect(result).toMatchObject({ ok: true, value: { body: null } });
  expect(trace.steps.map(({ status }) => status)).toEqual(["ok", "ok", "skipped", "ok"]);
  expect(trace.steps[1]).toMatchObject({ output, note: expect.stringContaining("not known in a dry run") });
});

test("a dry run fails where the agent is nobody's, another owner's, or would fail", async () => {
  const { deploy, tryDry, documents } = setUp();
  const detailOf = async (agentId: string) => {
    const { result } = await tryDry([INPUT, callOf(agentId)]);
    return result.ok ? "answered" : result.error.detail;
  };
  const nobody = `agent_${"0".repeat(26)}`;
  expect(await detailOf(nobody)).toBe(`step call: this owner has no agent ${nobody}`);
  const other = await deploy([INPUT], {}, "user-2");
  expect(await detailOf(other)).toBe(`step call: this owner has no agent ${other}`);
  const inner = await deploy([INPUT, INSERT]);
  expect(await detailOf(inner)).toBe("answered");
  await documents.insertOne({ kind: "owned", name: "notes", ownerId: "user-1" }, { text: "hello" });
  expect(await detailOf(inner)).toBe(
    `step call: the dry run of ${inner} failed: a document with the same text exists already`,
  );
});

test("a dry run takes nothing of the rate of the agent that it calls", async () => {
  const { deploy, tryDry } = setUp();
  const inner = await deploy([INPUT, respond("done")], { rate: { perAgent: { perMinute: 1 } } });
  const steps = [INPUT, callOf(inner, "a"), callOf(inner, "b")];
  expect((await tryDry(steps)).result).toMatchObject({ ok: true, value: { body: "done" } });
  expect((await tryDry(steps, false)).result).toMatchObject({ ok: false, error: { code: "RUN_FAILED" } });
});
