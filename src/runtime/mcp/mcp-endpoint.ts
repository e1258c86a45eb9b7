import * as z from "zod";
import type { Actor, Call } from "../../core/actor.ts";
import { notFound } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { type AppContext, callOf, clientAddress } from "../../http/context.ts";
import type { AnyEndpointSpec, Endpoint } from "../../http/endpoint.ts";
import { MCP_RESPONSES, type McpExchange, type McpServing } from "../../mcp/contract.ts";
import type { AccessTokens } from "../agents/access-token.ts";
import { refuseCaller } from "../agents/agent-access.ts";
import type { AgentRecord, AgentStore } from "../agents/agent-store.ts";
import { isAgentId } from "../contract.ts";
import type { ToRunRequest } from "../execution/run-request.ts";
import type { RuntimeService } from "../service.ts";
import { createAgentServer } from "./mcp-server.ts";
import { failedAnswer, type ToolAnswer, toAgentTool, toToolAnswer } from "./mcp-tool.ts";

export interface AgentMcpDeps {
  readonly runtime: Pick<RuntimeService, "run">;
  readonly agents: Pick<AgentStore, "find">;
  readonly tokens: AccessTokens;
  readonly serving: McpServing;
  readonly toRunRequest: ToRunRequest;
}

const spec: AnyEndpointSpec = {
  method: "post",
  path: "/agents/{agentId}/mcp",
  operationId: "callAgentOverMcp",
  tag: "MCP",
  summary: "Talk to an agent as an MCP server",
  description:
    "Streamable HTTP without sessions: one JSON-RPC message in, one JSON answer out. The one tool is named from the " +
    "agent and takes the graph's input; `X-Run-Id` names the run of a call. An agent that is not public needs a key of " +
    "its owner with `agents:run`, or the agent's own access token.",
  access: "agent",
  params: z.object({ agentId: z.string().min(1) }),
  body: z.unknown(),
  responses: MCP_RESPONSES,
  errors: ["UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND"],
};

/** Each agent as an MCP server. GET and DELETE, which sessions would need, answer 405. */
export function createAgentMcpEndpoints(deps: AgentMcpDeps): readonly Endpoint[] {
  const { serving } = deps;
  return [
    {
      spec,
      async handle(c, guard, bodyLimitBytes) {
        const admitted = await guard(c, spec, null);
        if (!admitted.ok) return serving.refuse(c, admitted.error);
        const entered = await enter(c, deps);
        if (!entered.ok) return serving.refuse(c, entered.error);
        const build = (exchange: McpExchange) => buildServer(c, exchange, entered.value, deps);
        return serving.answer(c, bodyLimitBytes, build, { hasProgress: false });
      },
    },
  ];
}

interface Entered {
  readonly agent: AgentRecord;
  readonly call: Call;
}

/** The agent, and who the caller is to it. */
async function enter(c: AppContext, { agents, tokens, serving }: AgentMcpDeps): Promise<Result<Entered>> {
  const known = serving.admit(c);
  if (!known.ok) return known;
  const agentId = c.req.param("agentId") ?? "";
  const agent = isAgentId(agentId) ? await agents.find(agentId) : null;
  if (agent === null) return notFound("agent");
  const bearer = /^Bearer +(\S+) *$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
  const actor = (await tokens.verify(agent._id, bearer)) ? tokenActor(agent) : c.get("actor");
  c.get("event").actor = actor.id;
  const call = { ...callOf(c), actor };
  const refused = refuseCaller(actor, agent);
  return refused === null ? ok({ agent, call }) : err(refused);
}

function tokenActor({ _id, ownerId }: AgentRecord): Actor {
  return { kind: "key", id: `token:${_id}`, ownerId, scopes: new Set(["agents:run"]) };
}

function buildServer(c: AppContext, exchange: McpExchange, { agent, call }: Entered, deps: AgentMcpDeps) {
  const tool = toAgentTool(agent);

  async function runTool(input: Json): Promise<ToolAnswer> {
    const run = await deps.runtime.run(call, agent._id, deps.toRunRequest(c.req.raw, input, call.actor), {
      trigger: "mcp",
      callerAddress: clientAddress(c),
    });
    if (!run.ok) return failedAnswer(run.error, null);
    c.get("event").runId = run.value.runId;
    return toToolAnswer(run.value);
  }

  return createAgentServer(exchange, { tool, version: String(agent.version), call: runTool });
}
