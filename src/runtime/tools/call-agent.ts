import * as z from "zod";
import { anyJson } from "../config-schemas.ts";
import { agentIdSchema } from "../contract.ts";
import { defineTool, type StepContext } from "../tool.ts";

const config = z.strictObject({ agentId: agentIdSchema, input: anyJson.default(null) });

/** A dry run tries the other agent's graph dry: the context says so. */
const call = ({ agentId, input }: z.output<typeof config>, context: StepContext) =>
  context.services.callAgent(context, agentId, input);

export const callAgentTool = defineTool({
  name: "callAgent",
  description:
    "Runs another agent of the same owner with `input` as its request's body, within this run's time. The output is " +
    "what it answered. That run is under the policy of the agent that is called, not of the one that calls. Agents that " +
    "call each other in a circle, too deep, or too many times in all are refused. In a dry run the other agent's graph " +
    "is tried dry too.",
  config,
  output: anyJson,
  effect: "write",
  run: call,
  preview: call,
});
