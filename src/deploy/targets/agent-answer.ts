import * as z from "zod";
import { ownProperty } from "../../core/json.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { AGENT_ID_MAX_CHARS } from "./limits.ts";
import type { DeployedAgent, ServerRef } from "./target.ts";

/** An agent as a host tells of it. What of the metadata a host does not repeat is null. */
export interface HostAgent extends DeployedAgent {
  readonly serverId: string | null;
  readonly ownerId: string | null;
  readonly version: number | null;
}

const url = z.url({ protocol: /^https?$/ }).max(2_048);

const agentAnswer = z.object({
  // Ids become a segment of a path: a dot or two would lead elsewhere.
  agentId: z
    .string()
    .min(1)
    .max(AGENT_ID_MAX_CHARS)
    .regex(/^(?!\.{1,2}$)[^\p{C}\s]+$/u),
  publicEndpoint: url,
  dashboardUrl: url,
  metadata: z
    .object({
      serverId: z.string().nullish().catch(null),
      ownerId: z.string().nullish().catch(null),
      version: z.int().nullish().catch(null),
    })
    .nullish()
    .catch(null),
});

/** The agent that a host answered with, or null where that is none. */
export function readAgent(body: unknown): HostAgent | null {
  const agent = agentAnswer.safeParse(body);
  if (!agent.success) return null;
  const { agentId, publicEndpoint, dashboardUrl, metadata } = agent.data;
  return {
    agentId,
    endpoint: publicEndpoint,
    dashboardUrl,
    serverId: metadata?.serverId ?? null,
    ownerId: metadata?.ownerId ?? null,
    version: metadata?.version ?? null,
  };
}

/** Whether nothing that the host says of the agent speaks against its serving this server. */
export function serves(agent: HostAgent, server: ServerRef): boolean {
  return agent.serverId === null || agent.serverId === server.serverId;
}

function belongsTo(agent: HostAgent, server: ServerRef): boolean {
  return serves(agent, server) && (agent.ownerId === null || agent.ownerId === server.ownerId);
}

/**
 * The server's agent out of a look-up's answer: hosts send the agent itself, a list, or `{items}`; null where it is
 * not among them. Fails where the answer is none of these: that says nothing about whether there is an agent.
 */
export function readFoundAgent(body: unknown, server: ServerRef): Result<HostAgent | null, null> {
  if (body === null) return ok(null);
  const items = Array.isArray(body) ? body : ownProperty(body, "items");
  if (!Array.isArray(items)) {
    const agent = readAgent(body);
    return agent === null ? err(null) : ok(belongsTo(agent, server) ? agent : null);
  }
  const agents = items.map(readAgent).filter((agent) => agent !== null);
  if (agents.length < items.length) return err(null);
  // A host that sends all its agents must say which is whose.
  const named = agents.filter((agent) => belongsTo(agent, server) && (agent.serverId !== null || agents.length === 1));
  if (named.length === 0 && agents.some((agent) => agent.serverId === null)) return err(null);
  return ok(named[0] ?? null);
}
