import type { Server } from "@modelcontextprotocol/server";
import type { Json, JsonObject } from "../../core/json.ts";
import { type McpExchange, RUN_META_KEY } from "../../mcp/contract.ts";
import { withoutHeaderKeyword } from "./listed-schema.ts";
import { type AgentTool, failedAnswer, type ToolAnswer } from "./mcp-tool.ts";

/** The MCP server of one agent, for one message. */
export function createAgentServer(
  { sdk, explain }: McpExchange,
  agent: {
    readonly tool: AgentTool;
    readonly version: string;
    readonly call: (input: Json) => Promise<ToolAnswer>;
  },
): Server {
  const { name, title, description, inputSchema, outputSchema, inputOf } = agent.tool;
  const server = new sdk.Server({ name, title, version: agent.version }, { capabilities: { tools: {} } });
  server.setRequestHandler("tools/list", () => ({
    tools: [{ name, title, description, inputSchema: withoutHeaderKeyword(inputSchema), outputSchema }],
  }));
  server.setRequestHandler("tools/call", async ({ params }) => {
    if (params.name !== name) {
      throw new sdk.ProtocolError(sdk.ProtocolErrorCode.InvalidParams, `there is no tool of this name: call ${name}`);
    }
    const given = (params.arguments ?? {}) as JsonObject;
    const { text, structured, isError, runId } = await agent.call(inputOf(given)).catch((thrown: unknown) => {
      return failedAnswer(explain(thrown), null);
    });
    return {
      content: [{ type: "text", text }],
      structuredContent: { ...structured },
      ...(isError ? { isError } : {}),
      ...(runId === null ? {} : { _meta: { [RUN_META_KEY]: runId } }),
    };
  });
  return server;
}
