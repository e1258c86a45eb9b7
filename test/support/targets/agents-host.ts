import { type FaultyServer, type RecordedRequest, type Reply, startFaultyServer } from "./faulty-server.ts";
import { answerMcp } from "./mcp.ts";

export interface HostedAgent {
  readonly agentId: string;
  /** The body of the create or replace that is in force. */
  readonly graph: any;
}

export interface AgentsHost extends FaultyServer {
  /** The agents collection: what `ARCHESTRA_DEPLOYMENT_ENDPOINT` is set to. */
  readonly collectionUrl: string;
  /** What the host keeps now, oldest first. */
  agents(): readonly HostedAgent[];
  /** Puts an agent there, as somebody else's deploy would have. */
  seed(graph: any): HostedAgent;
  /** Removes all, as an operator at the host would. */
  clear(): void;
}

export interface AgentsHostOptions {
  /** The value of `Authorization` that is let in; any where it is left out. */
  readonly authorization?: string;
  /** `careless` makes an agent for every POST; `strict` answers a repeat with the one that is there. */
  readonly repeats?: "strict" | "careless" | "conflict";
  /** How `GET ?serverId=` answers. `all` ignores the filter; `none` has no look-up. */
  readonly lookUp?: "object" | "items" | "array" | "all" | "none";
  /** Whether answers carry the metadata of the create. */
  readonly metadata?: boolean;
  /** What a client of an agent's MCP endpoint must send as its bearer token; anything where it is left out. */
  readonly mcpToken?: (agentId: string) => string;
}

const COLLECTION = "/mcp/agents";

/** A host of the agents contract, as another company would run it. Keeps agents in memory. */
export async function startAgentsHost(options: AgentsHostOptions = {}): Promise<AgentsHost> {
  const { repeats = "strict", lookUp = "object", metadata = true } = options;
  const agents = new Map<string, HostedAgent>();
  let made = 0;

  function seed(graph: any): HostedAgent {
    made++;
    const agent = { agentId: `agent_${made}`, graph };
    agents.set(agent.agentId, agent);
    return agent;
  }

  function show({ agentId, graph }: HostedAgent) {
    return {
      agentId,
      publicEndpoint: `${server.url}/agents/${agentId}`,
      dashboardUrl: `${server.url}/dashboard/${agentId}`,
      status: "running",
      ...(metadata ? { metadata: graph.metadata } : {}),
    };
  }

  function create(graph: any): Reply {
    const known = [...agents.values()].find((agent) => sameServer(agent.graph, graph));
    if (known === undefined || repeats === "careless") return { status: 201, body: show(seed(graph)) };
    if (repeats === "conflict") return { status: 409, body: { error: "this server has an agent already" } };
    const replaced = { ...known, graph };
    agents.set(known.agentId, replaced);
    return { status: 200, body: show(replaced) };
  }

  function find(query: URLSearchParams): Reply {
    const serverId = query.get("serverId");
    const ownerId = query.get("ownerId");
    const found = [...agents.values()]
      .filter(({ graph }) => lookUp === "all" || graph.metadata.serverId === serverId)
      .filter(({ graph }) => lookUp === "all" || ownerId === null || graph.metadata.ownerId === ownerId)
      .map(show);
    switch (lookUp) {
      case "none":
        return { status: 405, body: { error: "method not allowed" } };
      case "items":
        return { status: 200, body: { items: found, nextCursor: null } };
      case "array":
      case "all":
        return { status: 200, body: found };
      case "object":
        return found.length === 0 ? missing() : { status: 200, body: found[0] };
    }
  }

  function one(request: RecordedRequest, agentId: string): Reply {
    const agent = agents.get(agentId);
    if (agent === undefined) return missing();
    switch (request.method) {
      case "GET":
        return { status: 200, body: show(agent) };
      case "PUT":
        agents.set(agentId, { agentId, graph: request.body });
        return { status: 200, body: show({ agentId, graph: request.body }) };
      case "DELETE":
        agents.delete(agentId);
        return { status: 204 };
      default:
        return { status: 405, body: { error: "method not allowed" } };
    }
  }

  /** Every agent is an MCP server of one tool, named from it, that answers what it is asked. */
  async function runMcp(request: RecordedRequest, agentId: string): Promise<Reply> {
    const agent = agents.get(agentId);
    if (agent === undefined) return missing();
    const token = options.mcpToken?.(agentId);
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
      return { status: 401, body: { error: "unknown token" } };
    }
    const { name, description, inputSchema, metadata } = agent.graph;
    const tool = { name: name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_"), description, inputSchema };
    return answerMcp(request, [tool], (_name, input) => ({ input, version: metadata.version }));
  }

  function answer(request: RecordedRequest): Reply | Promise<Reply> {
    const [, mcpAgentId] = /^\/agents\/([^/]+)\/mcp$/.exec(request.path) ?? [];
    if (mcpAgentId !== undefined) return runMcp(request, mcpAgentId);
    if (options.authorization !== undefined && request.headers.authorization !== options.authorization) {
      return { status: 401, body: { error: `the key ${request.headers.authorization} is not known` } };
    }
    const { pathname, searchParams } = new URL(request.path, server.url);
    if (pathname === COLLECTION) return request.method === "POST" ? create(request.body) : find(searchParams);
    if (pathname.startsWith(`${COLLECTION}/`)) {
      return one(request, decodeURIComponent(pathname.slice(COLLECTION.length + 1)));
    }
    return missing();
  }

  const server = await startFaultyServer({
    answer,
    errorBody: (status) => ({ error: { message: `the host says ${status}`, type: "host_error" } }),
  });
  return {
    ...server,
    collectionUrl: `${server.url}${COLLECTION}`,
    agents: () => [...agents.values()],
    seed,
    clear: () => agents.clear(),
  };
}

function missing(): Reply {
  return { status: 404, body: { error: "no such agent" } };
}

function sameServer(a: any, b: any): boolean {
  return a.metadata.serverId === b.metadata.serverId && a.metadata.ownerId === b.metadata.ownerId;
}
