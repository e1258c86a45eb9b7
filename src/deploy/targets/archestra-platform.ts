import * as z from "zod";
import type { Call } from "../../core/actor.ts";
import type { Clock } from "../../core/clock.ts";
import type { Fetch } from "../../core/fetch.ts";
import type { RandomBytes } from "../../core/ids.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { CreateAgent } from "../../runtime/contract.ts";
import { persist } from "./attempts.ts";
import { runOnBudget } from "./budget.ts";
import { openPlatformApi, type Platform, type PlatformApi } from "./platform-api.ts";
import { forgetServer, installServer } from "./platform-catalog.ts";
import { createFlavourMemory, type Flavour, findFlavour, learnFlavour } from "./platform-flavour.ts";
import { equipGateway, findGateways, type Gateway, makeGateway, removeGateways } from "./platform-gateway.ts";
import { proveGateway } from "./platform-proof.ts";
import type { DeployedAgent, ServerRef, Target } from "./target.ts";

const NAME = "archestra-platform";
const NO_TOKEN = "ENCRYPTION_KEY not configured: Archestra reaches our agents with tokens that are made from it";
/** What an id of the platform looks like; it refuses others rather than not to find them. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * A self-hosted Archestra 1.3 or 1.4. It runs no graphs: the graph runs here, as an agent of `edge`, and Archestra
 * registers its MCP endpoint, connects to it, and offers it through a gateway of its own, which is the agent.
 *
 * What a failed call has made is left for the next one, which finds it by its labels and goes on from there.
 */
export function createArchestraPlatformTarget(deps: {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly timeoutMs: number;
  /** Of the API and of the pages, without a slash at the end. */
  readonly baseUrl: string;
  readonly frontendUrl: string;
  readonly apiKey: string;
  /** Our own address as Archestra reaches it. */
  readonly publicUrl: string;
  /** Runs the graphs. */
  readonly edge: Target;
  /** What Archestra shall send to the edge agent's MCP endpoint; null where nothing to make it from is configured. */
  readonly accessToken: (edgeAgentId: string) => Promise<string | null>;
}): Target {
  const { clock, edge, timeoutMs } = deps;
  const platform: Platform = {
    name: NAME,
    fetch: deps.fetch,
    clock,
    random: deps.random,
    baseUrl: deps.baseUrl,
    apiKey: deps.apiKey,
    secrets: [deps.apiKey],
    // They may hold statements of its database.
    hidesServerErrors: true,
  };
  const memory = createFlavourMemory();
  const learn = (flavour: Flavour) => learnFlavour(platform, memory, flavour);

  function onBudget<T>(call: Call, work: (api: PlatformApi, here: Call) => Promise<Result<T>>) {
    return runOnBudget({ name: NAME, clock, timeoutMs }, (budget) =>
      work(openPlatformApi(platform, call, budget), { ...call, origin: deps.publicUrl }),
    );
  }

  async function describe(api: PlatformApi, gateway: Gateway): Promise<DeployedAgent> {
    const flavour = await findFlavour(api.platform, memory, api.budget);
    const page = flavour === "1.3" ? `/mcp/gateways?edit=${gateway.id}` : `/mcp/gateways/${gateway.id}`;
    return {
      agentId: gateway.id,
      endpoint: `${deps.baseUrl}/v1/mcp/${gateway.id}`,
      dashboardUrl: `${deps.frontendUrl}${page}`,
    };
  }

  /** The whole sequence. Every step finds what an earlier try has made, so it may be run again at any time. */
  async function bringUp(
    api: PlatformApi,
    here: Call,
    agent: CreateAgent,
    known: Gateway | null,
  ): Promise<Result<DeployedAgent>> {
    const server: ServerRef = agent.metadata;
    // Only through the platform: an open endpoint beside its gateway would get around what it governs.
    const behindGateway: CreateAgent = { ...agent, metadata: { ...agent.metadata, access: "key" } };
    const running = await edge.create(here, behindGateway);
    if (!running.ok) return running;
    const accessToken = await deps.accessToken(running.value.agentId);
    if (accessToken === null) return err({ code: "TARGET_NOT_CONFIGURED", detail: NO_TOKEN });
    api.hide(accessToken);
    const installed = await installServer(api, { server, mcpUrl: `${running.value.endpoint}/mcp`, accessToken });
    if (!installed.ok) return installed;
    const gateway = known === null ? await findOrMakeGateway(api, server, agent.name) : ok(known);
    if (!gateway.ok) return gateway;
    const equipped = await equipGateway(api, gateway.value.id, installed.value);
    if (!equipped.ok) return equipped;
    const proven = await proveGateway(api, gateway.value.id, installed.value.tools);
    return proven.ok ? ok(await describe(api, gateway.value)) : proven;
  }

  async function findOrMakeGateway(api: PlatformApi, server: ServerRef, name: string): Promise<Result<Gateway>> {
    const found = await findGateways(api, server);
    if (!found.ok) return found;
    const [gateway, ...others] = found.value;
    if (gateway === undefined) {
      return makeGateway(api, server, name, await findFlavour(api.platform, memory, api.budget), learn);
    }
    // A POST that was given up has come through after all, beside its repeat.
    const removed = await removeGateways(
      api,
      others.map(({ id }) => id),
    );
    return removed.ok ? ok(gateway) : removed;
  }

  return {
    name: NAME,
    create: (call, agent) => onBudget(call, (api, here) => bringUp(api, here, agent, null)),
    replace: (call, agentId, agent) =>
      onBudget(call, async (api, here) => {
        const found = await findGateways(api, agent.metadata);
        if (!found.ok) return found;
        const gateway = found.value.find(({ id }) => id === agentId);
        if (gateway === undefined) {
          return err({ code: "NOT_FOUND", detail: `the target ${NAME} has no such agent any more` });
        }
        return bringUp(api, here, agent, gateway);
      }),
    remove: (call, agentId, server) =>
      onBudget(call, async (api, here) => {
        const found = await findGateways(api, server);
        if (!found.ok) return found;
        // One whose labels were changed by hand is still the one that the record names.
        const named = agentId !== null && UUID.test(agentId) ? [agentId] : [];
        const ids = new Set([...found.value.map(({ id }) => id), ...named]);
        const removed = await removeGateways(api, ids);
        if (!removed.ok) return removed;
        const forgotten = await forgetServer(api, server);
        if (!forgotten.ok) return forgotten;
        const stopped = await edge.remove(here, null, server);
        return stopped.ok ? ok(removed.value || forgotten.value || stopped.value) : stopped;
      }),
    find: (call, server) =>
      onBudget(call, async (api) => {
        const found = await findGateways(api, server);
        if (!found.ok) return found;
        const [gateway] = found.value;
        return ok(gateway === undefined ? null : await describe(api, gateway));
      }),
    health: (call) =>
      onBudget(call, async (api) => {
        const up = await persist(api.platform, healthRequest(deps.baseUrl), api.budget);
        if (!up.ok) return err(up.failure.error);
        const keyed = await api.read("/api/agents?agentTypes=mcp_gateway&limit=1", z.unknown());
        return keyed.ok ? ok(null) : keyed;
      }),
  };
}

function healthRequest(baseUrl: string) {
  return { method: "GET", url: `${baseUrl}/health`, headers: { Accept: "application/json" } } as const;
}
