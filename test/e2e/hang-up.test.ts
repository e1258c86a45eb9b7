import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LaunchedServer } from "../../scripts/launch.ts";
import type { RunTrace } from "../../src/runtime/contract.ts";
import { call, launchForTests, type TestLaunch } from "../support/launched.ts";
import { listen, type NodeListener } from "../support/node-listener.ts";

const OWNER = "user-123";
/** Less than it takes until a run without an end counts as interrupted. */
const POLL_MS = 20_000;
/** What the service holds back, by the mark of its run. */
const held = new Map<string, { readonly arrived: PromiseWithResolvers<void>; readonly release: () => void }>();

let launched: TestLaunch;
let server: LaunchedServer;
let service: NodeListener;

beforeAll(async () => {
  service = await listen(async (request) => {
    const { mark } = (await request.json()) as { mark: string };
    const hold = holdOf(mark);
    const released = new Promise<void>((resolve) => held.set(mark, { ...hold, release: resolve }));
    hold.arrived.resolve();
    await released;
    return Response.json({ mark });
  });
  launched = await launchForTests({ OUTBOUND_PRIVATE_HOSTS: new URL(service.url).host });
  server = launched.server;
});

afterAll(async () => {
  for (const { release } of held.values()) release();
  await launched?.stop();
  await service?.close();
});

function holdOf(mark: string) {
  const hold = held.get(mark) ?? { arrived: Promise.withResolvers<void>(), release: () => {} };
  held.set(mark, hold);
  return hold;
}

function insert(toolId: string): Tool {
  return { toolId, name: "dbInsert", config: { collection: toolId, document: { mark: "{{input.mark}}" } } };
}

interface Tool {
  readonly toolId: string;
  readonly name: string;
  readonly config?: object;
}

const INPUT: Tool = { toolId: "input", name: "input" };
const RESPONSE: Tool = { toolId: "response", name: "response", config: { body: { mark: "{{input.mark}}" } } };

async function deploy(name: string, tools: readonly Tool[]): Promise<string> {
  const executionOrder = tools.map(({ toolId }) => toolId);
  const created = await call(server, "POST", "/mcp/servers", { name, ownerId: OWNER, tools, executionOrder });
  expect(created.body.errors ?? []).toEqual([]);
  const { body } = await call(server, "POST", `/mcp/servers/${created.body.serverId}/deploy`, { ownerId: OWNER });
  return new URL(body.endpoint).pathname;
}

/** Writes, asks the service, and writes again. */
function deployAsking(name: string): Promise<string> {
  const config = { url: service.url, method: "POST", body: { mark: "{{input.mark}}" } };
  return deploy(name, [
    INPUT,
    insert("before"),
    { toolId: "ask", name: "httpRequest", config },
    insert("after"),
    RESPONSE,
  ]);
}

/** Asks on a connection of its own. */
async function ask(path: string, body: object): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  await once(socket, "connect");
  const text = JSON.stringify(body);
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${server.adminApiKey}\r\n` +
      "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n" +
      `Content-Length: ${text.length}\r\n\r\n${text}`,
  );
  return socket;
}

async function runsOf(path: string): Promise<readonly RunTrace[]> {
  return (await call(server, "GET", `${path}/runs?limit=100`)).body.items;
}

/** The one run of an agent, when it has ended. */
async function endOf(path: string): Promise<RunTrace | undefined> {
  await expect
    .poll(async () => (await runsOf(path)).map(({ outcome }) => outcome), { timeout: POLL_MS })
    .toEqual([expect.not.stringMatching(/^running$/)]);
  return (await runsOf(path))[0];
}

const stepsOf = (trace: RunTrace | undefined) =>
  trace?.steps.map(({ toolId, status }) => `${toolId}:${status}`).join(" ");

test("a caller whose connection is reset cancels the run at once, and its trace says so", async () => {
  const path = await deployAsking("Reset API");
  const socket = await ask(path, { mark: "reset" });
  await holdOf("reset").arrived.promise;
  socket.resetAndDestroy();
  const trace = await endOf(path);
  expect(trace).toMatchObject({ outcome: "cancelled", status: null, error: "step ask: the caller hung up" });
  expect(stepsOf(trace)).toBe("input:ok before:ok ask:cancelled");
});

test("over MCP too, a connection that is reset cancels the run", async () => {
  const path = await deployAsking("Tool API");
  const listed = await call(server, "POST", `${path}/mcp`, { jsonrpc: "2.0", id: 1, method: "tools/list" });
  const params = { name: listed.body.result.tools[0].name, arguments: { mark: "mcp" } };
  const socket = await ask(`${path}/mcp`, { jsonrpc: "2.0", id: 2, method: "tools/call", params });
  await holdOf("mcp").arrived.promise;
  socket.resetAndDestroy();
  expect(await endOf(path)).toMatchObject({ trigger: "mcp", outcome: "cancelled" });
});

test("the run of a caller who closes its connection in good order goes on to its end", async () => {
  const path = await deployAsking("Close API");
  const socket = await ask(path, { mark: "close" });
  await holdOf("close").arrived.promise;
  socket.destroy();
  await once(socket, "close");
  holdOf("close").release();
  const trace = await endOf(path);
  expect(trace).toMatchObject({ outcome: "ok", status: 200 });
  expect(stepsOf(trace)).toBe("input:ok before:ok ask:ok after:ok response:ok");
});
