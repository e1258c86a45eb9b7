import type { Fetch } from "../../src/core/fetch.ts";

export interface MemoryHost {
  readonly fetch: Fetch;
  readonly agents: ReadonlyMap<string, { readonly agentId: string; readonly body: any }>;
  /** Takes one request away from its normal course; undefined lets it pass. */
  intercept: ((request: { method: string; url: string }, work: () => Response) => Promise<Response> | undefined) | null;
  requests: number;
}

/** A host of the agents contract in this process: one agent per server and owner, as the contract says. */
export function createMemoryHost(): MemoryHost {
  const agents = new Map<string, { agentId: string; body: any }>();
  let made = 0;
  const answer = (agent: { agentId: string; body: any }, status: number) =>
    Response.json(
      {
        agentId: agent.agentId,
        publicEndpoint: `https://host.test/agents/${agent.agentId}`,
        dashboardUrl: `https://host.test/dashboard/${agent.agentId}`,
        metadata: agent.body.metadata,
      },
      { status },
    );
  const missing = () => Response.json({ error: { message: "no such agent" } }, { status: 404 });
  const byId = (id: string) => [...agents.entries()].find(([, agent]) => agent.agentId === id);

  function work(method: string, url: URL, body: any): Response {
    const id = url.pathname.split("/mcp/agents/")[1];
    if (method === "POST") {
      const key = `${body.metadata.ownerId}/${body.metadata.serverId}`;
      const known = agents.get(key);
      const agent = { agentId: known?.agentId ?? `agent_${++made}`, body };
      agents.set(key, agent);
      return answer(agent, known === undefined ? 201 : 200);
    }
    if (id === undefined) {
      const found = [...agents.values()].find(
        (agent) => agent.body.metadata.serverId === url.searchParams.get("serverId"),
      );
      return found === undefined ? missing() : answer(found, 200);
    }
    const entry = byId(id);
    if (entry === undefined) return missing();
    const [key, agent] = entry;
    if (method === "DELETE") {
      agents.delete(key);
      return new Response(null, { status: 204 });
    }
    if (method === "PUT") agent.body = body;
    return answer(agent, 200);
  }

  const host: MemoryHost = {
    agents,
    intercept: null,
    requests: 0,
    async fetch(address, init) {
      host.requests++;
      const method = init.method ?? "GET";
      const perform = () => work(method, new URL(address), init.body ? JSON.parse(String(init.body)) : null);
      return host.intercept?.({ method, url: address }, perform) ?? perform();
    },
  };
  return host;
}
