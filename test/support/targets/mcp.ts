import type { RecordedRequest, Reply } from "./faulty-server.ts";

export interface McpTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: unknown;
}

/** A stateless MCP server's answer, protocol 2025-11-25: JSON to a POST, 202 to a notification, 405 to a GET. */
export async function answerMcp(
  request: Pick<RecordedRequest, "method" | "body">,
  tools: readonly McpTool[],
  call: (name: string, input: unknown) => unknown | Promise<unknown>,
): Promise<Reply> {
  if (request.method !== "POST") return { status: 405, headers: { Allow: "POST" }, body: { error: "POST only" } };
  const { id, method, params } = request.body ?? {};
  if (id === undefined) return { status: 202 };
  const answer = (result: unknown): Reply => ({ status: 200, body: { jsonrpc: "2.0", id, result } });
  switch (method) {
    case "initialize":
      return answer({
        protocolVersion: "2025-11-25",
        capabilities: { tools: {} },
        serverInfo: { name: "stand-in", version: "1" },
      });
    case "tools/list":
      return answer({ tools });
    case "tools/call": {
      const output = await call(params.name, params.arguments);
      return answer({ content: [{ type: "text", text: JSON.stringify(output) }] });
    }
    default:
      return { status: 200, body: { jsonrpc: "2.0", id, error: { code: -32601, message: `no method ${method}` } } };
  }
}

/** Sends one MCP request, as a client of the stateless 2025 era. Rejects where the answer is none. */
export async function callMcp(url: string, token: string, method: string, params: unknown = {}): Promise<any> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${token}`,
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
      "MCP-Protocol-Version": "2025-11-25",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const { result } = (await response.json()) as { result?: unknown };
  if (result === undefined) throw new Error("no result");
  return result;
}
