import { Hono } from "hono";
import { type Actor, authorize, authorizeOwner, type Call, mayAccess, type Scope } from "../../../src/core/actor.ts";
import { notFound, StorageUnavailable } from "../../../src/core/errors.ts";
import { err, ok, type Result } from "../../../src/core/result.ts";
import type { TraceHeaders } from "../../../src/core/trace-context.ts";
import type { AppEnv } from "../../../src/http/context.ts";
import { mountEndpoints } from "../../../src/http/endpoint.ts";
import { createNotFound } from "../../../src/http/middleware/not-found.ts";
import { toPage } from "../../../src/http/schemas.ts";
import type { DeployPhase, ProductMcpDeps, RunOrder } from "../../../src/mcp/deps.ts";
import { createProductMcpEndpoints } from "../../../src/mcp/product-endpoint.ts";
import { createMcpServing } from "../../../src/mcp/serving.ts";
import { toolRegistry } from "../../../src/runtime/registry.ts";
import { testRunAnswer } from "../../../src/runtime/test-run-routes.ts";
import { describeTools } from "../../../src/runtime/tools-page.ts";
import type { ServerRecord } from "../../../src/servers/contract.ts";
import { type LogEvent, logEventSchema } from "../../../src/servers/execution-log.ts";
import { ECHO_API } from "../../support/graphs.ts";

export const ORIGIN = "https://orchestrix.test";
const BODY_LIMIT = 8_192;
export const RUN_ID = "run_00000000000000000000000001";
const NOW = "2026-02-13T10:30:00.000Z";

export const ALL_SCOPES: readonly Scope[] = ["servers:read", "servers:write", "deploy", "search", "agents:run"];

export function keyOf(ownerId: string, ...scopes: readonly Scope[]): Actor {
  return { kind: "key", id: `key_${ownerId}`, ownerId, scopes: new Set(scopes) };
}

/** By the key that each sends. */
const ACTORS: Readonly<Record<string, Actor>> = {
  orx_all: keyOf("user-1", ...ALL_SCOPES),
  orx_other: keyOf("user-2", ...ALL_SCOPES),
  orx_reader: keyOf("user-1", "servers:read"),
  orx_searcher: keyOf("user-1", "search"),
  orx_admin: { kind: "admin", id: "admin" },
};

export function recordOf(serverId: string, ownerId = "user-1"): ServerRecord {
  return {
    serverId,
    ownerId,
    name: `Server ${serverId}`,
    description: "",
    tools: ECHO_API.tools.map((tool) => ({ config: {}, ...tool })),
    executionOrder: ECHO_API.executionOrder,
    inputSchema: { type: "object" },
    access: "public",
    policy: {},
    version: 1,
    createdAt: NOW,
    updatedAt: NOW,
    deployment: { state: "draft", target: null, version: null, error: null },
    archestraAgentId: null,
    archestraEndpoint: null,
    archestraDashboardUrl: null,
    archestraDeployedAt: null,
  };
}

function eventOf(serverId: string, at: number): LogEvent {
  const [ownerId, actor, requestId] = ["user-1", "key_user-1", "req_1"];
  const message = `Event ${at}`;
  return {
    id: `log_${at}`,
    serverId,
    ownerId,
    type: "run_complete",
    timestamp: NOW,
    message,
    actor,
    requestId,
    data: {},
  };
}

/**
 * `/mcp` over the verbs of one owner's servers, which look at scope and owner as the services do. `broken` makes every
 * verb throw.
 */
export function createProductScene(
  options: {
    readonly serverIds?: readonly string[];
    readonly broken?: Error;
    readonly phases?: readonly DeployPhase[];
  } = {},
) {
  const { serverIds = ["mcp_1"], broken, phases = [] } = options;
  const records = serverIds.map((serverId) => recordOf(serverId));
  const runs: (RunOrder & { readonly trace: TraceHeaders | null })[] = [];
  const lines: string[] = [];

  async function find(call: Call, scope: Scope, serverId: string, ownerId?: string): Promise<Result<ServerRecord>> {
    if (broken !== undefined) throw broken;
    const access = authorize(call.actor, scope, ownerId);
    if (!access.ok) return access;
    const record = records.find((known) => known.serverId === serverId);
    return record !== undefined && mayAccess(access.value, record.ownerId) ? ok(record) : notFound("server");
  }

  const deps: Omit<ProductMcpDeps, "serving"> = {
    version: "1.2.3",
    async search(call, request, ownerId) {
      if (broken !== undefined) throw broken;
      const access = authorize(call.actor, "search", ownerId);
      if (!access.ok) return access;
      if (request.query === "nothing answers") {
        return err({ code: "SEARCH_UNAVAILABLE", detail: "no provider answered", attempts: [], retryAfterSeconds: 5 });
      }
      const result = { title: "T", url: "https://e.example/", content: request.query, score: 0.5 };
      return ok({
        query: request.query,
        results: [{ ...result, publishedDate: null, provider: "tavily" }],
        answer: null,
        provider: "tavily",
        degraded: false,
        cache: { status: "miss", ageSeconds: 0 },
        attempts: [{ provider: "tavily", outcome: "ok", reason: null, httpStatus: 200, durationMs: 12.5 }],
        requestId: call.requestId,
        tookMs: 13,
      });
    },
    servers: {
      async list(call, { ownerId, limit, cursor, state }) {
        if (broken !== undefined) throw broken;
        const owner = authorizeOwner(call.actor, "servers:read", ownerId);
        if (!owner.ok) return owner;
        const own = records.filter(
          (record) =>
            record.ownerId === owner.value &&
            (cursor === undefined || record.serverId > cursor) &&
            (state === undefined || record.deployment.state === state),
        );
        return ok(toPage(own.slice(0, limit + 1), limit, ({ serverId }) => serverId));
      },
      get: (call, serverId, ownerId) => find(call, "servers:read", serverId, ownerId),
      async logs(call, serverId, { limit, ownerId }) {
        const record = await find(call, "servers:read", serverId, ownerId);
        if (!record.ok) return record;
        const events = Array.from({ length: limit + 1 }, (_, at) => eventOf(serverId, at));
        return ok(toPage(events, limit, ({ id }) => id));
      },
    },
    deploys: {
      async deploy(call, serverId, { ownerId, target = "edge" }, onProgress) {
        const record = await find(call, "deploy", serverId, ownerId);
        if (!record.ok) return record;
        const agentId = "agent_00000000000000000000000001";
        const endpoint = `${ORIGIN}/agents/${agentId}`;
        const dashboardUrl = `${ORIGIN}/dashboard/agents/${agentId}`;
        const { deployment } = record.value;
        if (deployment.state === "deployed") {
          return err({ code: "ALREADY_DEPLOYED", detail: "already", agentId, endpoint, dashboardUrl });
        }
        for (const phase of phases) onProgress?.(phase);
        Object.assign(deployment, { state: "deployed", target, version: 1 });
        const answer = { success: true, serverId, agentId, endpoint, dashboardUrl, deployedAt: NOW, target } as const;
        return ok({ ...answer, version: 1 });
      },
      async undeploy(call, serverId, { ownerId }) {
        const record = await find(call, "deploy", serverId, ownerId);
        if (!record.ok) return record;
        if (record.value.deployment.state !== "deployed") return err({ code: "NOT_DEPLOYED", detail: "not deployed" });
        Object.assign(record.value.deployment, { state: "draft", target: null, version: null });
        return ok({ success: true, serverId });
      },
      async status(call, serverId, ownerId) {
        const record = await find(call, "servers:read", serverId, ownerId);
        if (!record.ok) return record;
        const { deployment, version } = record.value;
        return ok({
          serverId,
          state: deployment.state,
          target: deployment.target,
          version,
          agentId: null,
          endpoint: null,
          dashboardUrl: null,
          deployedAt: null,
          lastError: deployment.error,
          runs: { total: 0, failed: 0, p50Ms: null, p99Ms: null },
        });
      },
    },
    async runServer(call, serverId, order) {
      const record = await find(call, "agents:run", serverId, order.ownerId);
      if (!record.ok) return record;
      runs.push({ ...order, trace: call.trace?.() ?? null });
      const success = order.input !== "fail";
      const status = success ? 200 : 400;
      const trace = {
        runId: RUN_ID,
        agentId: null,
        serverId,
        version: 1,
        requestId: call.requestId,
        traceId: null,
        trigger: "test",
        dryRun: order.dryRun,
        outcome: "ok",
        status,
        startedAt: NOW,
        durationMs: 1.5,
        error: null,
        steps: [],
      } as const;
      return ok({ success, status, headers: {}, output: { got: order.input }, error: null, trace });
    },
    schemas: { runAnswer: testRunAnswer, logEvent: logEventSchema },
    graphTools: () => describeTools(toolRegistry),
  };

  const log = {
    debug() {},
    info() {},
    warn: (event: string) => lines.push(event),
    error: (event: string) => lines.push(event),
  };
  const serving = createMcpServing({ publicUrl: ORIGIN, allowedOrigins: [], log });
  const endpoints = createProductMcpEndpoints({ ...deps, serving });
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set("requestId", "req_test");
    c.set("origin", ORIGIN);
    c.set("trustsForwardedAddress", true);
    c.set("event", {});
    c.set("actor", { kind: "anonymous", id: "anonymous" });
    await next();
  });
  app.route(
    "/",
    mountEndpoints(
      endpoints,
      async (c) => {
        const actor = ACTORS[c.req.header("authorization")?.replace("Bearer ", "") ?? ""];
        if (actor !== undefined) c.set("actor", actor);
        return ok(null);
      },
      BODY_LIMIT,
    ),
  );
  app.notFound(createNotFound(endpoints.map((e) => e.spec)));
  return { app, records, runs, lines, fetch: (request: Request) => app.fetch(request) };
}

export const STORE_DOWN = new StorageUnavailable("mongodb://user:hunter2@db.example");
