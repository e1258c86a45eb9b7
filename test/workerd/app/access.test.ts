import { Validator } from "@cfworker/json-schema";
import { expect, test } from "vitest";
import type { Scope } from "../../../src/core/actor.ts";
import { SCOPES } from "../../../src/core/actor.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { type Answer, type CallOptions, createKey, createTestApp, newOwner, type TestApp } from "../../support/app.ts";
import { ECHO_API } from "../../support/graphs.ts";

const CALLERS = [
  "no key",
  "wrong key",
  "expired",
  "revoked",
  "other owner",
  "missing scope",
  "right scope",
  "admin",
] as const;
type Caller = (typeof CALLERS)[number];

/** What stands before a call that may change something: an owner with one thing of every kind. */
interface Fixture {
  readonly ownerId: string;
  readonly draftId: string;
  readonly serverId: string;
  readonly agentId: string;
  readonly runId: string;
  readonly keyId: string;
  readonly documentId: string;
}

interface Row {
  /** Null: open to anybody. */
  readonly scope: Scope | null;
  /** What must stand before the call, beside the fixture, and what must go after it. */
  readonly before?: (app: TestApp) => Promise<unknown>;
  readonly after?: (app: TestApp) => Promise<unknown>;
  /** Its clients expect another form than problem details. */
  readonly plainErrors?: true;
  /** Any key is let in: what it may do there is decided by each thing asked for. */
  readonly anyScope?: true;
  readonly request: (fixture: Fixture) => { readonly path: string } & CallOptions;
  readonly success: number;
  /** What a key of another owner with the right scope gets. */
  readonly otherOwner: number;
}

const json = (body: unknown): CallOptions => ({ body });
const open = (path: string, success = 200): Row => ({
  scope: null,
  request: () => ({ path }),
  success,
  otherOwner: success,
});
const admin = (path: string, success = 200): Row => ({
  scope: "admin",
  request: () => ({ path }),
  success,
  otherOwner: 403,
});
const CUSTOM_PROVIDER = {
  name: "custom",
  request: { method: "GET", url: "https://custom.example/search?q={{query}}" },
  answer: { results: "hits", title: "title", url: "url", content: "text" },
};
const answerCustom = async (url: string) => {
  if (!url.startsWith("https://custom.example/")) throw new TypeError("no network in this test");
  const hit = { title: "Cloudflare Workers", url: "https://example.com/workers", text: "About Cloudflare Workers." };
  return Response.json({ hits: [hit] });
};
const removeCustomProvider = (app: TestApp) => app.call("DELETE", "/search/providers/custom");
const agentBody = (f: Fixture) => ({
  ...ECHO_API,
  description: "",
  inputSchema: { type: "object" },
  metadata: {
    createdBy: "test",
    serverId: f.serverId,
    createdAt: new Date().toISOString(),
    ownerId: f.ownerId,
  },
});

const MATRIX: Readonly<Record<string, Row>> = {
  "GET /health": open("/health"),
  "GET /ready": open("/ready"),
  "GET /openapi.json": open("/openapi.json"),
  "GET /docs": open("/docs"),
  "POST /mcp": {
    scope: "servers:read",
    anyScope: true,
    request: () => ({ path: "/mcp", ...json({ jsonrpc: "2.0", id: 1, method: "tools/list" }) }),
    success: 200,
    otherOwner: 200,
  },
  "GET /.well-known/oauth-protected-resource": open("/.well-known/oauth-protected-resource"),
  "GET /.well-known/oauth-protected-resource/mcp": open("/.well-known/oauth-protected-resource/mcp"),
  "GET /.well-known/oauth-protected-resource/agents/{agentId}/mcp": open(
    "/.well-known/oauth-protected-resource/agents/agent_00000000000000000000000001/mcp",
  ),
  "GET /docs/tools": open("/docs/tools"),
  "GET /docs/tools.json": open("/docs/tools.json"),
  "PUT /secrets/{name}": {
    scope: "servers:write",
    request: (f) => ({ path: "/secrets/MATRIX_NEW", ...json({ value: "not told", ownerId: f.ownerId }) }),
    success: 201,
    otherOwner: 403,
  },
  "GET /secrets": {
    scope: "servers:read",
    request: (f) => ({ path: `/secrets?ownerId=${f.ownerId}` }),
    success: 200,
    otherOwner: 403,
  },
  "GET /secrets/{name}": {
    scope: "servers:read",
    request: (f) => ({ path: `/secrets/MATRIX?ownerId=${f.ownerId}` }),
    success: 200,
    otherOwner: 403,
  },
  "DELETE /secrets/{name}": {
    scope: "servers:write",
    request: (f) => ({ path: `/secrets/MATRIX?ownerId=${f.ownerId}` }),
    success: 204,
    otherOwner: 403,
  },
  "GET /mcp/servers/{serverId}/runs": {
    scope: "servers:read",
    request: (f) => ({ path: `/mcp/servers/${f.serverId}/runs` }),
    success: 200,
    otherOwner: 404,
  },
  "POST /mcp/servers/{serverId}/run": {
    scope: "agents:run",
    request: (f) => ({ path: `/mcp/servers/${f.serverId}/run`, ...json({ input: {} }) }),
    success: 200,
    otherOwner: 404,
  },
  "GET /mcp/templates": open("/mcp/templates"),
  "GET /mcp/templates/{template}": open("/mcp/templates/login-api"),
  "POST /mcp/servers": {
    scope: "servers:write",
    request: (f) => ({ path: "/mcp/servers", ...json({ ...ECHO_API, ownerId: f.ownerId }) }),
    success: 201,
    otherOwner: 403,
  },
  "GET /mcp/servers": {
    scope: "servers:read",
    request: (f) => ({ path: `/mcp/servers?ownerId=${f.ownerId}` }),
    success: 200,
    otherOwner: 403,
  },
  "GET /mcp/servers/{serverId}": {
    scope: "servers:read",
    request: (f) => ({ path: `/mcp/servers/${f.serverId}` }),
    success: 200,
    otherOwner: 404,
  },
  "GET /mcp/servers/{serverId}/tools": {
    scope: "servers:read",
    request: (f) => ({ path: `/mcp/servers/${f.serverId}/tools` }),
    success: 200,
    otherOwner: 404,
  },
  "GET /mcp/servers/{serverId}/logs": {
    scope: "servers:read",
    request: (f) => ({ path: `/mcp/servers/${f.serverId}/logs` }),
    success: 200,
    otherOwner: 404,
  },
  "GET /mcp/servers/{serverId}/status": {
    scope: "servers:read",
    request: (f) => ({ path: `/mcp/servers/${f.serverId}/status` }),
    success: 200,
    otherOwner: 404,
  },
  "POST /mcp/servers/{serverId}/deploy": {
    scope: "deploy",
    request: (f) => ({ path: `/mcp/servers/${f.draftId}/deploy`, ...json({ ownerId: f.ownerId }) }),
    success: 200,
    otherOwner: 403,
  },
  "PUT /mcp/servers/{serverId}": {
    scope: "servers:write",
    request: (f) => ({ path: `/mcp/servers/${f.serverId}`, ...json({ ...ECHO_API, version: 1 }) }),
    success: 200,
    otherOwner: 404,
  },
  "PATCH /mcp/servers/{serverId}": {
    scope: "servers:write",
    request: (f) => ({ path: `/mcp/servers/${f.serverId}`, ...json({ name: "Renamed", version: 1 }) }),
    success: 200,
    otherOwner: 404,
  },
  "DELETE /mcp/servers/{serverId}": {
    scope: "servers:write",
    request: (f) => ({ path: `/mcp/servers/${f.draftId}` }),
    success: 204,
    otherOwner: 404,
  },
  "GET /mcp/servers/{serverId}/versions": {
    scope: "servers:read",
    request: (f) => ({ path: `/mcp/servers/${f.serverId}/versions` }),
    success: 200,
    otherOwner: 404,
  },
  "GET /mcp/servers/{serverId}/versions/{version}": {
    scope: "servers:read",
    request: (f) => ({ path: `/mcp/servers/${f.serverId}/versions/1` }),
    success: 200,
    otherOwner: 404,
  },
  "PUT /mcp/servers/{serverId}/deploy": {
    scope: "deploy",
    request: (f) => ({ path: `/mcp/servers/${f.serverId}/deploy`, ...json({}) }),
    success: 200,
    otherOwner: 404,
  },
  "POST /mcp/servers/{serverId}/rollback": {
    scope: "deploy",
    request: (f) => ({ path: `/mcp/servers/${f.serverId}/rollback`, ...json({ version: 1 }) }),
    success: 200,
    otherOwner: 404,
  },
  "DELETE /mcp/servers/{serverId}/deploy": {
    scope: "deploy",
    request: (f) => ({ path: `/mcp/servers/${f.serverId}/deploy` }),
    success: 200,
    otherOwner: 404,
  },
  "POST /mcp/agents": {
    scope: "deploy",
    request: (f) => ({ path: "/mcp/agents", ...json(agentBody(f)) }),
    success: 200,
    otherOwner: 403,
  },
  "GET /mcp/agents": {
    scope: "servers:read",
    request: (f) => ({ path: `/mcp/agents?serverId=${f.serverId}` }),
    success: 200,
    otherOwner: 404,
  },
  "GET /mcp/agents/{agentId}": {
    scope: "servers:read",
    request: (f) => ({ path: `/mcp/agents/${f.agentId}` }),
    success: 200,
    otherOwner: 404,
  },
  "PUT /mcp/agents/{agentId}": {
    scope: "deploy",
    request: (f) => ({ path: `/mcp/agents/${f.agentId}`, ...json(agentBody(f)) }),
    success: 200,
    otherOwner: 403,
  },
  "DELETE /mcp/agents/{agentId}": {
    scope: "deploy",
    request: (f) => ({ path: `/mcp/agents/${f.agentId}` }),
    success: 204,
    otherOwner: 404,
  },
  "POST /agents/{agentId}": {
    scope: "agents:run",
    request: (f) => ({ path: `/agents/${f.agentId}`, ...json({ a: 1 }) }),
    success: 200,
    otherOwner: 404,
  },
  "POST /agents/{agentId}/mcp": {
    scope: "agents:run",
    request: (f) => ({ path: `/agents/${f.agentId}/mcp`, ...json({ jsonrpc: "2.0", id: 1, method: "tools/list" }) }),
    success: 200,
    otherOwner: 404,
  },
  "GET /agents/{agentId}/runs": {
    scope: "servers:read",
    request: (f) => ({ path: `/agents/${f.agentId}/runs` }),
    success: 200,
    otherOwner: 404,
  },
  "GET /agents/{agentId}/runs/{runId}": {
    scope: "servers:read",
    request: (f) => ({ path: `/agents/${f.agentId}/runs/${f.runId}` }),
    success: 200,
    otherOwner: 404,
  },
  "POST /search": {
    scope: "search",
    request: () => ({ path: "/search", ...json({ query: "anything" }) }),
    success: 200,
    otherOwner: 200,
  },
  "GET /search": {
    scope: "search",
    request: () => ({ path: "/search?q=anything" }),
    success: 200,
    otherOwner: 200,
  },
  "POST /v1/search": {
    scope: "search",
    request: () => ({ path: "/v1/search", ...json({ query: "tides" }) }),
    success: 200,
    otherOwner: 200,
    plainErrors: true,
  },
  "POST /tavily/search": {
    scope: "search",
    request: () => ({ path: "/tavily/search", ...json({ query: "tides" }) }),
    success: 200,
    otherOwner: 200,
    plainErrors: true,
  },
  "GET /search/providers": admin("/search/providers"),
  "POST /search/providers": {
    ...admin("/search/providers", 201),
    request: () => ({ path: "/search/providers", ...json(CUSTOM_PROVIDER) }),
    after: removeCustomProvider,
  },
  "PUT /search/providers/{name}": {
    ...admin("/search/providers/jina"),
    request: () => ({ path: "/search/providers/jina", ...json({ enabled: true }) }),
  },
  "DELETE /search/providers/{name}": {
    ...admin("/search/providers/custom", 204),
    before: (app) => app.call("POST", "/search/providers", { body: CUSTOM_PROVIDER }),
    after: removeCustomProvider,
  },
  "GET /search/cache": admin("/search/cache"),
  "DELETE /search/cache": admin("/search/cache"),
  "GET /metrics": admin("/metrics"),
  "PUT /search/documents": {
    scope: "search",
    request: (f) => ({
      path: "/search/documents",
      ...json({ ownerId: f.ownerId, documents: [{ url: "https://example.com/a", title: "A", content: "text" }] }),
    }),
    success: 200,
    otherOwner: 403,
  },
  "DELETE /search/documents/{id}": {
    scope: "search",
    request: (f) => ({ path: `/search/documents/${f.documentId}?ownerId=${f.ownerId}` }),
    success: 204,
    otherOwner: 403,
  },
  "POST /webhooks/deploy": {
    ...open("/webhooks/deploy", 503),
    request: () => ({ path: "/webhooks/deploy", body: {} }),
  },
  "POST /webhooks/github/{serverId}": open("/webhooks/github/mcp_1", 503),
  "POST /keys": {
    scope: "admin",
    request: (f) => ({ path: "/keys", ...json({ ownerId: f.ownerId, name: "n", scopes: ["search"] }) }),
    success: 201,
    otherOwner: 403,
  },
  "GET /keys": {
    scope: "servers:read",
    request: (f) => ({ path: `/keys?ownerId=${f.ownerId}` }),
    success: 200,
    otherOwner: 403,
  },
  "DELETE /keys/{keyId}": {
    scope: "servers:write",
    request: (f) => ({ path: `/keys/${f.keyId}` }),
    success: 204,
    otherOwner: 404,
  },
  "POST /admin/jobs/{job}": {
    scope: "admin",
    request: () => ({ path: "/admin/jobs/reconcile-deployments" }),
    success: 200,
    otherOwner: 403,
  },
};

/** The agent is not public, so that the matrix says who may run it. */
async function createFixture(app: TestApp): Promise<Fixture> {
  const ownerId = newOwner();
  const create = async () =>
    (await app.call("POST", "/mcp/servers", { body: { ...ECHO_API, ownerId, access: "key" } })).body.serverId;
  const [draftId, serverId] = [await create(), await create()];
  const { agentId } = (await app.call("POST", `/mcp/servers/${serverId}/deploy`, { body: { ownerId } })).body;
  const run = await app.call("POST", `/agents/${agentId}`, { body: {} });
  await app.settle();
  const { id: keyId } = await createKey(app, ownerId, ["search"]);
  await app.call("PUT", "/secrets/MATRIX", { body: { ownerId, value: "not told" } });
  const stored = await app.call("PUT", "/search/documents", {
    body: { ownerId, documents: [{ url: "https://example.com/fixture", title: "Fixture", content: "text" }] },
  });
  return {
    ownerId,
    draftId,
    serverId,
    agentId,
    runId: run.headers.get("x-run-id") ?? "",
    keyId,
    documentId: stored.body.ids[0],
  };
}

async function keyOf(
  caller: Caller,
  app: TestApp,
  ownerId: string,
  scope: Scope,
  passTime: (ms: number) => void,
): Promise<string | null | undefined> {
  const ownersScopes = SCOPES.filter((s) => s !== "admin");
  switch (caller) {
    case "no key":
      return null;
    case "wrong key":
      return `orx_00_${"x".repeat(43)}`;
    case "expired": {
      const expiresAt = new Date(Date.now() + 60_000).toISOString();
      const { key } = await createKey(app, ownerId, ownersScopes, { expiresAt });
      passTime(61_000);
      return key;
    }
    case "revoked": {
      const { id, key } = await createKey(app, ownerId, ownersScopes);
      expect((await app.call("GET", "/mcp/servers", { key })).status).toBe(200);
      expect((await app.call("DELETE", `/keys/${id}`)).status).toBe(204);
      return key;
    }
    case "other owner":
      return (await createKey(app, newOwner(), ownersScopes)).key;
    case "missing scope":
      return (
        await createKey(
          app,
          ownerId,
          ownersScopes.filter((s) => s !== scope),
        )
      ).key;
    case "right scope":
      return (await createKey(app, ownerId, [scope])).key;
    case "admin":
      return undefined;
  }
}

function expected(row: Row, caller: Caller): number {
  if (row.scope === null) return row.success;
  switch (caller) {
    case "no key":
    case "wrong key":
    case "expired":
    case "revoked":
      return 401;
    case "other owner":
      return row.otherOwner;
    case "missing scope":
      return row.anyScope ? row.success : 403;
    case "right scope":
    case "admin":
      return row.success;
  }
}

test("every route of the description has its row in the matrix, and every row its route", async () => {
  const { body } = await createTestApp().call("GET", "/openapi.json");
  const described = Object.entries(body.paths as Record<string, object>).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(described.sort()).toEqual(Object.keys(MATRIX).sort());
});

/** What the description promises of an answer, against what came. */
function describedFaults(api: any, route: string, answer: Answer): readonly unknown[] {
  const [method = "", path = ""] = route.split(" ");
  const response = api.paths[path][method.toLowerCase()].responses[String(answer.status)];
  expect(response, `${route} ${answer.status} is described`).toBeDefined();
  const schema = response.content?.["application/json"]?.schema;
  if (schema === undefined) return [];
  const validator = new Validator({ ...schema, components: api.components }, "2020-12", false);
  return validator.validate(answer.body).errors;
}

const seen: Record<string, Record<string, number>> = {};
let api: any = null;

test.each(Object.entries(MATRIX))("%s lets in whom it should", async (route, row) => {
  const [method = ""] = route.split(" ");
  const got: Record<string, number> = {};
  const wanted: Record<string, number> = {};
  let fixture: Fixture | null = null;
  for (const caller of CALLERS) {
    let offsetMs = 0;
    const app = createTestApp({ clock: { ...systemClock, now: () => Date.now() + offsetMs }, fetch: answerCustom });
    fixture ??= await createFixture(app);
    const key = await keyOf(caller, app, fixture.ownerId, row.scope ?? "search", (ms) => {
      offsetMs += ms;
    });
    const { path, ...options } = row.request(fixture);
    await row.before?.(app);
    const answer = await app.call(method, path, { ...options, ...(key === undefined ? {} : { key }) });
    await row.after?.(app);
    if (caller === "right scope") {
      api ??= (await app.call("GET", "/openapi.json")).body;
      expect(describedFaults(api, route, answer)).toEqual([]);
    }
    got[caller] = answer.status;
    wanted[caller] = expected(row, caller);
    const errorType = row.plainErrors ? "application/json" : "application/problem+json";
    if (answer.status >= 400) expect(answer.headers.get("content-type")).toBe(errorType);
    if (answer.status === 401) expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
    // Who was refused left what the next one needs; who got in may have changed it.
    if (row.scope !== null && answer.status < 400) fixture = null;
  }
  seen[route] = got;
  expect(got).toEqual(wanted);
});

test("the matrix as it was seen", () => {
  const width = Math.max(...Object.keys(seen).map((route) => route.length));
  const lines = Object.entries(seen).map(
    ([route, got]) => `${route.padEnd(width)} ${CALLERS.map((caller) => String(got[caller]).padStart(13)).join("")}`,
  );
  console.log([`${"".padEnd(width)} ${CALLERS.map((c) => c.padStart(13)).join("")}`, ...lines].join("\n"));
  expect(Object.keys(seen)).toEqual(Object.keys(MATRIX));
});

test("a public agent runs for anybody, whatever credential the caller carries", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const created = await app.call("POST", "/mcp/servers", { body: { ...ECHO_API, ownerId } });
  const { endpoint } = (await app.call("POST", `/mcp/servers/${created.body.serverId}/deploy`, { body: { ownerId } }))
    .body;
  const keys = [null, "somebody-elses-token", "eyJhbGciOiJIUzI1NiJ9.e30.x", `orx_00_${"x".repeat(43)}`];
  for (const key of keys) expect((await app.call("POST", endpoint, { key, body: {} })).status).toBe(200);
});

test("whoever sends a key that is none is told so where one is needed, and who sends none is asked for one", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const created = await app.call("POST", "/mcp/servers", { body: { ...ECHO_API, access: "key", ownerId } });
  const { endpoint } = (await app.call("POST", `/mcp/servers/${created.body.serverId}/deploy`, { body: { ownerId } }))
    .body;
  const { id, key: revoked } = await createKey(app, ownerId, ["agents:run"]);
  await app.call("DELETE", `/keys/${id}?ownerId=${ownerId}`);
  const jwt = "eyJhbGciOiJIUzI1NiJ9.e30.x";
  for (const path of [endpoint, `${endpoint}/mcp`, "/mcp"]) {
    const body = { jsonrpc: "2.0", id: 1, method: "tools/list" };
    for (const key of [revoked, "somebody-elses-token", jwt, `orx_00_${"x".repeat(43)}`]) {
      for (const sent of [{ key }, { key: null, headers: { "X-API-Key": key } }]) {
        const answer = await app.call("POST", path, { ...sent, body });
        expect([answer.status, answer.body.detail]).toEqual([401, "this key is unknown, expired or revoked"]);
      }
    }
    const { status, body: problem } = await app.call("POST", path, { key: null, body });
    expect([status, problem.detail]).toEqual([401, expect.stringMatching(/^send a key as 'Authorization: Bearer/)]);
  }
});

test("the admin key has to name an owner where something is created or listed", async () => {
  const app = createTestApp();
  for (const [method, path, body] of [
    ["POST", "/mcp/servers", ECHO_API],
    ["GET", "/mcp/servers", undefined],
    ["GET", "/keys", undefined],
    ["PUT", "/search/documents", { documents: [{ url: "https://example.com", title: "t", content: "c" }] }],
  ] as const) {
    const answer = await app.call(method, path, body === undefined ? {} : { body });
    expect(answer.body.errors?.[0]?.path, `${method} ${path}`).toBe("ownerId");
  }
});

test("a listed key never shows its secret, and only a hash of it is stored", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const { id, key } = await createKey(app, ownerId, ["servers:read"]);
  const listed = await app.call("GET", "/keys", { key });
  expect(listed.body.items.map((item: { id: string }) => item.id)).toEqual([id]);
  const shard = key.split("_")[1] ?? "";
  const stored = await app.documents.find(
    { kind: "system", name: "keys", partition: `keys:${shard}` },
    { filter: { ownerId }, limit: 10 },
  );
  expect(stored).toHaveLength(1);
  expect(listed.text + JSON.stringify(stored) + app.logs.join("")).not.toContain(key.slice(7));
});

test("an owner in the query that is not the key's is refused on every route, also where none is taken there", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const { key } = await createKey(app, ownerId, ["search", "deploy"]);
  const routes: readonly (readonly [string, string, unknown])[] = [
    ["POST", "/search", { query: "what is MCP?" }],
    ["PUT", "/search/documents", { documents: [{ url: "https://example.com/", title: "a", content: "b" }] }],
    ["POST", "/mcp/servers/none/deploy", { ownerId }],
    ["POST", "/mcp/servers/none/rollback", { ownerId, version: 1 }],
  ];
  for (const [method, path, body] of routes) {
    const foreign = await app.call(method, `${path}?ownerId=${newOwner()}`, { key, body });
    expect([path, foreign.status, foreign.body.code]).toEqual([path, 403, "FORBIDDEN"]);
    const own = await app.call(method, `${path}?ownerId=${ownerId}`, { key, body });
    expect([path, own.status]).not.toEqual([path, 403]);
  }
});

test("without an admin key only the open routes answer", async () => {
  const app = createTestApp({ variables: { ADMIN_API_KEY: "" } });
  expect((await app.call("GET", "/health")).status).toBe(200);
  expect((await app.call("GET", "/keys?ownerId=x")).status).toBe(401);
});
