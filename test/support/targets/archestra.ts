import { type ArchestraState, createArchestraState } from "./archestra-state.ts";
import { type FaultyServer, type RecordedRequest, type Reply, startFaultyServer } from "./faulty-server.ts";
import { answerMcp, callMcp } from "./mcp.ts";

export type ArchestraVersion = "1.3" | "1.4";

export interface ArchestraOptions {
  readonly version: ArchestraVersion;
  /** What `/api/*` takes as `Authorization`, bare. */
  readonly apiKey?: string;
  /** What the gateway takes as a bearer token; null where the key's user can have none. */
  readonly userToken?: string | null;
  /** How the gateway answers. */
  readonly gatewayAnswers?: "json" | "sse";
  /** Whether `/openapi.json` is served. */
  readonly openapi?: boolean;
}

/** A self-hosted Archestra: what it knows can be read, and its faults be scripted (see `FaultyServer`). */
export interface Archestra extends FaultyServer, Pick<ArchestraState, "catalog" | "installs" | "gateways" | "seed"> {
  readonly apiKey: string;
  /** From now on it is another version. What it keeps stays. */
  upgrade(version: ArchestraVersion): void;
  /** The next bulk assignments report every tool as failed, each with this error, and still answer 200. */
  refuseAssignments(error: string, times?: number): void;
}

const API_KEY = "arch_0123456789abcdef0123456789abcdef";
const USER_TOKEN = "archestra_feedfacefeedfacefeedfacefeedface";

/** What 500s of the real one hold now and then. */
export const LEAKED_SQL =
  'Failed query: select "id", "secret" from "agents" where "id" = $1 params: s3cr3t-of-the-database';

export async function startArchestra(options: ArchestraOptions): Promise<Archestra> {
  const { apiKey = API_KEY, userToken = USER_TOKEN, gatewayAnswers = "json", openapi = true } = options;
  const state = createArchestraState();
  let { version } = options;
  let refusals: string[] = [];
  let tokenMade = false;

  async function answer(request: RecordedRequest): Promise<Reply> {
    const { pathname, searchParams } = new URL(request.path, "http://archestra.local");
    if (pathname === "/health") return done({ name: "Archestra Platform", status: "ok", version: `${version}.15` });
    if (pathname === "/openapi.json") return openapi ? done(describeApi(version)) : problem(404, "Not Found");
    const [, gatewayId] = /^\/v1\/mcp\/([^/]+)$/.exec(pathname) ?? [];
    if (gatewayId !== undefined) return runGateway(request, gatewayId);
    if (request.headers.authorization !== apiKey) {
      return problem(401, `Invalid API key ${request.headers.authorization}`);
    }
    if (request.headers["content-type"]?.startsWith("application/json") && request.rawBody === "") {
      return problem(400, "Body cannot be empty when content-type is set to 'application/json'");
    }
    const route = ROUTES.find(([method, path]) => method === request.method && path.test(pathname));
    if (route === undefined) return problem(404, `Route ${request.method}:${pathname} not found`);
    const [, ...ids] = route[1].exec(pathname) ?? [];
    return route[2](ids, request.body, searchParams);
  }

  type Handler = (ids: readonly string[], body: any, query: URLSearchParams) => Reply | Promise<Reply>;
  const ROUTES: readonly (readonly [string, RegExp, Handler])[] = [
    ["GET", /^\/api\/internal_mcp_catalog$/, () => done(state.catalog())],
    ["POST", /^\/api\/internal_mcp_catalog$/, (_ids, body) => done(state.addItem(body))],
    ["DELETE", /^\/api\/internal_mcp_catalog\/([^/]+)$/, ([id]) => removed(state.removeItem(id ?? ""))],
    ["GET", /^\/api\/mcp_server$/, (_ids, _body, query) => done(findInstalls(query.get("catalogId")))],
    ["POST", /^\/api\/mcp_server$/, (_ids, body) => install(body)],
    ["DELETE", /^\/api\/mcp_server\/([^/]+)$/, ([id]) => removed(state.removeInstall(id ?? ""))],
    ["GET", /^\/api\/mcp_server\/([^/]+)\/tools$/, ([id]) => listTools(id ?? "")],
    ["POST", /^\/api\/mcp_server\/([^/]+)\/reload-tools$/, ([id]) => reload(id ?? "")],
    ["GET", /^\/api\/agents$/, (_ids, _body, query) => listGateways(query)],
    ["POST", /^\/api\/agents$/, (_ids, body) => addGateway(body)],
    ["POST", /^\/api\/agents\/tools\/bulk-assign$/, (_ids, body) => assign(body)],
    ["DELETE", /^\/api\/agents\/([^/]+)$/, ([id]) => removed(state.removeGateway(id ?? ""))],
    ["GET", /^\/api\/agents\/([^/]+)\/tools$/, ([id]) => gatewayTools(id ?? "")],
    [
      "DELETE",
      /^\/api\/agents\/([^/]+)\/tools\/([^/]+)$/,
      ([id, tool]) => removed(state.unassign(id ?? "", tool ?? "")),
    ],
    ["GET", /^\/api\/user-tokens\/me$/, () => makeToken()],
    ["GET", /^\/api\/user-tokens\/me\/value$/, () => showToken()],
  ];

  function findInstalls(catalogId: string | null) {
    return state.installs().filter((one) => catalogId === null || one.catalogId === catalogId);
  }

  /** Its row is there before it connects, and is taken back where it can't. */
  async function install(body: any): Promise<Reply> {
    const item = state.catalog().find(({ id }) => id === body.catalogId);
    if (item === undefined) return problem(400, "Catalog item not found");
    if (findInstalls(item.id).length > 0) {
      return problem(400, "This organization already has an installation of this MCP server");
    }
    const made = state.addInstall(body);
    const synced = await sync(made.id);
    if (synced !== null) return done(made);
    state.removeInstall(made.id, { withTools: true });
    return problem(500, `Failed to fetch tools from MCP server ${body.name}: fetch failed ${item.serverUrl}`);
  }

  async function reload(installId: string): Promise<Reply> {
    if (!state.installs().some(({ id }) => id === installId)) return problem(404, "MCP server not found");
    const synced = await sync(installId);
    return synced === null ? problem(500, "Failed to fetch tools from MCP server") : done(synced);
  }

  /** Connects to the server and keeps its tools; null where that fails. */
  async function sync(installId: string) {
    const found = state.connection(installId);
    try {
      await callMcp(found.serverUrl, found.accessToken, "initialize", {
        protocolVersion: "2025-11-25",
        capabilities: {},
        clientInfo: { name: "archestra-platform", version: "1.3.15" },
      });
      const { tools } = await callMcp(found.serverUrl, found.accessToken, "tools/list");
      return state.keepTools(installId, tools);
    } catch {
      return null;
    }
  }

  function listTools(installId: string): Reply {
    const found = state.installs().find(({ id }) => id === installId);
    return found === undefined ? problem(404, "MCP server not found") : done(state.toolsOf(found.catalogId));
  }

  function listGateways(query: URLSearchParams): Reply {
    const limit = Number(query.get("limit") ?? 20);
    const offset = Number(query.get("offset") ?? 0);
    if (limit > 100) return problem(400, "querystring/limit Too big: expected number to be <=100");
    const found = state.gateways().filter((one) => matchesLabels(one.labels, query.get("labels")));
    const data = found.slice(offset, offset + limit);
    return done({ data, pagination: { currentPage: 1, limit, total: found.length } });
  }

  function addGateway(body: any): Reply {
    const retired = version === "1.4" ? ["scope", "teams"].filter((field) => field in body) : [];
    if (retired.length > 0) return problem(400, `body/${retired[0]} This field is retired`);
    if (version === "1.3" && body.scope === undefined) return problem(400, "body/scope Invalid option");
    return done(state.addGateway(body));
  }

  function assign(body: any): Reply {
    const refusal = refusals.shift();
    const outcome = { succeeded: [] as unknown[], failed: [] as unknown[], duplicates: [] as unknown[] };
    for (const { agentId, toolId, mcpServerId } of body.assignments) {
      const became = refusal === undefined ? state.assign(agentId, toolId, mcpServerId) : refusal;
      if (became === "succeeded" || became === "duplicates") outcome[became].push({ agentId, toolId });
      else outcome.failed.push({ agentId, toolId, error: became });
    }
    return done(outcome);
  }

  function gatewayTools(id: string): Reply {
    const tools = state.toolsOfGateway(id);
    return tools === null ? problem(404, `Agent with ID ${id} not found`) : done(tools);
  }

  function makeToken(): Reply {
    if (userToken === null) return problem(403, "Forbidden");
    tokenMade = true;
    return done({ id: "token-1", name: "Personal Token", tokenStart: userToken.slice(0, 14) });
  }

  function showToken(): Reply {
    return userToken === null || !tokenMade ? problem(404, "Personal token not found") : done({ value: userToken });
  }

  async function runGateway(request: RecordedRequest, id: string): Promise<Reply> {
    const { accept = "", authorization } = request.headers;
    const tools = state.toolsOfGateway(id);
    if (authorization !== `Bearer ${userToken}` || tools === null) {
      return { status: 401, body: { error: { code: -32000, message: "Unauthorized" } } };
    }
    if (!accept.includes("application/json") || !accept.includes("text/event-stream")) {
      return { status: 406, body: { error: "Not Acceptable: Client must accept both" } };
    }
    const reply = await answerMcp(request, tools, (name, input) => proxy(name, input));
    if (gatewayAnswers === "json" || reply.body === undefined) return reply;
    const body = `event: message\ndata: ${JSON.stringify(reply.body)}\n\n`;
    return { ...reply, headers: { "Content-Type": "text/event-stream" }, body };
  }

  /** Calls the tool where it came from, by the name that it has there. */
  async function proxy(name: string, input: unknown): Promise<unknown> {
    const { serverUrl, accessToken, toolName } = state.origin(name);
    const { content } = await callMcp(serverUrl, accessToken, "tools/call", { name: toolName, arguments: input });
    return JSON.parse(content[0].text);
  }

  const server = await startFaultyServer({
    answer,
    errorBody: (status) => problem(status, status === 500 ? LEAKED_SQL : `the platform says ${status}`).body,
  });
  return {
    ...server,
    apiKey,
    catalog: state.catalog,
    installs: state.installs,
    gateways: state.gateways,
    seed: state.seed,
    upgrade(next) {
      version = next;
    },
    refuseAssignments(error, times = 1) {
      refusals = [...refusals, ...Array<string>(times).fill(error)];
    },
  };
}

function done(body: unknown): Reply {
  return { status: 200, body };
}

function removed(was: boolean): Reply {
  return was ? done({ success: true }) : problem(404, "not found");
}

function problem(status: number, message: string): Reply {
  return { status, body: { error: { message, type: ERROR_TYPES[status] ?? "api_internal_server_error" } } };
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: "api_validation_error",
  401: "api_authentication_error",
  403: "api_authorization_error",
  404: "api_not_found_error",
  409: "api_conflict_error",
};

/** `key1:a|b;key2:c`: every key, any of its values. */
function matchesLabels(labels: readonly { key: string; value: string }[], filter: string | null): boolean {
  if (filter === null) return true;
  return filter.split(";").every((part) => {
    const [key, values = ""] = part.split(":");
    return labels.some((label) => label.key === key && values.split("|").includes(label.value));
  });
}

function describeApi(version: ArchestraVersion): unknown {
  const name = { type: "string" };
  const properties = version === "1.3" ? { name, scope: name, teams: {} } : { name, initialGrants: { type: "array" } };
  const schema = { type: "object", properties };
  const post = { requestBody: { content: { "application/json": { schema } } } };
  return {
    openapi: "3.1.0",
    info: { title: "Archestra", version: `${version}.15` },
    paths: { "/api/agents": { post } },
  };
}
