import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { err } from "../../../src/core/result.ts";
import { FAMILY_MAX_RUNS } from "../../../src/runtime/limits.ts";
import type { ToolServices } from "../../../src/runtime/tool.ts";
import { createClockWithBreaks, createFakeClock } from "../../support/fake-clock.ts";
import { createMemoryDocuments, type MemoryDocuments } from "../../support/memory-documents.ts";
import { ANYBODY, agentBody, callBy, createTestRuntime, requestOf, SYSTEM } from "../../support/runtime/runtime.ts";

/** Agents that each search once, so that their runs can be counted, and call the one below, `width` times: at once, or one after the other. */
async function createTower(widths: readonly number[], how: "at once" | "in turn", onError: "fail" | "continue") {
  let runs = 0;
  const search: ToolServices["search"] = async () => {
    runs++;
    return err({ code: "SEARCH_UNAVAILABLE", detail: "nothing", attempts: [], retryAfterSeconds: 5 });
  };
  const { runtime, settle } = createTestRuntime({ services: { search } });
  const ids: string[] = [];
  for (const [level, width] of [0, ...widths].entries()) {
    const calls = Array.from({ length: width }, (_, i) => ({
      toolId: `call${i}`,
      name: "callAgent",
      config: { agentId: ids.at(-1) },
      onError,
    }));
    const order = calls.map(({ toolId }) => toolId);
    const look = { toolId: "look", name: "webSearch", config: { query: "x" }, onError: "continue" };
    const tools = [look, ...calls];
    const executionOrder = how === "at once" && width > 0 ? ["look", order] : ["look", ...order];
    const made = await runtime.createAgent(
      callBy(SYSTEM),
      agentBody({ tools, executionOrder }, { serverId: `mcp_${level}` }),
    );
    if (!made.ok) throw new Error(JSON.stringify(made.error));
    ids.push(made.value.agent.agentId);
  }
  return {
    async run() {
      const run = await runtime.run(callBy(ANYBODY), ids.at(-1) ?? "", requestOf(null));
      if (!run.ok) throw new Error(run.error.detail);
      await settle();
      return run.value.result;
    },
    runsSoFar: () => runs,
  };
}

test.each<["at once" | "in turn", readonly number[]]>([
  ["at once", [4, 10, 10]],
  ["in turn", [4, 10, 10]],
  ["in turn", [99]],
])("one call makes %s no more than the runs that a family may have: %j", async (how, widths) => {
  const tower = await createTower(widths, how, "continue");
  expect((await tower.run()).ok).toBe(true);
  expect(tower.runsSoFar()).toBe(FAMILY_MAX_RUNS);
});

test("beyond them a call fails, and says why", async () => {
  const tower = await createTower([FAMILY_MAX_RUNS], "in turn", "fail");
  const result = await tower.run();
  expect(result).toMatchObject({
    ok: false,
    error: { code: "RUN_FAILED", detail: `step call49: a run and all it calls are ${FAMILY_MAX_RUNS} runs at most` },
  });
});

test("each request begins a family of its own", async () => {
  const tower = await createTower([FAMILY_MAX_RUNS - 1], "in turn", "fail");
  expect([(await tower.run()).ok, (await tower.run()).ok]).toEqual([true, true]);
  expect(tower.runsSoFar()).toBe(2 * FAMILY_MAX_RUNS);
});

test.each([
  [1, "STORAGE_UNAVAILABLE", 1],
  [3, "ok", 2],
])("a call whose run the store failed is tried again, where it has %i attempts", async (attempts, ends, calls) => {
  const documents = createMemoryDocuments();
  let inserts = 0;
  const flapping: MemoryDocuments = {
    ...documents,
    async insertOne(place, ...rest) {
      if (place.kind === "owned" && ++inserts === 1) throw new StorageUnavailable("down");
      return documents.insertOne(place, ...rest);
    },
  };
  const clock = createFakeClock();
  const { runtime, settle } = createTestRuntime({ documents: flapping, clock });
  const create = async (serverId: string, tool: object) => {
    const body = agentBody({ tools: [{ toolId: "do", ...tool }], executionOrder: ["do"] }, { serverId });
    const made = await runtime.createAgent(callBy(SYSTEM), body);
    if (!made.ok) throw new Error(JSON.stringify(made.error));
    return made.value.agent.agentId;
  };
  const inner = await create("mcp_in", { name: "dbInsert", config: { collection: "c", document: { a: 1 } } });
  const config = { agentId: inner };
  const outer = await create("mcp_out", { name: "callAgent", config, retry: { attempts, backoffMs: 10 } });
  const running = Promise.resolve(runtime.run(callBy(ANYBODY), outer, requestOf(null)));
  await clock.advance(1_000);
  const run = await running;
  await settle();
  if (!run.ok) throw new Error(run.error.detail);
  expect(run.value.result.ok ? "ok" : run.value.result.error.code).toBe(ends);
  expect(inserts).toBe(calls);
});

test("a run and all that it calls have one budget of computing", async () => {
  const { runtime } = createTestRuntime({ clock: createClockWithBreaks() });
  const make = async (tools: readonly object[], serverId: string) => {
    const executionOrder = tools.map((tool) => (tool as { readonly toolId: string }).toolId);
    const made = await runtime.createAgent(callBy(SYSTEM), agentBody({ tools, executionOrder }, { serverId }));
    if (!made.ok) throw new Error(JSON.stringify(made.error));
    return made.value.agent.agentId;
  };
  const heavy = "input.map(a, input.map(b, a + b).size()).size()";
  const called = await make(
    [
      { toolId: "input", name: "input", config: {} },
      { toolId: "sum", name: "transform", config: { fields: Object.fromEntries([..."abcde"].map((n) => [n, heavy])) } },
    ],
    "mcp_0",
  );
  const calls = Array.from({ length: 30 }, (_, i) => ({
    toolId: `call${i}`,
    name: "callAgent",
    config: { agentId: called, input: Array.from({ length: 300 }, (_, n) => n) },
    onError: "continue",
  }));
  const caller = await make(calls, "mcp_1");
  const run = await runtime.run(callBy(ANYBODY), caller, requestOf(null));
  if (!run.ok) throw new Error(run.error.detail);
  expect(run.value.result).toMatchObject({
    ok: false,
    error: { code: "RUN_FAILED", detail: expect.stringContaining("this run and all that it calls compute too much") },
  });
  expect(run.value.trace().steps.length).toBeLessThan(20);
});
