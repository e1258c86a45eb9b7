import type { CreateAgent } from "../runtime/contract.ts";
import type { ServerRecord } from "../servers/contract.ts";

/** A server's record as the agents contract wants it. Nothing of the owner's but the graph leaves with it. */
export function toAgentRequest(record: ServerRecord, createdAt: string): CreateAgent {
  return {
    name: record.name,
    description: record.description,
    tools: record.tools,
    executionOrder: record.executionOrder,
    inputSchema: record.inputSchema,
    metadata: {
      createdBy: "orchestrix",
      serverId: record.serverId,
      createdAt,
      ownerId: record.ownerId,
      version: record.version,
      access: record.access,
    },
  };
}
