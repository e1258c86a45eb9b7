import { ok, type Result } from "../../core/result.ts";
import type { HostAgent } from "./agent-answer.ts";
import { type AgentsHost, createAgentsClient } from "./agents-client.ts";
import { runOnBudget } from "./budget.ts";
import type { DeployedAgent, Target } from "./target.ts";

/** A target that speaks the agents contract: another host, or this Worker's own app in process. */
export function createAgentsContractTarget(host: AgentsHost & { readonly timeoutMs: number }): Target {
  const client = createAgentsClient(host);
  return {
    name: host.name,
    create: (call, agent) =>
      runOnBudget(host, async (budget) => {
        const made = await client.post(call, agent, budget);
        if (!made.ok) return made;
        // One that an earlier deploy made and nobody saved is ours, but runs the graph of that time.
        const { agentId, version } = made.value;
        const current = version === null || version === agent.metadata.version;
        return toDeployed(current ? made : await client.put(call, agentId, agent, budget));
      }),
    replace: (call, agentId, agent) =>
      runOnBudget(host, async (budget) => toDeployed(await client.put(call, agentId, agent, budget))),
    remove: (call, agentId, server) =>
      runOnBudget(host, async (budget) => {
        if (agentId !== null) return client.remove(call, agentId, budget);
        const found = await client.find(call, server, budget);
        if (!found.ok) return found;
        return found.value === null ? ok(false) : client.remove(call, found.value.agentId, budget);
      }),
    find: (call, server) =>
      runOnBudget(host, async (budget) => {
        const found = await client.find(call, server, budget);
        return found.ok ? ok(found.value === null ? null : toPublic(found.value)) : found;
      }),
    health: (call) => runOnBudget(host, (budget) => client.probe(call, budget)),
  };
}

function toDeployed(agent: Result<HostAgent>): Result<DeployedAgent> {
  return agent.ok ? ok(toPublic(agent.value)) : agent;
}

function toPublic({ agentId, endpoint, dashboardUrl }: HostAgent): DeployedAgent {
  return { agentId, endpoint, dashboardUrl };
}
