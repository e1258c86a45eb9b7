import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Fetch } from "../../../../src/core/fetch.ts";
import type { JsonObject } from "../../../../src/core/json.ts";
import { createOutbound, type OutboundOptions } from "../../../../src/runtime/outbound/guarded-outbound.ts";
import type { OutboundRequest } from "../../../../src/runtime/outbound/outbound.ts";
import { createRunWork } from "../../../../src/runtime/run-work.ts";
import type { RunContext, StepContext, Tool, ToolResult, ToolServices } from "../../../../src/runtime/tool.ts";

export const realFetch: Fetch = (url, init) => fetch(url, init);

/** An internet that answers everything with `answer`, and remembers what it was asked. */
export function createInternet(answer: (url: string, init: RequestInit) => Response | Promise<Response>) {
  const asked: { readonly url: string; readonly method: string; readonly headers: Headers; readonly body: unknown }[] =
    [];
  const answerTo: Fetch = async (url, init) => {
    asked.push({ url, method: init.method ?? "GET", headers: new Headers(init.headers), body: init.body ?? null });
    return answer(url, init);
  };
  return { asked, fetch: answerTo };
}

export function outboundOn(fetch: Fetch, options: Partial<OutboundOptions> = {}) {
  return createOutbound({ fetch, privateHosts: [], ownHosts: [], ...options });
}

export function requestOf(url: string, changes: Partial<OutboundRequest> = {}): OutboundRequest {
  const signal = new AbortController().signal;
  return {
    url,
    isHostSecret: false,
    method: "GET",
    headers: {},
    body: null,
    allowedHosts: null,
    maxResponseBytes: 10_000,
    signal,
    ...changes,
  };
}

export function stepOf(
  services: Partial<ToolServices>,
  { run = {}, ...changes }: Partial<Omit<StepContext, "run">> & { readonly run?: Partial<RunContext> } = {},
): StepContext {
  const ids = { ownerId: "ada", agentId: "agent_1" };
  return {
    // A tool that asks for another service than its test gives it is a bug that shows.
    services: services as ToolServices,
    run: {
      ...ids,
      runId: "run_1",
      issuer: ids.agentId,
      dryRun: false,
      allowedHosts: null,
      maxOutputBytes: 10_000,
      chain: ["agent_1"],
      family: { runs: 1, work: createRunWork() },
      deadlineAtMs: Number.MAX_SAFE_INTEGER,
      ...run,
    },
    ...ids,
    toolId: "call",
    stepKey: "run_1.call",
    input: null,
    inputSchema: {},
    scope: new Map(),
    evaluate: () => ({ ok: false, error: "no expressions here" }),
    isHostSecret: false,
    requestHeaders: {},
    asOwner: { actor: { ownerId: "ada" } } as unknown as StepContext["asOwner"],
    signal: new AbortController().signal,
    ...changes,
  };
}

/** Binds and runs as a run does; a config that is refused before is a failure that names the setting. */
export async function runTool(tool: Tool, config: JsonObject, step: StepContext, how: "run" | "preview" = "run") {
  const bound = tool.bind(config);
  if (bound.ok) return bound.value[how](step);
  const message = bound.error.map((fault) => `${fault.path}: ${fault.message}`).join("; ");
  return { kind: "fail", message } satisfies ToolResult;
}

export interface RawServer {
  readonly url: string;
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** `METHOD /path` in order. */
  readonly asked: readonly string[];
  readonly close: () => Promise<void>;
}

/** A server that may stream, stall and break off. */
export async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<RawServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    // Clients that hang up are what some tests are about.
    response.on("error", () => {});
    handle(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}`,
    host,
    asked,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
