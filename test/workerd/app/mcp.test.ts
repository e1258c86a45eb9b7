import { expect, test } from "vitest";
import { SCOPES, type Scope } from "../../../src/core/actor.ts";
import { type Answer, type CallOptions, createKey, createTestApp, newOwner, type TestApp } from "../../support/app.ts";
import { ECHO_API } from "../../support/graphs.ts";

const PUBLIC_URL = "https://orx.example.com";
const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list" };
const REVISION = "2026-07-28";

/** A message of the revision without sessions, which says in itself what it is. */
function modern(message: object, revision = REVISION) {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": revision,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  return { ...message, params: { _meta } };
}

const post = (app: TestApp, path: string, body: unknown, { headers = {}, ...options }: CallOptions = {}) =>
  app.call("POST", path, {
    ...options,
    body,
    headers: { Accept: "application/json, text/event-stream", ...headers },
  });

const callTool = (app: TestApp, key: string, name: string, args: object) =>
  post(app, "/mcp", { ...LIST, method: "tools/call", params: { name, arguments: args } }, { key });

async function createAgent(app: TestApp, access: "public" | "key") {
  const ownerId = newOwner();
  const created = await app.call("POST", "/mcp/servers", { body: { ...ECHO_API, ownerId, access } });
  const { serverId } = created.body;
  const deployed = await app.call("POST", `/mcp/servers/${serverId}/deploy`, { body: { ownerId } });
  expect(deployed.status, deployed.text).toBe(200);
  return { ownerId, serverId, path: `/agents/${deployed.body.agentId}/mcp` };
}

/** Both MCP servers, and how each is reached by who may. */
async function everyServer(app: TestApp) {
  const agent = await createAgent(app, "public");
  return ["/mcp", agent.path];
}

const SEEN: Readonly<Record<Scope, readonly string[]>> = {
  search: ["web_search"],
  "servers:read": ["list_servers", "get_server", "get_server_status", "get_logs"],
  "servers:write": [],
  deploy: ["deploy_server", "undeploy_server"],
  "agents:run": ["run_server"],
  admin: [
    "web_search",
    "list_servers",
    "get_server",
    "get_server_status",
    "deploy_server",
    "undeploy_server",
    "run_server",
    "get_logs",
  ],
};

test.each(SCOPES)("a key with the scope %s alone sees its tools, and may call no others", async (scope) => {
  const app = createTestApp();
  const { ownerId, serverId } = await createAgent(app, "public");
  const { key } = await createKey(app, ownerId, [scope]);
  const listed = await post(app, "/mcp", LIST, { key });
  expect(listed.body.result.tools.map(({ name }: { name: string }) => name)).toEqual(SEEN[scope]);
  for (const name of SEEN.admin.filter((tool) => !SEEN[scope].includes(tool))) {
    const args = name === "web_search" ? { query: "tides" } : name === "list_servers" ? {} : { serverId };
    const { result } = (await callTool(app, key, name, args)).body;
    expect([name, result.isError, JSON.parse(result.content[0].text).code]).toEqual([name, true, "FORBIDDEN"]);
  }
});

test("a key reaches its own owner's servers alone, by tool, resource and prompt", async () => {
  const app = createTestApp();
  const { serverId } = await createAgent(app, "public");
  const { key } = await createKey(app, newOwner(), ["servers:read", "deploy", "agents:run"]);
  for (const name of ["get_server", "get_server_status", "get_logs", "undeploy_server", "run_server"]) {
    const { result } = (await callTool(app, key, name, { serverId })).body;
    expect([name, JSON.parse(result.content[0].text).code]).toEqual([name, "NOT_FOUND"]);
  }
  const uri = `orchestrix://servers/${serverId}`;
  const read = await post(app, "/mcp", { ...LIST, method: "resources/read", params: { uri } }, { key });
  expect(read.body.error.data).toEqual({ uri });
  const params = { name: "diagnose_server", arguments: { serverId } };
  const prompt = await post(app, "/mcp", { ...LIST, method: "prompts/get", params }, { key });
  expect(prompt.body).toMatchObject({ error: { code: -32_602 } });
});

test("who has no key is told where the resource is described, and finds it there", async () => {
  const app = createTestApp({ variables: { PUBLIC_URL } });
  const { path: agent } = await createAgent(app, "key");
  for (const path of ["/mcp", agent]) {
    for (const key of [null, "orx_wrong"]) {
      const refused = await post(app, `${PUBLIC_URL}${path}`, LIST, { key });
      expect([refused.status, refused.body.code]).toEqual([401, "UNAUTHENTICATED"]);
      const challenge = refused.headers.get("www-authenticate") ?? "";
      const [, url = ""] = /^Bearer .*resource_metadata="([^"]+)"/.exec(challenge) ?? [];
      expect(url).toBe(`${PUBLIC_URL}/.well-known/oauth-protected-resource${path}`);
      const described = await app.call("GET", url, { key: null });
      expect(described.status).toBe(200);
      expect(described.body).toMatchObject({
        resource: `${PUBLIC_URL}${path}`,
        bearer_methods_supported: ["header"],
      });
    }
  }
});

test("another host than PUBLIC_URL's, and a page of another origin, are refused before anything is looked at", async () => {
  const app = createTestApp({ variables: { PUBLIC_URL, CORS_ORIGINS: "https://app.example" } });
  const from = (Origin: string) => ({ headers: { Origin } });
  for (const path of await everyServer(app)) {
    const statuses = async (base: string, ...all: (CallOptions | undefined)[]) =>
      (await Promise.all(all.map((options) => post(app, `${base}${path}`, LIST, options)))).map(({ status }) => status);
    const rebound = "http://rebound.example";
    expect(await statuses(rebound, undefined, from(rebound), from("https://app.example"), { key: null })).toEqual([
      403, 403, 403, 403,
    ]);
    expect(
      await statuses(PUBLIC_URL, undefined, from(PUBLIC_URL), from("https://app.example"), from(rebound), from("null")),
    ).toEqual([200, 200, 200, 403, 403]);
    expect(await statuses("http://127.0.0.1:8787", undefined, from(rebound))).toEqual([200, 403]);
  }
});

test("GET and DELETE answer 405 for everybody: there are no sessions", async () => {
  const app = createTestApp();
  for (const path of await everyServer(app)) {
    for (const method of ["GET", "DELETE"]) {
      for (const key of [null, undefined]) {
        const options = { headers: { Accept: "text/event-stream" }, ...(key === null ? { key } : {}) };
        const refused = await app.call(method, path, options);
        expect([refused.status, refused.headers.get("allow")]).toEqual([405, "POST"]);
      }
    }
  }
});

const HEADERS = { "MCP-Protocol-Version": REVISION, "Mcp-Method": "tools/list" };

type Refused = [string, unknown, Record<string, string>, number, number];

test.each<Refused>([
  ["a batch", [LIST, LIST], {}, 400, -32_600],
  ["a batch of one", [modern(LIST)], HEADERS, 400, -32_600],
  ["an empty batch", [], {}, 400, -32_600],
  [
    "a revision that is none",
    modern(LIST, "1999-01-01"),
    { ...HEADERS, "MCP-Protocol-Version": "1999-01-01" },
    400,
    -32_022,
  ],
  [
    "a revision that is none, named in the header alone",
    LIST,
    { ...HEADERS, "MCP-Protocol-Version": "1999-01-01" },
    400,
    -32_000,
  ],
  ...["2027-01-01", "bogus"].map(
    (revision): Refused => [
      `the later revision ${revision}, named in the header alone`,
      LIST,
      { ...HEADERS, "MCP-Protocol-Version": revision },
      400,
      -32_602,
    ],
  ),
  ["a message of 2025 for who takes no JSON", LIST, { Accept: "text/html" }, 406, -32_000],
  ["a body of another type", LIST, { "Content-Type": "text/plain" }, 415, -32_000],
  ["another revision in the header", modern(LIST), { ...HEADERS, "MCP-Protocol-Version": "2025-11-25" }, 400, -32_020],
  ["another method in the header", modern(LIST), { ...HEADERS, "Mcp-Method": "tools/call" }, 400, -32_020],
  ["no method in the header", modern(LIST), { "MCP-Protocol-Version": REVISION }, 400, -32_020],
  ["no headers", modern(LIST), {}, 400, -32_020],
  [
    "a method that is none",
    modern({ ...LIST, method: "tools/destroy" }),
    { ...HEADERS, "Mcp-Method": "tools/destroy" },
    404,
    -32_601,
  ],
])("%s is refused by its code", async (_what, message, headers, status, code) => {
  const app = createTestApp();
  for (const path of await everyServer(app)) {
    const refused = await post(app, path, message, { headers });
    expect([path, refused.status, refused.body.error?.code], refused.text).toEqual([path, status, code]);
  }
});

test.each(["text/html", "text/event-stream", ""])("who accepts %j by 2026-07-28 gets JSON", async (Accept) => {
  const app = createTestApp();
  for (const path of await everyServer(app)) {
    const listed = await post(app, path, modern(LIST), { headers: { ...HEADERS, Accept } });
    expect([path, listed.status, listed.headers.get("content-type")]).toEqual([path, 200, "application/json"]);
  }
});

test("a subscription ends as it begins, by a stream that the API's description knows of", async () => {
  const app = createTestApp();
  const method = "subscriptions/listen";
  const params = { ...modern(LIST).params, notifications: { toolsListChanged: true } };
  for (const path of await everyServer(app)) {
    const listened = await post(
      app,
      path,
      { ...LIST, method, params },
      { headers: { ...HEADERS, "Mcp-Method": method } },
    );
    expect([path, listened.headers.get("content-type")]).toEqual([path, "text/event-stream"]);
    const messages = [...listened.text.matchAll(/^data: (.+)$/gm)].map(([, data = ""]) => JSON.parse(data));
    expect(messages).toMatchObject([
      { method: "notifications/subscriptions/acknowledged", params: { notifications: {} } },
      { result: { resultType: "complete" } },
    ]);
  }
  const { paths } = (await app.call("GET", "/openapi.json")).body;
  for (const path of ["/mcp", "/agents/{agentId}/mcp"]) {
    const { content } = paths[path].post.responses["200"];
    expect([path, ...Object.keys(content)]).toEqual([path, "application/json", "text/event-stream"]);
  }
});

test("another tool in the header than in the message is refused, and not called", async () => {
  const app = createTestApp();
  const { path } = await createAgent(app, "public");
  const message = modern({ ...LIST, method: "tools/call" });
  const named = { ...message, params: { ...message.params, name: "echo_api", arguments: {} } };
  const headers = { ...HEADERS, "Mcp-Method": "tools/call", "Mcp-Name": "other" };
  const refused = await post(app, path, named, { headers });
  expect([refused.status, refused.body.error.code]).toEqual([400, -32_020]);
  const called = await post(app, path, named, { headers: { ...headers, "Mcp-Name": "echo_api" } });
  expect(called.body.result).toMatchObject({ resultType: "complete", structuredContent: { got: {} } });
});

test("who asks too often is told when to come again", async () => {
  const app = createTestApp();
  const { key } = await createKey(app, newOwner(), ["search"], { limits: { perMinute: 2 } });
  const answers: Answer[] = [];
  for (let n = 0; n < 5; n++) answers.push(await post(app, "/mcp", LIST, { key }));
  const refused = answers.find(({ status }) => status === 429);
  expect(refused?.body.code).toBe("RATE_LIMITED");
  expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("a page of an allowed origin may send the headers of MCP", async () => {
  const app = createTestApp({ variables: { PUBLIC_URL, CORS_ORIGINS: "https://app.example" } });
  const asked = [
    "authorization",
    "content-type",
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
    "traceparent",
    "tracestate",
  ];
  const preflight = await app.call("OPTIONS", "/mcp", {
    key: null,
    headers: {
      Origin: "https://app.example",
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": asked.join(","),
    },
  });
  expect(preflight.headers.get("access-control-allow-origin")).toBe("https://app.example");
  const allowed = (preflight.headers.get("access-control-allow-headers") ?? "").toLowerCase().split(/, */);
  expect(asked.filter((name) => !allowed.includes(name))).toEqual([]);
});
