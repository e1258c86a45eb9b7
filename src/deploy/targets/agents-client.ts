import type { Call } from "../../core/actor.ts";
import type { AppError } from "../../core/errors.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { CreateAgent } from "../../runtime/contract.ts";
import { type HostAgent, readAgent, readFoundAgent, serves } from "./agent-answer.ts";
import { attempt, type HostLink, judgePost, linkBehind, makeOnce, type Posted, persist } from "./attempts.ts";
import type { Budget } from "./budget.ts";
import type { HostAnswer, HostRequest } from "./exchange.ts";
import { describeFailure, failed } from "./host-failure.ts";
import type { ServerRef } from "./target.ts";

export interface AgentsHost extends Omit<HostLink, "secrets"> {
  /** The URL of the agents collection. A function: the edge target lives at the address of the call. */
  readonly collectionUrl: (call: Call) => string;
  /** The whole value of the header: whoever makes this decides whether the key goes bare or after `Bearer`. */
  readonly authorization: string;
}

/** The agents contract, a client's side of it. Each call is bounded by the budget that it is given. */
export interface AgentsClient {
  post(call: Call, agent: CreateAgent, budget: Budget): Promise<Result<HostAgent>>;
  put(call: Call, agentId: string, agent: CreateAgent, budget: Budget): Promise<Result<HostAgent>>;
  find(call: Call, server: ServerRef, budget: Budget): Promise<Result<HostAgent | null>>;
  /** False where there was none. */
  remove(call: Call, agentId: string, budget: Budget): Promise<Result<boolean>>;
  /** Asks for the agent of a server that nobody has: shows that the host answers and knows our key. */
  probe(call: Call, budget: Budget): Promise<Result<null>>;
}

export function createAgentsClient(host: AgentsHost): AgentsClient {
  const { authorization } = host;
  const link: HostLink = { ...host, secrets: [authorization, authorization.replace(/^\S+\s+/, "")] };
  const linkOf = (call: Call) => linkBehind(call, link);
  const misread = failed(host.name, "its answer is not what the agents contract says");
  const missing: AppError = { code: "NOT_FOUND", detail: `the target ${host.name} has no such agent any more` };

  /** Of the collection, or of one agent in it. */
  function requestTo(call: Call, method: HostRequest["method"], agentId?: string): HostRequest {
    const collection = host.collectionUrl(call);
    const url = agentId === undefined ? collection : `${collection}/${encodeURIComponent(agentId)}`;
    const headers = { Authorization: authorization, Accept: "application/json", "X-Request-Id": call.requestId };
    return { method, url, headers };
  }

  async function postOnce(call: Call, agent: CreateAgent, budget: Budget): Promise<Posted<HostAgent>> {
    const tried = await attempt(linkOf(call), { ...requestTo(call, "POST"), body: agent }, budget, [409]);
    if (!tried.ok) return judgePost(tried.failure);
    if (tried.answer.status === 409) {
      const failure = describeFailure(link, tried.answer, link.clock.now());
      return { ok: false, failure, look: true, repeat: true };
    }
    const made = readAgent(tried.answer.body);
    if (made !== null && serves(made, agent.metadata)) return { ok: true, value: made };
    return { ok: false, failure: misread, look: true, repeat: false };
  }

  async function find(call: Call, server: ServerRef, budget: Budget): Promise<Result<HostAgent | null>> {
    // A host of several owners may know the same serverId twice; one that knows no owners ignores the second.
    const query = new URLSearchParams({ serverId: server.serverId, ownerId: server.ownerId });
    const request = requestTo(call, "GET");
    const tried = await persist(linkOf(call), { ...request, url: `${request.url}?${query}` }, budget, [404]);
    if (!tried.ok) return err(tried.failure.error);
    if (tried.answer.status === 404) return ok(null);
    const found = readFoundAgent(tried.answer.body, server);
    return found.ok ? found : err(misread.error);
  }

  /** The answer, if it is about this agent. */
  function expectSame(answer: HostAnswer, agentId: string, server: ServerRef): Result<HostAgent> {
    const agent = readAgent(answer.body);
    return agent !== null && agent.agentId === agentId && serves(agent, server) ? ok(agent) : err(misread.error);
  }

  return {
    find,
    async post(call, agent, budget) {
      const made = await makeOnce(
        link,
        budget,
        () => postOnce(call, agent, budget),
        () => find(call, agent.metadata, budget),
      );
      return made.ok ? made : err(made.failure.error);
    },
    async put(call, agentId, agent, budget) {
      const request = { ...requestTo(call, "PUT", agentId), body: agent };
      const tried = await persist(linkOf(call), request, budget, [404]);
      if (!tried.ok) return err(tried.failure.error);
      if (tried.answer.status === 404) return err(missing);
      if (tried.answer.text !== "") return expectSame(tried.answer, agentId, agent.metadata);
      const seen = await persist(linkOf(call), requestTo(call, "GET", agentId), budget);
      return seen.ok ? expectSame(seen.answer, agentId, agent.metadata) : err(seen.failure.error);
    },
    async remove(call, agentId, budget) {
      const tried = await persist(linkOf(call), requestTo(call, "DELETE", agentId), budget, [404]);
      if (!tried.ok) return err(tried.failure.error);
      // After a first answer that was lost, its absence is most likely our own doing.
      return ok(tried.answer.status !== 404 || tried.unsure);
    },
    async probe(call, budget) {
      const request = requestTo(call, "GET");
      // A host without look-ups answers 405, and has read the key before.
      const tried = await attempt(
        linkOf(call),
        { ...request, url: `${request.url}?serverId=health-check` },
        budget,
        [404, 405],
      );
      return tried.ok ? ok(null) : err(tried.failure.error);
    },
  };
}
