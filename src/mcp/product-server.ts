import type { Server, ServerContext } from "@modelcontextprotocol/server";
import { authorize, type Call } from "../core/actor.ts";
import type { AppError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Result } from "../core/result.ts";
import { type McpExchange, type McpSdk, RUN_META_KEY } from "./contract.ts";
import type { ProductMcpDeps } from "./deps.ts";
import { STEADY_LIST_TTL_MS } from "./limits.ts";
import type { ProductPrompt } from "./prompts.ts";
import { listResources, RESOURCE_TEMPLATES, readResource } from "./resources.ts";
import { describeFailure, type ProductTool, type ToolCall } from "./tool.ts";
import { visibleTo } from "./tools/tools.ts";

export interface ProductSurface {
  readonly tools: readonly ProductTool[];
  readonly prompts: readonly ProductPrompt[];
  readonly deps: Pick<ProductMcpDeps, "servers" | "version">;
}

/** Who sent the message, and what of its HTTP request the tools may know. */
export interface Caller extends Omit<ToolCall, "progress"> {
  /** Told which run the message began. */
  readonly noteRun: (runId: string) => void;
}

const STEADY = { ttlMs: STEADY_LIST_TTL_MS, cacheScope: "private" } as const;
const CHANGING = { ttlMs: 0, cacheScope: "private" } as const;

/** The product's MCP server for one message: what the caller's scopes allow of it. */
export function createProductServer(exchange: McpExchange, caller: Caller, surface: ProductSurface): Server {
  const { sdk } = exchange;
  const mayRead = authorize(caller.call.actor, "servers:read").ok;
  const server = new sdk.Server(
    { name: "orchestrix", title: "Orchestrix", version: surface.deps.version },
    {
      capabilities: { tools: {}, prompts: {}, ...(mayRead ? { resources: {} } : {}) },
      instructions: INSTRUCTIONS,
      cacheHints: {
        "server/discover": STEADY,
        "tools/list": STEADY,
        "prompts/list": STEADY,
        "resources/templates/list": STEADY,
        "resources/list": CHANGING,
        "resources/read": CHANGING,
      },
    },
  );
  serveTools(server, exchange, caller, surface.tools);
  servePrompts(server, exchange, caller.call, surface.prompts);
  if (mayRead) serveResources(server, exchange, caller.call, surface.deps);
  return server;
}

const INSTRUCTIONS =
  "Orchestrix deploys tool graphs (servers) as live agents with public endpoints, and searches the web. A server is " +
  "stored over HTTP (POST /mcp/servers), tried with run_server, and deployed with deploy_server; get_logs tells what " +
  "happened.";

function serveTools(server: Server, exchange: McpExchange, caller: Caller, tools: readonly ProductTool[]): void {
  const { sdk, explain } = exchange;
  server.setRequestHandler("tools/list", () => ({
    tools: visibleTo(caller.call.actor, tools).map(({ scope: _, call: __, ...listed }) => listed),
  }));
  const { noteRun, ...known } = caller;
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    const tool = tools.find(({ name }) => name === params.name);
    if (tool === undefined) throw invalid(sdk, "there is no tool of this name");
    const mayCall = authorize(caller.call.actor, tool.scope);
    const progress = createProgress(exchange, context);
    const given = (params.arguments ?? {}) as Json;
    try {
      const outcome = mayCall.ok ? await tool.call(given, { ...known, progress }) : mayCall;
      if (!outcome.ok) return failed(describeFailure(outcome.error));
      const { value, isError = false, runId } = outcome.value;
      if (runId !== undefined) noteRun(runId);
      return {
        content: [{ type: "text", text: JSON.stringify(value) }],
        structuredContent: { ...value },
        ...(isError ? { isError } : {}),
        ...(runId === undefined ? {} : { _meta: { [RUN_META_KEY]: runId } }),
      };
    } catch (thrown) {
      return failed(describeFailure(explain(thrown)));
    }
  });
}

function failed(text: string) {
  return { content: [{ type: "text" as const, text }], isError: true };
}

/** Whoever hung up misses it, and nothing waits for it. */
function createProgress({ streams }: McpExchange, { mcpReq }: ServerContext): ToolCall["progress"] {
  const progressToken = mcpReq._meta?.progressToken;
  if (!streams || progressToken === undefined) return () => {};
  return (progress, total, message) => {
    const params = { progressToken, progress, total, message };
    mcpReq.notify({ method: "notifications/progress", params }).catch(() => {});
  };
}

function servePrompts(server: Server, exchange: McpExchange, call: Call, prompts: readonly ProductPrompt[]): void {
  const visible = prompts.filter(({ scope }) => scope === null || authorize(call.actor, scope).ok);
  server.setRequestHandler("prompts/list", () => ({
    prompts: visible.map(({ name, title, description, arguments: args }) => ({
      name,
      title,
      description,
      arguments: [...args],
    })),
  }));
  server.setRequestHandler("prompts/get", async ({ params }) => {
    const prompt = visible.find(({ name }) => name === params.name);
    if (prompt === undefined) throw invalid(exchange.sdk, "there is no prompt of this name");
    return orThrow(exchange, () => prompt.get(params.arguments ?? {}, call));
  });
}

function serveResources(
  server: Server,
  exchange: McpExchange,
  call: Call,
  deps: Pick<ProductMcpDeps, "servers">,
): void {
  server.setRequestHandler("resources/list", ({ params }) =>
    orThrow(exchange, () => listResources(deps, call, params?.cursor)),
  );
  server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: [...RESOURCE_TEMPLATES] }));
  server.setRequestHandler("resources/read", ({ params }) =>
    orThrow(
      exchange,
      () => readResource(deps, call, params.uri),
      (error) => (error.code === "NOT_FOUND" ? new exchange.sdk.ResourceNotFoundError(params.uri) : null),
    ),
  );
}

/** The result, or the failure as the protocol's own error. */
async function orThrow<T>(
  { sdk, explain }: McpExchange,
  work: () => Promise<Result<T>>,
  special: (error: AppError) => Error | null = () => null,
): Promise<T> {
  let result: Result<T>;
  try {
    result = await work();
  } catch (thrown) {
    throw new sdk.ProtocolError(sdk.ProtocolErrorCode.InternalError, explain(thrown).detail);
  }
  if (result.ok) return result.value;
  throw special(result.error) ?? invalid(sdk, result.error.detail);
}

function invalid(sdk: McpSdk, message: string): Error {
  return new sdk.ProtocolError(sdk.ProtocolErrorCode.InvalidParams, message);
}
