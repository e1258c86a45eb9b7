import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "../../scripts/build.ts";
import signupApi from "../../src/servers/templates/signup-api.json" with { type: "json" };
import { ECHO_API } from "../support/graphs.ts";
import { call, launchForTests, type TestLaunch } from "../support/launched.ts";
import { installForTests } from "../support/on-demand.ts";

const INSPECTOR = {
  name: "@modelcontextprotocol/inspector",
  version: "2.12.0",
  into: "orchestrix-tests/inspector",
};
/** It wants a newer one than the oldest that we run on. */
const NODE = join(ROOT, "node_modules/.bin/node");
const ONE_CALL_MS = 30_000;
/** An install and a start, each at its slowest. */
const SETUP_MS = 180_000;
/** What its CLI ends with. */
const EXIT = { ok: 0, authRequired: 3, toolIsError: 5 } as const;

const OWNER = "people";
const ECHO_ID = "echo";
const ERAS = ["legacy", "modern"] as const;

let launched: TestLaunch;
let inspector: string | null;
let home: string;
let mcpUrl: string;
let signup: string;
let echo: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "orchestrix-inspector-"));
  inspector = await installForTests(INSPECTOR, "The product before the MCP Inspector is");
  launched = await launchForTests();
  mcpUrl = new URL("/mcp", launched.server.url).href;
  signup = `${await deploy(signupApi)}/mcp`;
  echo = `${await deploy({ ...ECHO_API, serverId: ECHO_ID, access: "key" })}/mcp`;
}, SETUP_MS);

afterAll(async () => {
  await launched?.stop();
  await rm(home, { recursive: true, force: true });
});

async function create(definition: object): Promise<string> {
  const created = await call(launched.server, "POST", "/mcp/servers", { ...definition, ownerId: OWNER });
  expect(created.status, JSON.stringify(created.body)).toBe(201);
  return created.body.serverId;
}

async function deploy(definition: object): Promise<string> {
  const path = `/mcp/servers/${await create(definition)}/deploy`;
  const deployed = await call(launched.server, "POST", path, { ownerId: OWNER });
  expect(deployed.status, JSON.stringify(deployed.body)).toBe(200);
  return deployed.body.endpoint;
}

async function createKey(...scopes: string[]): Promise<string> {
  const made = await call(launched.server, "POST", "/keys", { ownerId: OWNER, name: "inspector", scopes });
  expect(made.status).toBe(201);
  return made.body.key;
}

const asAdmin = () => ["--header", `Authorization: Bearer ${launched.server.adminApiKey}`];

interface Inspected {
  readonly exit: number;
  /** What it printed: an answer's `result`, what it finds of the schemas, or null. */
  readonly printed: any;
  readonly stderr: string;
}

/** Runs the Inspector's CLI once, away from the settings of whoever runs the test. */
function inspect(url: string, ...args: readonly string[]): Promise<Inspected> {
  const launcher = join(String(inspector), "clients/launcher/build/index.js");
  const command = [launcher, "--cli", url, "--transport", "http", "--stored-auth-only", "--format", "json", ...args];
  const { NODE_OPTIONS: _, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(NODE, command, { env: { ...env, HOME: home }, timeout: ONE_CALL_MS }, (error, stdout, stderr) => {
      const exit = error === null ? EXIT.ok : Number(error.code ?? Number.NaN);
      resolve({ exit, printed: stdout.trim() === "" ? null : JSON.parse(stdout), stderr });
    });
  });
}

/** A result that is one: what went wrong is told. */
async function inspectedResult(url: string, ...args: readonly string[]) {
  const { exit, printed, stderr } = await inspect(url, ...args);
  expect(exit, stderr).toBe(EXIT.ok);
  return printed.result;
}

const namesOf = (result: { readonly tools: readonly { readonly name: string }[] }) =>
  result.tools.map(({ name }) => name);

const NONE = "there is no Inspector";

test.for(ERAS)("the Inspector lists and calls the product's tools (%s)", async (era, { skip }) => {
  skip(inspector === null, NONE);
  const speaking = [...asAdmin(), "--protocol-era", era];
  // Strictly: a schema that clients could not take would end it with another code.
  const listed = await inspectedResult(mcpUrl, ...speaking, "--method", "tools/list", "--strict");
  expect(namesOf(listed)).toEqual([
    "web_search",
    "list_servers",
    "get_server",
    "get_server_status",
    "deploy_server",
    "undeploy_server",
    "run_server",
    "get_logs",
  ]);
  const calling = (name: string, ...args: string[]) =>
    inspectedResult(mcpUrl, ...speaking, "--method", "tools/call", "--tool-name", name, "--tool-arg", ...args);
  const servers = await calling("list_servers", `ownerId=${OWNER}`);
  expect(servers.structuredContent.items.map((item: { name: string }) => item.name).sort()).toEqual([
    ECHO_API.name,
    signupApi.name,
  ]);
  expect(JSON.parse(servers.content[0].text)).toEqual(servers.structuredContent);
  const ran = await calling("run_server", `ownerId=${OWNER}`, `serverId=${ECHO_ID}`, 'input={"a":[1]}');
  expect(ran.structuredContent).toMatchObject({ success: true, status: 200, output: { got: { a: [1] } } });
});

test("the Inspector reads the product's resources and prompts", async ({ skip }) => {
  skip(inspector === null, NONE);
  const listed = await inspectedResult(mcpUrl, ...asAdmin(), "--method", "resources/templates/list");
  expect(listed.resourceTemplates).toHaveLength(3);
  const uri = `orchestrix://servers/${ECHO_ID}/logs`;
  const read = await inspectedResult(mcpUrl, ...asAdmin(), "--method", "resources/read", "--uri", uri);
  expect(read.contents[0].text).toContain("deployment_complete");
  const asking = ["--method", "prompts/get", "--prompt-name", "diagnose_server", "--prompt-args"];
  const prompt = await inspectedResult(mcpUrl, ...asAdmin(), ...asking, `serverId=${ECHO_ID}`);
  expect(prompt.messages[0].content.text).toContain(ECHO_ID);
});

test.for(ERAS)("the Inspector lists and calls the tool of a deployed agent (%s)", async (era, { skip }) => {
  skip(inspector === null, NONE);
  const speaking = ["--protocol-era", era];
  const { tools } = await inspectedResult(signup, ...speaking, "--method", "tools/list", "--strict");
  expect(tools).toMatchObject([
    { name: "signup_api", title: signupApi.name, inputSchema: { required: ["email", "password"] } },
  ]);
  const email = `${era}@example.com`;
  const calling = [...speaking, "--method", "tools/call", "--tool-name", "signup_api", "--tool-arg"];
  const args = [`email=${email}`, "password=correct horse battery", "name=Ada"];
  const signedUp = await inspectedResult(signup, ...calling, ...args);
  expect(signedUp.structuredContent).toMatchObject({ success: true, user: { email, name: "Ada" } });
  const again = await inspect(signup, ...calling, ...args);
  expect([again.exit, again.printed.result.structuredContent.code]).toEqual([EXIT.toolIsError, "DUPLICATE"]);
});

test("the Inspector needs a key for an agent that is not public", async ({ skip }) => {
  skip(inspector === null, NONE);
  expect((await inspect(echo, "--method", "tools/list")).exit).toBe(EXIT.authRequired);
  const keyed = ["--header", `X-API-Key: ${await createKey("agents:run")}`];
  expect(namesOf(await inspectedResult(echo, ...keyed, "--method", "tools/list"))).toEqual(["echo_api"]);
  const calling = ["--method", "tools/call", "--tool-name", "echo_api", "--tool-args-json", '{"a":1}'];
  expect((await inspectedResult(echo, ...keyed, ...calling)).structuredContent).toEqual({ got: { a: 1 } });
});

test("the Inspector sees what a key's scope allows", async ({ skip }) => {
  skip(inspector === null, NONE);
  const searching = ["--header", `Authorization: Bearer ${await createKey("search")}`];
  expect(namesOf(await inspectedResult(mcpUrl, ...searching, "--method", "tools/list"))).toEqual(["web_search"]);
});

test.each(["legacy", "auto"] as const)("the official client is told how far a deploy is (%s)", async (mode) => {
  const serverId = await create({ ...ECHO_API, name: `Followed ${mode}` });
  const client = new Client({ name: "orchestrix-tests", version: "1.0.0" }, { versionNegotiation: { mode } });
  const requestInit = { headers: { Authorization: `Bearer ${await createKey("deploy")}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(mcpUrl), { requestInit }));
  try {
    const told: { readonly progress: number; readonly total?: number | undefined }[] = [];
    const { structuredContent } = await client.callTool(
      { name: "deploy_server", arguments: { serverId } },
      { onprogress: (progress) => told.push(progress) },
    );
    expect(structuredContent).toMatchObject({ success: true, serverId, version: 1 });
    expect(told.map(({ progress, total }) => [progress, total])).toEqual([
      [0, 3],
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  } finally {
    await client.close();
  }
});

/** A POST whose Host the caller chooses, which `fetch` doesn't let it. */
function postAs(host: string, url: string, headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const message = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
    const sending = request(
      url,
      { method: "POST", headers: { Host: host, "Content-Type": "application/json", ...headers } },
      (answer) => answer.resume().on("end", () => resolve(answer.statusCode)),
    );
    sending.on("error", reject).end(message);
  });
}

test("a page whose name was made to point here reaches no MCP server", async () => {
  const { host, origin } = new URL(launched.server.url);
  const key = { Authorization: `Bearer ${launched.server.adminApiKey}` };
  for (const url of [mcpUrl, signup]) {
    const statuses = await Promise.all([
      postAs("rebound.example", url, { ...key, Origin: "http://rebound.example" }),
      postAs(host, url, { ...key, Origin: "http://rebound.example" }),
      postAs(host, url, { ...key, Origin: origin }),
      postAs(host, url, key),
    ]);
    expect(statuses).toEqual([403, 403, 200, 200]);
  }
});
