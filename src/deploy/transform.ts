import type { CreateAgent } from "../runtime/contract.ts";
import type { ServerVersion } from "../servers/contract.ts";

/** A definition as the agents contract wants it. Nothing of the owner's but the graph leaves with it. */
export function toAgentRequest(definition: ServerVersion, ownerId: string, createdAt: string): CreateAgent {
  const { serverId, version, name, description, tools, executionOrder, inputSchema, access, policy } = definition;
  return {
    name,
    description,
    tools,
    executionOrder,
    inputSchema,
    metadata: { createdBy: "orchestrix", serverId, createdAt, ownerId, version, access, policy },
  };
}
