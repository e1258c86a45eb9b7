import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LaunchedServer } from "../../scripts/launch.ts";
import loginApi from "../../src/servers/templates/login-api.json" with { type: "json" };
import meApi from "../../src/servers/templates/me-api.json" with { type: "json" };
import researchBriefApi from "../../src/servers/templates/research-brief-api.json" with { type: "json" };
import signupApi from "../../src/servers/templates/signup-api.json" with { type: "json" };
import { launchForTests, type TestLaunch } from "../support/launched.ts";
import { listen } from "../support/node-listener.ts";
import type { StandIn } from "../support/providers/stand-in.ts";
import { startTavily, TAVILY_KEY } from "../support/providers/tavily.ts";

const OWNER = "people";
const PERSON = { email: "ada@example.com", password: "correct horse battery", name: "Ada" };
const BRIEF = { topic: "how do tides work" };

let launched: TestLaunch;
let server: LaunchedServer;
let tavily: StandIn;
let page: Awaited<ReturnType<typeof listen>>;
let endpoints: Record<"signup" | "login" | "me" | "brief", string>;

beforeAll(async () => {
  tavily = await startTavily();
  page = await listen(async () => new Response("<h1>Tides</h1>", { headers: { "Content-Type": "text/html" } }));
  launched = await launchForTests({
    TAVILY_API_KEY: TAVILY_KEY,
    TAVILY_BASE_URL: tavily.url,
    OUTBOUND_PRIVATE_HOSTS: new URL(page.url).host,
  });
  server = launched.server;
  endpoints = {
    signup: await deploy(signupApi),
    login: await deploy(loginApi),
    me: await deploy(meApi),
    brief: await deploy(researchBriefApi),
  };
});

afterAll(async () => {
  await launched?.stop();
  await Promise.all([tavily?.close(), page?.close()]);
});

async function send(method: string, url: string, body?: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(new URL(url, server.url), {
    method,
    headers: { "Content-Type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as any };
}

const asAdmin = () => ({ "X-API-Key": server.adminApiKey });

async function deploy(template: object): Promise<string> {
  const created = await send("POST", "/mcp/servers", { ...template, ownerId: OWNER }, asAdmin());
  expect(created.body.errors ?? []).toEqual([]);
  const deployed = await send("POST", `/mcp/servers/${created.body.serverId}/deploy`, { ownerId: OWNER }, asAdmin());
  expect(deployed.status).toBe(200);
  return deployed.body.endpoint;
}

async function connect(endpoint: string, mode: "legacy" | "auto", headers: Record<string, string> = {}) {
  const client = new Client({ name: "orchestrix-tests", version: "1.0.0" }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL(endpoint), { requestInit: { headers } }));
  return client;
}

/** Calls the one tool of an agent. */
async function callTool(endpoint: string, args: Record<string, unknown>, mode: "legacy" | "auto", token?: string) {
  const client = await connect(
    `${endpoint}/mcp`,
    mode,
    token === undefined ? {} : { Authorization: `Bearer ${token}` },
  );
  try {
    const { tools } = await client.listTools();
    expect(tools).toHaveLength(1);
    return (await client.callTool({ name: tools[0]?.name ?? "", arguments: args })) as any;
  } finally {
    await client.close();
  }
}

test("four agents of one owner: sign up, log in, who am I, research", async () => {
  const signedUp = await send("POST", endpoints.signup, PERSON);
  expect(signedUp).toMatchObject({ status: 200, body: { success: true, user: { email: PERSON.email, name: "Ada" } } });
  const again = await send("POST", endpoints.signup, PERSON);
  expect(again).toMatchObject({ status: 409, body: { code: "DUPLICATE" } });

  const wrong = await send("POST", endpoints.login, { email: PERSON.email, password: "wrong" });
  expect(wrong.status).toBe(401);
  const loggedIn = await send("POST", endpoints.login, { email: PERSON.email, password: PERSON.password });
  expect(loggedIn.status).toBe(200);

  for (const token of [signedUp.body.token, loggedIn.body.token]) {
    const me = await send("POST", endpoints.me, {}, { Authorization: `Bearer ${token}` });
    expect(me).toMatchObject({ status: 200, body: { user: { _id: signedUp.body.user._id, email: PERSON.email } } });
    expect(JSON.stringify(me.body)).not.toContain("scrypt");
  }
  expect((await send("POST", endpoints.me, {})).status).toBe(401);
  const forged = `${loggedIn.body.token.slice(0, -4)}AAAA`;
  expect((await send("POST", endpoints.me, {}, { Authorization: `Bearer ${forged}` })).status).toBe(401);

  const brief = await send("POST", endpoints.brief, { ...BRIEF, page: page.url });
  expect(brief).toMatchObject({ status: 200, body: { topic: BRIEF.topic, page: { status: 200, type: "text/html" } } });
  expect(brief.body.sources).toHaveLength(5);
  expect((await send("POST", endpoints.brief, BRIEF)).body).toMatchObject({ page: null });
  expect((await send("POST", endpoints.brief, { page: "nothing" })).status).toBe(400);

  const runs = await send("GET", `${endpoints.brief}/runs`, undefined, asAdmin());
  const [, , both] = runs.body.items;
  expect(both.steps.map((step: { toolId: string; status: string }) => `${step.toolId} ${step.status}`)).toEqual([
    "input ok",
    "validation ok",
    "search ok",
    "page ok",
    "brief ok",
    "response ok",
  ]);
});

test.each(["legacy", "auto"] as const)("the same over MCP with the official client (%s)", async (mode) => {
  const person = { ...PERSON, email: `${mode}@example.com` };
  const signedUp = await callTool(endpoints.signup, person, mode);
  expect(signedUp.structuredContent).toMatchObject({ success: true, user: { email: person.email } });
  const loggedIn = await callTool(endpoints.login, { email: person.email, password: person.password }, mode);
  const { token } = loggedIn.structuredContent;
  const me = await callTool(endpoints.me, {}, mode, token);
  expect(me.structuredContent).toMatchObject({ user: { email: person.email } });
  expect(await callTool(endpoints.me, {}, mode)).toMatchObject({ isError: true });
  const brief = await callTool(endpoints.brief, { ...BRIEF, page: page.url }, mode);
  expect(brief.structuredContent.sources).toHaveLength(5);
});

test.each(["legacy", "auto"] as const)("the product over MCP with the official client (%s)", async (mode) => {
  const client = await connect(new URL("/mcp", server.url).href, mode, {
    Authorization: `Bearer ${server.adminApiKey}`,
  });
  try {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      "web_search",
      "list_servers",
      "get_server",
      "get_server_status",
      "deploy_server",
      "undeploy_server",
      "run_server",
      "get_logs",
    ]);
    const call = async (name: string, args: Record<string, unknown>) =>
      (await client.callTool({ name, arguments: args })) as any;
    const listed = await call("list_servers", { ownerId: OWNER });
    expect(listed.structuredContent.items).toHaveLength(4);
    const brief = listed.structuredContent.items.find(({ name }: { name: string }) => name === "Research Brief API");
    const run = await call("run_server", { serverId: brief.serverId, input: BRIEF });
    expect(run.structuredContent).toMatchObject({ success: true, status: 200, output: { topic: BRIEF.topic } });
    const found = await call("web_search", { query: "tides" });
    expect(found.structuredContent.results.length).toBeGreaterThan(0);
    const status = await call("get_server_status", { serverId: brief.serverId });
    expect(status.structuredContent).toMatchObject({ state: "deployed" });
    const logs = await client.readResource({ uri: `orchestrix://servers/${brief.serverId}/logs` });
    expect(JSON.stringify(logs.contents)).toContain("deployment_complete");
    const { messages } = await client.getPrompt({ name: "diagnose_server", arguments: { serverId: brief.serverId } });
    expect(JSON.stringify(messages)).toContain("deployed");
  } finally {
    await client.close();
  }
});
