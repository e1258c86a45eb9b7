import * as z from "zod";
import { anyJson } from "../config-schemas.ts";
import { agentIdSchema } from "../contract.ts";
import { defineTool, output } from "../tool.ts";

export const callAgentTool = defineTool({
  name: "callAgent",
  description:
    "Runs another agent of the same owner with `input` as its request's body, within this run's time. The output is " +
    "what it answered. Agents that call each other in a circle, too deep, or too many times in all are refused.",
  config: z.strictObject({ agentId: agentIdSchema, input: anyJson.default(null) }),
  output: anyJson,
  effect: "write",
  run: ({ agentId, input }, context) => context.services.callAgent(context, agentId, input),
  preview: ({ agentId, input }) => output({ wouldCall: agentId, input }),
});
