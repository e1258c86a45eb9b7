import type { Server } from "@modelcontextprotocol/server";
import { type AppError, toError } from "../../core/errors.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import type { Logger } from "../../core/logger.ts";
import type { AgentTool, ToolAnswer } from "./mcp-tool.ts";

export interface McpExchange {
  /** Its body has been read. */
  readonly request: Request;
  readonly message: JsonObject;
  readonly tool: AgentTool;
  readonly version: string;
  readonly call: (input: Json) => Promise<ToolAnswer>;
  readonly log: Logger;
}

const JSON_RPC_CODES = {
  PAYLOAD_TOO_LARGE: -32_000,
  UNSUPPORTED_MEDIA_TYPE: -32_000,
  INVALID_REQUEST: -32_600,
} as const;
const PARSE_ERROR = -32_700;

/** A request that never becomes a message, as JSON-RPC says it. */
export function rejectMessage(status: number, code: AppError["code"] | "INVALID_REQUEST", message: string): Response {
  const codes: Readonly<Partial<Record<string, number>>> = JSON_RPC_CODES;
  const error = { code: codes[code] ?? PARSE_ERROR, message };
  return Response.json({ jsonrpc: "2.0", error, id: null }, { status, headers: { "Cache-Control": "no-store" } });
}

/**
 * Answers one message by a server that lives as long as it: no sessions, and JSON for an answer. The revisions of 2025
 * are served beside the one of 2026-07-28.
 */
export async function serveMessage(exchange: McpExchange): Promise<Response> {
  const sdk = await import("@modelcontextprotocol/server");
  const { request, message, log } = exchange;
  const server = createServer(sdk, exchange);
  const onerror = (error: Error) => log.debug("mcp_message_refused", { error });
  server.onerror = onerror;
  const answer = (await sdk.isLegacyRequest(request, message))
    ? await serveLegacy(sdk, server, request, message)
    : await sdk
        .createMcpHandler(() => server, { legacy: "reject", maxSubscriptions: 0, keepAliveMs: 0, onerror })
        .fetch(request, { parsedBody: message });
  answer.headers.set("Cache-Control", "no-store");
  return answer;
}

type Sdk = typeof import("@modelcontextprotocol/server");

async function serveLegacy(sdk: Sdk, server: Server, request: Request, message: JsonObject): Promise<Response> {
  const transport = new sdk.WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  await server.connect(transport);
  try {
    return await transport.handleRequest(acceptingJson(request), { parsedBody: message });
  } finally {
    await server.close();
  }
}

/** The revisions of 2025 want two types named. Answers are JSON alone, so whoever takes JSON is served. */
function acceptingJson(request: Request): Request {
  const accept = request.headers.get("accept") ?? "*/*";
  if (!/application\/json|\*\/\*|application\/\*/i.test(accept)) return request;
  const headers = new Headers(request.headers);
  headers.set("accept", "application/json, text/event-stream");
  return new Request(request.url, { method: request.method, headers });
}

function createServer(sdk: Sdk, { tool, version, call, log }: McpExchange): Server {
  const { name, title, description, inputSchema } = tool;
  const server = new sdk.Server({ name, title, version }, { capabilities: { tools: {} } });
  server.setRequestHandler("tools/list", () => ({ tools: [{ name, title, description, inputSchema }] }));
  server.setRequestHandler("tools/call", async ({ params }) => {
    if (params.name !== name) {
      throw new sdk.ProtocolError(sdk.ProtocolErrorCode.InvalidParams, `there is no tool of this name: call ${name}`);
    }
    const { text, structured, isError } = await callSafely(
      call,
      tool.inputOf((params.arguments ?? {}) as JsonObject),
      log,
    );
    return {
      content: [{ type: "text", text }],
      ...(structured === null ? {} : { structuredContent: { ...structured } }),
      ...(isError ? { isError } : {}),
    };
  });
  return server;
}

/** What an error of ours says is not the caller's business. */
async function callSafely(call: McpExchange["call"], input: Json, log: Logger): Promise<ToolAnswer> {
  try {
    return await call(input);
  } catch (error) {
    log.error("mcp_call_failed", { error: toError(error) });
    return { text: "internal error", structured: null, isError: true };
  }
}
