import type { LoadTarget } from "./load.ts";
import { ORDER, ORDER_SCHEMA } from "./node-red.ts";
import type { CaseResult } from "./rounds.ts";
import { deployForBench } from "./subjects.ts";

const MANY_AGENTS = 1_000;
const DEPLOYS_AT_ONCE = 10;
export const CHAIN_LENGTHS = [2, 10, 50, 100] as const;

const ORDER_GRAPH = {
  name: "Order",
  tools: [
    { toolId: "input", name: "input", inputSchema: ORDER_SCHEMA },
    { toolId: "validation", name: "inputValidation" },
    {
      toolId: "summed",
      name: "transform",
      config: {
        fields: {
          greeting: "'Hello ' + validation.name",
          total: "validation.items.map(item, item.price * item.count).sum()",
        },
      },
    },
    { toolId: "response", name: "response", config: { body: "{{summed}}" } },
  ],
  executionOrder: ["input", "validation", "summed", "response"],
};

/** `input`, then steps that each add one to the number of the step before. */
function chainOf(steps: number): object {
  const adding = Array.from({ length: steps - 1 }, (_, i) => ({
    toolId: `s${i}`,
    name: "transform",
    config: { expression: i === 0 ? "input.n + 1" : `s${i - 1} + 1` },
  }));
  const tools = [{ toolId: "input", name: "input" }, ...adding];
  return { name: `Chain of ${steps}`, tools, executionOrder: tools.map(({ toolId }) => toolId) };
}

export interface AgentTargets {
  readonly order: LoadTarget;
  readonly chains: ReadonlyMap<number, LoadTarget>;
  /** The order's graph as many agents, asked in turns. */
  readonly many: LoadTarget;
}

const headers = { "Content-Type": "application/json" };

/** The order's graph as a public agent. */
export async function prepareOrder(url: string): Promise<LoadTarget> {
  const deploy = await deployForBench(url);
  return { url: await deploy(ORDER_GRAPH), method: "POST", headers, body: ORDER };
}

/** Public agents of one owner on a Worker that has just started. */
export async function prepareAgents(url: string): Promise<AgentTargets> {
  const deploy = await deployForBench(url);
  const order: LoadTarget = { url: await deploy(ORDER_GRAPH), method: "POST", headers, body: ORDER };
  const chains = new Map<number, LoadTarget>();
  for (const length of CHAIN_LENGTHS) {
    chains.set(length, { url: await deploy(chainOf(length)), method: "POST", headers, body: '{"n":0}' });
  }
  const endpoints: string[] = [];
  while (endpoints.length < MANY_AGENTS) {
    endpoints.push(...(await Promise.all(Array.from({ length: DEPLOYS_AT_ONCE }, () => deploy(ORDER_GRAPH)))));
  }
  return { order, chains, many: { ...order, paths: endpoints.map((endpoint) => new URL(endpoint).pathname) } };
}

/** What a step costs, out of what runs of different lengths cost. */
export function tellStepCost(results: readonly CaseResult[]): readonly string[] {
  const costs = CHAIN_LENGTHS.map((length) => {
    const found = results.find(({ id }) => id === `chain-${length}`);
    return { length, us: found?.cpuUsPerRequest ?? null };
  });
  const [first, ...longer] = costs;
  if (first === undefined || first.us === null) return [];
  const { length: shortest, us: shortestUs } = first;
  return longer.flatMap(({ length, us }) =>
    us === null
      ? []
      : [
          `a step costs ${((us - shortestUs) / (length - shortest)).toFixed(1)} µs of CPU (${length} steps against ${shortest})`,
        ],
  );
}
