import * as z from "zod";
import { type Actor, authorize, type Call, mayAccess } from "../../core/actor.ts";
import { notFound, StorageUnavailable } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { Logger } from "../../core/logger.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { readJsonBody } from "../../http/body.ts";
import { type AppContext, callOf } from "../../http/context.ts";
import { type AnyEndpointSpec, type Endpoint, refusal } from "../../http/endpoint.ts";
import { PROBLEMS } from "../../http/problem.ts";
import { type AccessTokens, isAccessToken } from "../agents/access-token.ts";
import type { AgentRecord, AgentStore } from "../agents/agent-store.ts";
import { agentIdSchema } from "../contract.ts";
import { toRunRequest } from "../execution/run-request.ts";
import type { RuntimeService } from "../service.ts";
import { rejectMessage, serveMessage } from "./mcp-server.ts";
import { failedAnswer, type ToolAnswer, toAgentTool, toToolAnswer } from "./mcp-tool.ts";

export interface AgentMcpDeps {
  readonly runtime: Pick<RuntimeService, "run">;
  readonly agents: Pick<AgentStore, "find">;
  readonly tokens: AccessTokens;
  /** Origins of browser pages that may call, beside our own; `*` for all. */
  readonly allowedOrigins: readonly string[];
  readonly log: Logger;
}

const spec: AnyEndpointSpec = {
  method: "post",
  path: "/agents/{agentId}/mcp",
  operationId: "callAgentOverMcp",
  tag: "Agents",
  summary: "Talk to an agent as an MCP server",
  description:
    "Streamable HTTP without sessions: one JSON-RPC message in, one JSON answer out. The one tool is named from the " +
    "agent and takes the graph's input. An agent that is not public needs a key of its owner with `agents:run`, or the " +
    "agent's own access token.",
  access: "agent",
  params: z.object({ agentId: z.string().min(1) }),
  body: z.unknown(),
  responses: [
    { status: 200, description: "The JSON-RPC answer", schema: z.unknown() },
    { status: 202, description: "A notification was taken" },
  ],
  errors: ["UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND"],
};

/** Each agent as an MCP server. GET and DELETE, which sessions would need, answer 405. */
export function createAgentMcpEndpoints(deps: AgentMcpDeps): readonly Endpoint[] {
  return [
    {
      spec,
      async handle(c, guard, bodyLimitBytes) {
        const admitted = await guard(c, spec, null);
        if (!admitted.ok) return refusal(c, admitted.error);
        const entered = await enter(c, deps);
        if (!entered.ok) return refusal(c, entered.error);
        const read = await readJsonBody(c.req.raw, bodyLimitBytes);
        if (!read.ok) return rejectMessage(PROBLEMS[read.error.code].status, read.error.code, read.error.detail);
        const message = read.value;
        if (!isJsonObject(message)) {
          return rejectMessage(400, "INVALID_REQUEST", "send one JSON-RPC message: batches are not served");
        }
        return answer(c, message, entered.value, deps);
      },
    },
  ];
}

interface Entered {
  readonly agent: AgentRecord;
  readonly call: Call;
}

/** The agent, and who the caller is to it. */
async function enter(c: AppContext, { agents, tokens, allowedOrigins }: AgentMcpDeps): Promise<Result<Entered>> {
  // A page of another site would come with the reach of whoever looks at it (DNS rebinding).
  const origin = c.req.header("origin");
  if (origin !== undefined && ![c.get("origin"), ...allowedOrigins].some((o) => o === origin || o === "*")) {
    return err({ code: "FORBIDDEN", detail: "this page's origin may not call agents" });
  }
  const agentId = agentIdSchema.safeParse(c.req.param("agentId"));
  const agent = agentId.success ? await agents.find(agentId.data) : null;
  if (agent === null) return notFound("agent");
  const bearer = /^Bearer +(\S+) *$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
  const actor = (await tokens.verify(agent._id, bearer)) ? tokenActor(agent) : c.get("actor");
  c.get("event").actor = actor.id;
  const call = { ...callOf(c), actor };
  if (agent.access === "public") return ok({ agent, call });
  const access = authorize(actor, "agents:run");
  if (!access.ok) return access;
  return mayAccess(access.value, agent.ownerId) ? ok({ agent, call }) : notFound("agent");
}

function tokenActor({ _id, ownerId }: AgentRecord): Actor {
  return { kind: "key", id: `token:${_id}`, ownerId, scopes: new Set(["agents:run"]) };
}

async function answer(
  c: AppContext,
  message: JsonObject,
  { agent, call }: Entered,
  { runtime, log }: AgentMcpDeps,
): Promise<Response> {
  c.get("event").mcpMethod = typeof message.method === "string" ? message.method.slice(0, METHOD_SHOWN_CHARS) : null;

  async function runTool(input: Parameters<typeof toRunRequest>[1]): Promise<ToolAnswer> {
    try {
      const request = withoutAccessToken(toRunRequest(c.req.raw, input, call.actor));
      const run = await runtime.run(call, agent._id, request);
      if (!run.ok) return failedAnswer(run.error);
      c.get("event").runId = run.value.runId;
      return toToolAnswer(run.value.result);
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
      log.warn("mcp_storage_unavailable", { agentId: agent._id, error });
      return failedAnswer({
        code: "STORAGE_UNAVAILABLE",
        detail: "the documents store does not answer; try again soon",
      });
    }
  }

  const tool = toAgentTool(agent);
  return serveMessage({ request: c.req.raw, message, tool, version: String(agent.version), call: runTool, log });
}

/** Longer than any method of the protocol; the caller chose it. */
const METHOD_SHOWN_CHARS = 64;

/** A token of ours is never a graph's business, also where the caller is known by another credential. */
function withoutAccessToken(request: ReturnType<typeof toRunRequest>): ReturnType<typeof toRunRequest> {
  const { authorization, ...headers } = request.headers;
  const isOurs = authorization !== undefined && isAccessToken(authorization.replace(/^Bearer +/i, ""));
  return isOurs ? { ...request, headers } : request;
}
