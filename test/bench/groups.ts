import { prepareAgents, tellStepCost } from "./agents.ts";
import type { LoadTarget } from "./load.ts";
import { checkOrder, startNodeRed } from "./node-red.ts";
import { checkPortkey, portkeyTarget, startPortkey } from "./portkey.ts";
import type { Case, CaseResult } from "./rounds.ts";
import type { Scope } from "./scope.ts";
import {
  FRESH_QUERY,
  type OurRequest,
  ownVariables,
  prepareOurs,
  type Subject,
  startWorker,
  upstreamVariables,
} from "./subjects.ts";
import { startBenchUpstash } from "./upstash.ts";
import type { Upstream } from "./upstream.ts";

export const GROUPS = ["hits", "misses", "latency", "agents"] as const;
export type GroupName = (typeof GROUPS)[number];

export interface Stage {
  readonly scope: Scope;
  readonly upstream: Upstream;
  readonly stateRoot: string;
  readonly bundles: {
    readonly bare: string;
    readonly byHand: string;
    readonly passThrough: string;
    readonly ours: string;
  };
  readonly peers: boolean;
  readonly onProgress: (text: string) => void;
}

export interface Group {
  readonly title: string;
  readonly cases: readonly Case[];
  /** The case that the rates are compared with. */
  readonly baseline: string;
  /** The case whose latency is not the subject's own; absent where there is none. */
  readonly direct?: string;
  /** What could not be measured, and why. */
  readonly notes: readonly string[];
  /** What the figures say together. */
  readonly conclude?: (results: readonly CaseResult[]) => readonly string[];
}

/** Starts a group's subjects, to be stopped with the stage. */
export const PREPARE: Readonly<Record<GroupName, (stage: Stage) => Promise<Group>>> = {
  hits: prepareHits,
  misses: prepareMisses,
  latency: prepareLatency,
  agents: prepareAgentRuns,
};

async function prepareHits(stage: Stage): Promise<Group> {
  const bare = await start(stage, stage.bundles.bare, {});
  const variables = ownVariables(stage.upstream.instantUrl);
  const ours = await startOurs(stage, variables);
  const logged = await startOurs(stage, { ...variables, LOG_LEVEL: "info" });
  const withoutL1 = await startOurs(stage, { ...variables, CACHE_L1_MAX_BYTES: "0" });
  const upstash = await startOursWithUpstash(stage, variables);
  return {
    title: "No upstream asked",
    baseline: "bare",
    notes: upstash.notes,
    cases: [
      { id: "bare", name: "bare Hono handler", target: { url: bare.url }, pid: bare.pid },
      ours.toCase("health", "GET /health"),
      ours.toCase("hitByGet", "GET /search, L1 hit", "hit-by-get"),
      ours.toCase("hit", "search, L1 hit"),
      logged.toCase("hit", "search, L1 hit, access log on", "hit-logged"),
      ...upstash.subjects.map((each) => each.toCase("hit", "search, L1 hit, Upstash", "hit-upstash")),
      withoutL1.toCase("hit", "search, L2 hit", "hit-l2"),
      ours.toCase("status", "GET …/status"),
      ours.toCase("agent", "agent of 3 steps"),
    ],
  };
}

async function prepareMisses(stage: Stage): Promise<Group> {
  const { instantUrl } = stage.upstream;
  const variables = ownVariables(instantUrl);
  const passThrough = await start(stage, stage.bundles.passThrough, upstreamVariables(instantUrl));
  const ours = await startOurs(stage, variables);
  const upstash = await startOursWithUpstash(stage, variables);
  const portkey = await startPeer(stage, instantUrl, "portkey");
  return {
    title: "Before an upstream that answers at once",
    baseline: "pass-through",
    notes: [...upstash.notes, ...portkey.notes],
    cases: [
      { id: "upstream", name: "the upstream itself", target: searchTarget(instantUrl), pid: undefined },
      passThroughCase("pass-through", passThrough),
      ours.toCase("miss", "search, miss"),
      ours.toCase("bypass", "search, cache: bypass"),
      ours.toCase("mixed", "search, as people ask (Zipf)"),
      ours.toCase("hit", "search, asked before", "hit-before-upstream"),
      ...upstash.subjects.map((each) => each.toCase("miss", "search, miss, Upstash", "miss-upstash")),
      ...portkey.cases,
    ],
  };
}

async function prepareLatency(stage: Stage): Promise<Group> {
  const { slowUrl } = stage.upstream;
  const passThrough = await start(stage, stage.bundles.passThrough, upstreamVariables(slowUrl));
  const ours = await startOurs(stage, ownVariables(slowUrl));
  const upstash = await startOursWithUpstash(stage, ownVariables(slowUrl));
  const portkey = await startPeer(stage, slowUrl, "slow-portkey");
  return {
    title: "Before an upstream of a fixed latency",
    baseline: "slow-pass-through",
    direct: "slow-upstream",
    notes: [...upstash.notes, ...portkey.notes],
    cases: [
      { id: "slow-upstream", name: "the upstream itself", target: searchTarget(slowUrl), pid: undefined },
      passThroughCase("slow-pass-through", passThrough),
      ours.toCase("miss", "search, miss", "slow-miss"),
      ours.toCase("bypass", "search, cache: bypass", "slow-bypass"),
      ...upstash.subjects.map((each) => each.toCase("miss", "search, miss, Upstash", "slow-miss-upstash")),
      ...portkey.cases,
    ],
  };
}

async function prepareAgentRuns(stage: Stage): Promise<Group> {
  const ours = await start(stage, stage.bundles.ours, ownVariables(stage.upstream.instantUrl));
  stage.onProgress("deploying agents");
  const { order, chains, many } = await prepareAgents(ours.url);
  await checkOrder(order);
  const byHand = await start(stage, stage.bundles.byHand, {});
  const atHand: LoadTarget = { ...order, url: byHand.url };
  await checkOrder(atHand);
  const peer = await startFlowPeer(stage);
  const toCase = (id: string, name: string, target: LoadTarget) => ({ id, name, target, pid: ours.pid });
  return {
    title: "Agents",
    baseline: "node-red",
    notes: peer.notes,
    cases: [
      ...peer.cases,
      { id: "by-hand", name: "the same in a Worker written by hand", target: atHand, pid: byHand.pid },
      toCase("order", "agent: input, validation, transform, response", order),
      toCase("orders", "the same as 1,000 agents, in turns", many),
      ...[...chains].map(([length, target]) => toCase(`chain-${length}`, `agent of ${length} steps`, target)),
    ],
    conclude: tellStepCost,
  };
}

async function startFlowPeer(stage: Stage) {
  if (!stage.peers) return { cases: [], notes: ["Node-RED: left out by --no-peers"] };
  try {
    stage.onProgress("installing and starting Node-RED");
    const { target, pid } = stage.scope.add(await startNodeRed(stage.stateRoot));
    return { cases: [{ id: "node-red", name: "the same flow in Node-RED", target, pid }], notes: [] };
  } catch (error) {
    return { cases: [], notes: [`Node-RED: not measured: ${messageOf(error)}`] };
  }
}

interface OurSubject {
  toCase(request: OurRequest, name: string, id?: string): Case;
}

async function startOurs(
  stage: Stage,
  variables: Readonly<Record<string, string>>,
  countStore?: () => Promise<number>,
): Promise<OurSubject> {
  const { url, pid } = await start(stage, stage.bundles.ours, variables);
  const targets = await prepareOurs(url);
  return { toCase: (request, name, id = request) => ({ id, name, target: targets[request], pid, countStore }) };
}

async function startOursWithUpstash(stage: Stage, variables: Readonly<Record<string, string>>) {
  try {
    const upstash = stage.scope.add(await startBenchUpstash());
    const ours = await startOurs(stage, { ...variables, ...upstash.variables }, upstash.countRequests);
    return { subjects: [ours], notes: [] };
  } catch (error) {
    return { subjects: [], notes: [`Upstash: not measured, its stand-in did not start: ${messageOf(error)}`] };
  }
}

async function startPeer(stage: Stage, upstreamUrl: string, id: string) {
  if (!stage.peers) return { cases: [], notes: ["Portkey: left out by --no-peers"] };
  try {
    stage.onProgress("installing and starting Portkey's gateway");
    const { url, pid } = stage.scope.add(await startPortkey());
    const target = portkeyTarget(url, upstreamUrl, FRESH_QUERY);
    await checkPortkey(target);
    return { cases: [{ id, name: "Portkey's gateway", target, pid }], notes: [] };
  } catch (error) {
    return { cases: [], notes: [`Portkey: not measured: ${messageOf(error)}`] };
  }
}

async function start(stage: Stage, bundle: string, variables: Readonly<Record<string, string>>): Promise<Subject> {
  return stage.scope.add(await startWorker({ bundle, variables, stateRoot: stage.stateRoot }));
}

function passThroughCase(id: string, { url, pid }: Subject): Case {
  return { id, name: "bare pass-through Worker", target: searchTarget(url), pid };
}

function searchTarget(url: string): LoadTarget {
  const body = JSON.stringify({ query: FRESH_QUERY, search_depth: "basic", max_results: 5 });
  return { url: `${url}/search`, method: "POST", headers: { "Content-Type": "application/json" }, body };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
