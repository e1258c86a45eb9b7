import { join } from "node:path";
import { findFreePort, serveWorker } from "../../scripts/server.ts";
import { COUNTER, type LoadTarget, POPULAR } from "./load.ts";
import { listChildren } from "./processes.ts";

const HOST = "127.0.0.1";
const START_ATTEMPTS = 3;
const ADMIN_API_KEY = "admin-key-of-the-benchmark";
const UPSTREAM_KEY = "tvly-stand-in-key";

/** Something that answers HTTP and is measured. */
export interface Subject {
  readonly url: string;
  /** The process that serves; undefined where the system does not tell. */
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

interface WorkerOptions {
  readonly bundle: string;
  /** Its state goes into a new folder below. */
  readonly stateRoot: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly inspectorPort?: number;
}

/** Runs a bundle on workerd itself, as `npm start` does. A port that somebody else took meanwhile is given up. */
export async function startWorker(options: WorkerOptions): Promise<Subject> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnPort(options, await findFreePort(HOST));
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function startOnPort(options: WorkerOptions, port: number): Promise<Subject> {
  const before = listChildren(process.pid);
  const { url, stop } = await serveWorker({
    ...options,
    host: HOST,
    port,
    stateDir: join(options.stateRoot, String(port)),
    expectsCode: false,
    onLog: ({ level, message }) => {
      if (level === "error") console.error(message);
    },
  });
  return { url, stop, pid: listChildren(process.pid).find((pid) => !before.includes(pid)) };
}

export function upstreamVariables(upstreamUrl: string): Record<string, string> {
  return { TAVILY_API_KEY: UPSTREAM_KEY, TAVILY_BASE_URL: upstreamUrl };
}

/** The variables of our Worker before an upstream: no provider but the stand-in, limits that nobody meets. */
export function ownVariables(upstreamUrl: string): Record<string, string> {
  return {
    ...upstreamVariables(upstreamUrl),
    ADMIN_API_KEY,
    LOG_LEVEL: "error",
    SEARCH_KEYLESS: "off",
    WIKIPEDIA_BASE_URL: upstreamUrl,
    WARM_TOP_QUERIES: "0",
    RATE_LIMIT_BURST: "1000000",
    RATE_LIMIT_PER_MINUTE: "1000000",
    RATE_LIMIT_PER_HOUR: "100000000",
    QUOTA_SERVERS: "100000",
    QUOTA_RUNS_PER_DAY: "1000000000",
  };
}

const QUERY = "what durable objects store";
/** A question that nobody asked before. */
export const FRESH_QUERY = `${QUERY} ${COUNTER}`;

export const OUR_REQUESTS = ["health", "hit", "hitByGet", "status", "agent", "miss", "bypass", "mixed"] as const;
export type OurRequest = (typeof OUR_REQUESTS)[number];

const OWNER = "bench";
const ECHO = {
  name: "Echo",
  ownerId: OWNER,
  tools: [
    { toolId: "input", name: "input", inputSchema: { type: "object", required: ["a"] } },
    { toolId: "validation", name: "inputValidation" },
    { toolId: "response", name: "response", config: { body: "{{validation}}" } },
  ],
  executionOrder: ["input", "validation", "response"],
};
const SCOPES = ["servers:read", "servers:write", "deploy", "search", "agents:run"];

/**
 * What is asked of our Worker: with an API key of an owner, who is counted by the admission as any caller is, and with
 * an agent of three steps deployed for it.
 */
export async function prepareOurs(url: string): Promise<Readonly<Record<OurRequest, LoadTarget>>> {
  const { key = "" } = await post(`${url}/keys`, ADMIN_API_KEY, { ownerId: OWNER, name: "bench", scopes: SCOPES });
  const { serverId = "" } = await post(`${url}/mcp/servers`, key, ECHO);
  const { endpoint = "" } = await post(`${url}/mcp/servers/${serverId}/deploy`, key, { ownerId: OWNER });
  const headers = headersOf(key);
  const search = (request: object): LoadTarget => ({
    url: `${url}/search`,
    method: "POST",
    headers,
    body: JSON.stringify(request),
  });
  return {
    health: { url: `${url}/health` },
    hit: search({ query: QUERY }),
    hitByGet: { url: `${url}/search?q=${encodeURIComponent(QUERY)}`, headers },
    status: { url: `${url}/mcp/servers/${serverId}/status?ownerId=${OWNER}`, headers },
    agent: { url: endpoint, method: "POST", headers, body: '{"a":1}' },
    miss: search({ query: FRESH_QUERY }),
    bypass: search({ query: FRESH_QUERY, cache: "bypass" }),
    mixed: search({ query: `${QUERY} ${POPULAR}` }),
  };
}

/** Deploys graphs as public agents of one owner: gives what does it, and answers the endpoint. */
export async function deployForBench(url: string): Promise<(graph: object) => Promise<string>> {
  const { key = "" } = await post(`${url}/keys`, ADMIN_API_KEY, { ownerId: OWNER, name: "bench", scopes: SCOPES });
  return async (graph) => {
    const { serverId = "" } = await post(`${url}/mcp/servers`, key, { ...graph, ownerId: OWNER });
    const { endpoint = "" } = await post(`${url}/mcp/servers/${serverId}/deploy`, key, { ownerId: OWNER });
    return endpoint;
  };
}

function headersOf(key: string): Record<string, string> {
  return { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
}

async function post(url: string, key: string, body: unknown): Promise<Record<string, string>> {
  const answer = await fetch(url, { method: "POST", headers: headersOf(key), body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, string>;
}
