import { expect, test } from "vitest";
import { ok } from "../../../src/core/result.ts";
import { agentBody, callBy, createTestRuntime, keyOf, requestOf } from "../../support/runtime/runtime.ts";

const OWNER = callBy(keyOf("user-1", "deploy", "servers:read", "agents:run"));
const GRAPH = {
  tools: [
    { toolId: "input", name: "input" },
    { toolId: "find", name: "webSearch", config: { query: "tides" } },
  ],
  executionOrder: ["input", "find"],
};

/** A run that waits in the middle of a step. */
async function startRun(signal: AbortSignal) {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const scene = createTestRuntime({
    services: {
      async search() {
        asked.resolve();
        await answer.promise;
        return ok({ query: "tides", results: [] } as never);
      },
    },
  });
  const made = await scene.runtime.createAgent(OWNER, agentBody(GRAPH));
  if (!made.ok) throw new Error(made.error.detail);
  const { agentId } = made.value.agent;
  // As the platform does with a request whose caller is gone: nobody waits for it.
  void scene.runtime.run({ ...OWNER, signal: () => signal }, agentId, requestOf({}));
  await asked.promise;
  let isOver = false;
  const over = scene.settle().then(() => {
    isOver = true;
  });
  return {
    answer: answer.resolve,
    isOver: () => isOver,
    async outcomes() {
      await over;
      const runs = await scene.runtime.listRuns(OWNER, agentId, { limit: 10 });
      return runs.ok ? runs.value.items.map(({ outcome }) => outcome) : runs.error;
    },
  };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test("the platform is asked to keep a run until it has ended and is recorded", async () => {
  const run = await startRun(new AbortController().signal);
  await nextTurn();
  expect(run.isOver()).toBe(false);
  run.answer();
  expect(await run.outcomes()).toEqual(["ok"]);
});

test("a run whose caller hangs up is recorded as cancelled without waiting for its step", async () => {
  const controller = new AbortController();
  const run = await startRun(controller.signal);
  controller.abort();
  expect(await run.outcomes()).toEqual(["cancelled"]);
});
