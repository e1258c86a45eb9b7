import { expect, test } from "vitest";
import type { Json } from "../../../../src/core/json.ts";
import { output } from "../../../../src/runtime/tool.ts";
import { callAgentTool } from "../../../../src/runtime/tools/call-agent.ts";
import { previewTool, runTool, testContext, testServices } from "../../../support/runtime/step-context.ts";

const OTHER = "agent_01h455vb4pex5vsknk084sn02q";

function scene() {
  const calls: unknown[] = [];
  const services = testServices({
    callAgent: async ({ run }, agentId, input) => {
      calls.push({ from: run.agentId, agentId, input, dryRun: run.dryRun });
      return output({ said: input });
    },
  });
  return { calls, context: testContext({ services }) };
}

test("the other agent gets the input and its output is the step's", async () => {
  const { calls, context } = scene();
  expect(await runTool(callAgentTool, { agentId: OTHER, input: { a: 1 } }, context)).toEqual({
    kind: "output",
    value: { said: { a: 1 } },
  });
  expect(calls).toEqual([{ from: context.agentId, agentId: OTHER, input: { a: 1 }, dryRun: false }]);
});

test("without an input it gets none", async () => {
  const { calls, context } = scene();
  await runTool(callAgentTool, { agentId: OTHER }, context);
  expect(calls).toMatchObject([{ input: null }]);
});

test("a dry run asks for the same, and its run says that it is dry", async () => {
  const { calls, context } = scene();
  const dry = { ...context, run: { ...context.run, dryRun: true } };
  expect(await previewTool(callAgentTool, { agentId: OTHER, input: "x" }, dry)).toEqual({
    kind: "output",
    value: { said: "x" },
  });
  expect(calls).toEqual([{ from: context.agentId, agentId: OTHER, input: "x", dryRun: true }]);
});

test.each<[Json]>([[""], ["agent_1"], ["../agents"], ["agent_01h455vb4pex5vsknk084sn02q\n"], [{ $ne: null }], [null]])(
  "%j is no agent",
  (agentId) => {
    expect(callAgentTool.bind({ agentId, input: null }).ok).toBe(false);
  },
);
