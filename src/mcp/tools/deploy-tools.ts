import * as z from "zod";
import { authorizeOwner } from "../../core/actor.ts";
import type { Json } from "../../core/json.ts";
import { ok } from "../../core/result.ts";
import { deployAnswer, deployBody, undeployAnswer } from "../../deploy/contract.ts";
import type { DeployPhase, ProductMcpDeps } from "../deps.ts";
import { defineTool, described, type ProductTool } from "../tool.ts";
import { namedServer } from "./server-tools.ts";

/** In their order; the last is what the tool itself tells. */
const PHASES: Readonly<Record<DeployPhase, readonly [done: number, message: string]>> = {
  claimed: [1, "The deployment is claimed"],
  at_target: [2, "The target has the agent"],
};
const DEPLOY_STEPS = 3;

export function createDeployTools({ deploys }: Pick<ProductMcpDeps, "deploys">): readonly ProductTool[] {
  return [
    defineTool({
      name: "deploy_server",
      title: "Deploy a server",
      description:
        "Deploys a server's current version as a live agent, and answers with the agent's endpoint. A server that is " +
        "deployed already is refused, with its agent's address.",
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
      scope: "deploy",
      input: z.strictObject({
        ...namedServer,
        target: described(deployBody.shape.target, "Where the agent is to live; the operator's choice if left out"),
      }),
      output: deployAnswer,
      async run({ serverId, target, ownerId }, { call, progress }) {
        const owner = authorizeOwner(call.actor, "deploy", ownerId);
        if (!owner.ok) return owner;
        progress(0, DEPLOY_STEPS, `Deploying ${serverId}`);
        const deployed = await deploys.deploy(call, serverId, { ownerId: owner.value, target }, (phase) => {
          const [done, message] = PHASES[phase];
          progress(done, DEPLOY_STEPS, message);
        });
        if (!deployed.ok) return deployed;
        progress(DEPLOY_STEPS, DEPLOY_STEPS, "The deployment is saved");
        return ok({ value: deployed.value });
      },
    }),
    defineTool({
      name: "undeploy_server",
      title: "Undeploy a server",
      description: "Removes a server's agent: its endpoint answers no more. The server itself stays, as a draft.",
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
      scope: "deploy",
      input: z.strictObject(namedServer),
      output: undeployAnswer,
      async run({ serverId, ownerId }, { call }) {
        const undeployed = await deploys.undeploy(call, serverId, { ownerId });
        return undeployed.ok ? ok({ value: undeployed.value }) : undeployed;
      },
    }),
  ];
}

export function createRunTools({
  runServer,
  schemas,
}: Pick<ProductMcpDeps, "runServer" | "schemas">): readonly ProductTool[] {
  return [
    defineTool({
      name: "run_server",
      title: "Run a server",
      description:
        "Runs a server's graph and answers what its endpoint would, with the trace of the steps. Where the server's " +
        "agent lives here it runs, else the graph as it stands. With `dryRun` steps that would write, send or call " +
        "say what they would do instead.",
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
      scope: "agents:run",
      input: z.strictObject({
        ...namedServer,
        input: described(
          z
            .unknown()
            .optional()
            .transform((value) => (value ?? null) as Json),
          "The graph's input, as its inputSchema wants it; nothing is null",
        ),
        dryRun: described(z.boolean().default(false), "Change and send nothing"),
      }),
      output: schemas.runAnswer,
      async run({ serverId, ...order }, { call, callerAddress }) {
        const ran = await runServer(call, serverId, { ...order, callerAddress });
        if (!ran.ok) return ran;
        const { success, trace } = ran.value;
        return ok({ value: ran.value, isError: !success, runId: trace.runId });
      },
    }),
  ];
}
