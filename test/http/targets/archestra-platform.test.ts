import { afterEach, expect, test } from "vitest";
import { LEAKED_SQL } from "../../support/targets/archestra.ts";
import { agentOf, CALL, expectTraced, TRACED } from "../../support/targets/fixtures.ts";
import { callMcp } from "../../support/targets/mcp.ts";
import {
  FRONTEND_URL,
  type PlatformScene,
  startPlatformScene,
  TOKEN_PREFIX,
} from "../../support/targets/platform-scene.ts";

const AGENT = agentOf();
const SERVER = AGENT.metadata;
const VERSIONS = ["1.3", "1.4"] as const;
const ONE = { items: 1, installs: 1, gateways: 1, edge: 1 };
const NONE = { items: 0, installs: 0, gateways: 0, edge: 0 };
const USER_TOKEN = "archestra_feedfacefeedfacefeedfacefeedface";

const scenes: PlatformScene[] = [];

afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.close();
});

async function start(...options: Parameters<typeof startPlatformScene>): Promise<PlatformScene> {
  const scene = await startPlatformScene(...options);
  scenes.push(scene);
  return scene;
}

test.each(VERSIONS)("on %s a server becomes a gateway that offers its tool and no other", async (version) => {
  const { target, archestra, counts } = await start({ version });
  const created = await target.create(CALL, AGENT);
  const [gateway] = archestra.gateways();
  const id = gateway?.id ?? "";
  const page = version === "1.3" ? `/mcp/gateways?edit=${id}` : `/mcp/gateways/${id}`;
  expect(created).toEqual({
    ok: true,
    value: { agentId: id, endpoint: `${archestra.url}/v1/mcp/${id}`, dashboardUrl: `${FRONTEND_URL}${page}` },
  });
  expect(counts()).toEqual(ONE);
  expect(gateway).toMatchObject({
    tools: ["mcp_1__echo"],
    labels: [
      { key: "server-id", value: "mcp_1" },
      { key: "owner-id", value: "user-123" },
    ],
    sharing:
      version === "1.3"
        ? { scope: "org", teams: [] }
        : [{ subject: { type: "organization", id: "*" }, actions: ["read", "use"] }],
  });
  const endpoint = created.ok ? created.value.endpoint : "";
  const answer = await callMcp(endpoint, USER_TOKEN, "tools/call", { name: "mcp_1__echo", arguments: { a: 1 } });
  expect(JSON.parse(answer.content[0].text)).toEqual({ input: { a: 1 }, version: 1 });
});

test.each(VERSIONS)("on %s a deploy sends each request of the sequence once", async (version) => {
  const { target, archestra } = await start({ version });
  await target.create(CALL, AGENT);
  const install = archestra.installs()[0]?.id;
  const gateway = archestra.gateways()[0]?.id;
  const calls = archestra.calls().map((call) => call.replace(/tools\/[0-9a-f-]{36}$/, "tools/<tool>"));
  expect(calls).toEqual([
    "GET /api/internal_mcp_catalog",
    "POST /api/internal_mcp_catalog",
    "POST /api/mcp_server",
    `GET /api/mcp_server/${install}/tools`,
    "GET /api/agents",
    "GET /openapi.json",
    "POST /api/agents",
    "POST /api/agents/tools/bulk-assign",
    `GET /api/agents/${gateway}/tools`,
    `DELETE /api/agents/${gateway}/tools/<tool>`,
    `DELETE /api/agents/${gateway}/tools/<tool>`,
    "GET /api/user-tokens/me",
    "GET /api/user-tokens/me/value",
    `POST /v1/mcp/${gateway}`,
    `POST /v1/mcp/${gateway}`,
  ]);
});

test.each(VERSIONS)(
  "on %s every request is behind the caller's span, those to our own runtime too",
  async (version) => {
    const { target, newTarget, archestra, edge } = await start({ version });
    const created = await target.create(TRACED, AGENT);
    const agentId = created.ok ? created.value.agentId : "";
    await newTarget().find(TRACED, SERVER);
    await target.health(TRACED);
    await target.replace(TRACED, agentId, AGENT);
    await target.remove(TRACED, agentId, SERVER);
    const toRuntime = edge.requests.filter(({ path }) => path.startsWith("/mcp/agents"));
    expect(toRuntime.map(({ method }) => method)).toEqual(["POST", "POST", "GET", "DELETE"]);
    expect(archestra.calls()).toEqual(expect.arrayContaining(["GET /openapi.json", "GET /health"]));
    expectTraced([...archestra.requests, ...toRuntime]);
  },
);

test("the key goes bare to the API, and a bearer token to the gateway, which is promised JSON and a stream", async () => {
  const { target, archestra } = await start({ version: "1.3" });
  await target.create(CALL, AGENT);
  for (const { path, headers } of archestra.requests) {
    if (path.startsWith("/api/")) expect(headers.authorization).toBe(archestra.apiKey);
    if (path === "/openapi.json") expect(headers.authorization).toBeUndefined();
    if (path.startsWith("/v1/mcp/")) {
      expect(headers.authorization).toBe(`Bearer ${USER_TOKEN}`);
      expect(headers.accept).toBe("application/json, text/event-stream");
    }
  }
});

test.each(VERSIONS)("on %s a repeat makes nothing more and answers the same", async (version) => {
  const { target, newTarget, counts } = await start({ version });
  const first = await target.create(CALL, AGENT);
  expect(await target.create(CALL, AGENT)).toEqual(first);
  expect(await newTarget().create(CALL, AGENT)).toEqual(first);
  expect(counts()).toEqual(ONE);
});

test.each(VERSIONS)("on %s a target that has lost its memory finds the same answer by look-ups", async (version) => {
  const { target, newTarget } = await start({ version });
  expect(await target.find(CALL, SERVER)).toEqual({ ok: true, value: null });
  const created = await target.create(CALL, AGENT);
  expect(await newTarget().find(CALL, SERVER)).toEqual(created);
});

test.each(VERSIONS)("on %s a replace keeps the id and the endpoint and offers the new tool", async (version) => {
  const { target, archestra, counts } = await start({ version });
  const created = await target.create(CALL, AGENT);
  const agentId = created.ok ? created.value.agentId : "";
  expect(await target.replace(CALL, agentId, agentOf({ version: 2 }, "Sign up"))).toEqual(created);
  expect(archestra.gateways()).toMatchObject([{ id: agentId, tools: ["mcp_1__sign_up"] }]);
  expect(counts()).toEqual(ONE);
});

test("a replace of a gateway that is gone is not found, and makes nothing", async () => {
  const { target, counts } = await start({ version: "1.3" });
  const outcome = await target.replace(CALL, "6f7f2a4e-8c3b-4b0e-9d2a-1f2e3d4c5b6a", AGENT);
  expect(outcome).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
  expect(counts()).toEqual(NONE);
});

test.each(VERSIONS)("on %s removing takes the gateway, then the item, then what runs here", async (version) => {
  const { target, archestra, edge, counts } = await start({ version });
  const created = await target.create(CALL, AGENT);
  const agentId = created.ok ? created.value.agentId : "";
  const item = archestra.catalog()[0]?.id;
  const before = archestra.requests.length;
  expect(await target.remove(CALL, agentId, SERVER)).toEqual({ ok: true, value: true });
  expect(counts()).toEqual(NONE);
  const deletes = archestra.requests.slice(before).filter(({ method }) => method === "DELETE");
  expect(deletes.map(({ path }) => path)).toEqual([`/api/agents/${agentId}`, `/api/internal_mcp_catalog/${item}`]);
  for (const { headers } of deletes) expect(headers["content-type"]).toBeUndefined();
  expect(edge.calls().at(-1)).toBe("DELETE /mcp/agents/agent_1");
  expect(await target.remove(CALL, agentId, SERVER)).toEqual({ ok: true, value: false });
  expect(await target.find(CALL, SERVER)).toEqual({ ok: true, value: null });
});

test("removing needs no id, and takes what a deploy left half done", async () => {
  const { target, archestra, counts } = await start({ version: "1.3" });
  archestra.script({ method: "POST", path: /^\/api\/agents$/ }, 400);
  expect(await target.create(CALL, AGENT)).toMatchObject({ ok: false });
  expect(counts()).toEqual({ items: 1, installs: 1, gateways: 0, edge: 1 });
  expect(await target.remove(CALL, null, SERVER)).toEqual({ ok: true, value: true });
  expect(counts()).toEqual(NONE);
});

test("a gateway whose labels were changed by hand is removed by its id", async () => {
  const { target, archestra, counts } = await start({ version: "1.3" });
  const { id } = archestra.seed.gateway({ name: "Echo", labels: [] });
  expect(await target.remove(CALL, id, SERVER)).toEqual({ ok: true, value: true });
  expect(await target.remove(CALL, "agent_of_another_kind", SERVER)).toEqual({ ok: true, value: false });
  expect(counts()).toEqual(NONE);
});

test("owners with a server of the same name have a gateway each, and lose only their own", async () => {
  const { target, archestra, counts } = await start({ version: "1.4" });
  const mine = await target.create(CALL, AGENT);
  const other = agentOf({ ownerId: "a:b|c;d e@f" });
  const theirs = await target.create(CALL, other);
  expect(theirs).not.toEqual(mine);
  expect(await target.find(CALL, other.metadata)).toEqual(theirs);
  expect(await target.find(CALL, SERVER)).toEqual(mine);
  expect(await target.remove(CALL, null, other.metadata)).toEqual({ ok: true, value: true });
  expect(counts()).toEqual(ONE);
  expect(archestra.gateways()[0]?.labels).toContainEqual({ key: "owner-id", value: "user-123" });
});

test("what others keep there under the same name is left alone", async () => {
  const { target, archestra } = await start({ version: "1.3" });
  const labels = [{ key: "server-id", value: "mcp_1" }];
  const item = archestra.seed.item({ name: "mcp_1", serverUrl: "https://other.test/mcp", labels });
  const gateway = archestra.seed.gateway({ name: "Echo", labels });
  await target.create(CALL, AGENT);
  await target.remove(CALL, null, SERVER);
  expect(archestra.catalog()).toEqual([item]);
  expect(archestra.gateways()).toMatchObject([{ id: gateway.id }]);
});

test("a new address of ours is registered in the place of the old one", async () => {
  const { target, newTarget, edge, archestra, counts } = await start({ version: "1.3" });
  const created = await target.create(CALL, AGENT);
  edge.clear();
  edge.seed(agentOf({ serverId: "another" }));
  expect(await newTarget().create(CALL, AGENT)).toEqual(created);
  expect(archestra.catalog()).toMatchObject([{ serverUrl: `${edge.url}/agents/agent_3/mcp` }]);
  expect(archestra.gateways()).toMatchObject([{ tools: ["mcp_1__echo"] }]);
  expect(counts()).toMatchObject({ items: 1, installs: 1, gateways: 1 });
});

test("an endpoint of ours that Archestra can't use fails the deploy, and leaves no item behind", async () => {
  const { target, archestra, edge, counts } = await start({ version: "1.3" }, undefined, async () => "a-wrong-token");
  const outcome = await target.create(CALL, AGENT);
  expect(outcome).toEqual({
    ok: false,
    error: {
      code: "UPSTREAM_FAILED",
      detail: `the target archestra-platform failed: it could not read the tools of our endpoint ${edge.url}/agents/agent_1/mcp`,
    },
  });
  expect(counts()).toEqual({ items: 0, installs: 0, gateways: 0, edge: 1 });
  expect(archestra.calls().filter((call) => call === "POST /api/mcp_server")).toHaveLength(1);
});

test("a redeploy that Archestra can't read the new tools of fails, and breaks nothing", async () => {
  const { target, archestra, edge, counts } = await start({ version: "1.3" });
  const created = await target.create(CALL, AGENT);
  const agentId = created.ok ? created.value.agentId : "";
  edge.script({ path: /\/mcp$/ }, 503);
  expect(await target.replace(CALL, agentId, agentOf({ version: 2 }))).toMatchObject({
    ok: false,
    error: { detail: expect.stringContaining("it could not read the tools of our endpoint") },
  });
  expect(archestra.gateways()).toMatchObject([{ id: agentId, tools: ["mcp_1__echo"] }]);
  expect(await target.replace(CALL, agentId, agentOf({ version: 2 }))).toEqual(created);
  expect(counts()).toEqual(ONE);
});

test("without a token to give, Archestra is told of nothing", async () => {
  const { target, counts } = await start({ version: "1.3" }, undefined, async () => null);
  expect(await target.create(CALL, AGENT)).toMatchObject({ ok: false, error: { code: "TARGET_NOT_CONFIGURED" } });
  expect(counts()).toEqual({ ...NONE, edge: 1 });
});

test("an install that somebody else made meanwhile is used", async () => {
  const { target, newTarget, archestra, edge, counts } = await start({ version: "1.3" });
  edge.seed(AGENT);
  archestra.seed.item({
    name: "mcp_1",
    serverUrl: `${edge.url}/agents/agent_1/mcp`,
    labels: [
      { key: "server-id", value: "mcp_1" },
      { key: "owner-id", value: "user-123" },
    ],
  });
  const both = await Promise.all([target.create(CALL, AGENT), newTarget().create(CALL, AGENT)]);
  expect(both.map(({ ok }) => ok)).toEqual([true, true]);
  expect(counts()).toMatchObject({ items: 1, installs: 1, edge: 1 });
  // Two at once, which the claims of a deploy keep from happening, are one again after the next.
  expect(await target.create(CALL, AGENT)).toMatchObject({ ok: true });
  expect(counts()).toEqual(ONE);
});

test("a platform that was upgraded since it was looked at is spoken to in its new way", async () => {
  const { target, archestra } = await start({ version: "1.3" });
  await target.create(CALL, AGENT);
  await target.remove(CALL, null, SERVER);
  archestra.upgrade("1.4");
  const created = await target.create(CALL, AGENT);
  const [gateway] = archestra.gateways();
  expect(created).toMatchObject({ ok: true, value: { dashboardUrl: `${FRONTEND_URL}/mcp/gateways/${gateway?.id}` } });
  expect(archestra.gateways()).toHaveLength(1);
  expect(archestra.calls().filter((call) => call === "POST /api/agents")).toHaveLength(3);
});

test.each(VERSIONS)("a %s that does not describe its API is known by its version", async (version) => {
  const { target, archestra } = await start({ version, openapi: false });
  expect(await target.create(CALL, AGENT)).toMatchObject({ ok: true });
  expect(archestra.calls().filter((call) => call === "POST /api/agents")).toHaveLength(1);
});

test("a gateway that answers with a stream is understood", async () => {
  const { target } = await start({ version: "1.3", gatewayAnswers: "sse" });
  expect(await target.create(CALL, AGENT)).toMatchObject({ ok: true });
});

test("a gateway that does not let our key in is deployed all the same", async () => {
  const { target, counts } = await start({ version: "1.3", userToken: null });
  expect(await target.create(CALL, AGENT)).toMatchObject({ ok: true });
  expect(counts()).toEqual(ONE);
});

test.each([
  ["Tool with ID 1 not found", ": Tool with ID 1 not found"],
  [LEAKED_SQL, ""],
])("an assignment that fails with 200 fails the deploy: %s", async (error, shown) => {
  const { target, archestra, counts } = await start({ version: "1.3" });
  archestra.refuseAssignments(error);
  const outcome = await target.create(CALL, AGENT);
  expect(outcome).toEqual({
    ok: false,
    error: {
      code: "UPSTREAM_FAILED",
      detail: `the target archestra-platform failed: it did not assign 1 of 1 tools to its gateway${shown}`,
    },
  });
  expect(await target.create(CALL, AGENT)).toMatchObject({ ok: true });
  expect(counts()).toEqual(ONE);
});

test("what came of lost answers besides is cleared away by the next deploy", async () => {
  const { target, archestra, edge, counts } = await start({ version: "1.3" });
  const labels = [
    { key: "server-id", value: "mcp_1" },
    { key: "owner-id", value: "user-123" },
  ];
  for (let count = 0; count < 2; count++) {
    archestra.seed.gateway({ name: "Echo", labels });
    archestra.seed.item({ name: "mcp_1", serverUrl: `${edge.url}/agents/agent_1/mcp`, labels });
  }
  expect(await target.create(CALL, AGENT)).toMatchObject({ ok: true });
  expect(counts()).toEqual(ONE);
});

test("what a 500 says is for the platform's own operators, however harmless it looks", async () => {
  const { target, archestra } = await start({ version: "1.3" });
  archestra.always({ status: 500, body: { error: { message: "no room on db-7", type: "api_internal_server_error" } } });
  expect(await target.find(CALL, SERVER)).toEqual({
    ok: false,
    error: { code: "UPSTREAM_FAILED", detail: "the target archestra-platform failed: 500" },
  });
});

test("what a refusal says is passed on", async () => {
  const { target, archestra } = await start({ version: "1.3" });
  const error = { message: "the organization is full", type: "api_conflict_error" };
  archestra.script({ method: "POST", path: /^\/api\/agents$/ }, { status: 409, body: { error } });
  expect(await target.create(CALL, AGENT)).toEqual({
    ok: false,
    error: {
      code: "UPSTREAM_FAILED",
      detail: "the target archestra-platform failed: 409 the organization is full",
    },
  });
});

test("a gateway that offers nothing is no deploy", async () => {
  const { target, archestra } = await start({ version: "1.3" });
  archestra.script({ path: /^\/v1\/mcp\// }, "ok", {
    status: 200,
    body: { jsonrpc: "2.0", id: 1, result: { tools: [{ name: "archestra__whoami" }] } },
  });
  expect(await target.create(CALL, AGENT)).toMatchObject({
    ok: false,
    error: { detail: "the target archestra-platform failed: its gateway does not offer our tool" },
  });
});

test("a platform is well when it answers and knows the key", async () => {
  const { target, archestra } = await start({ version: "1.3" });
  expect(await target.health(CALL)).toEqual({ ok: true, value: null });
  archestra.script({ path: /^\/api\// }, 401);
  expect(await target.health(CALL)).toMatchObject({
    ok: false,
    error: { detail: "the target archestra-platform failed: it refused our API key (401)" },
  });
  archestra.always("drop");
  expect(await target.health(CALL)).toMatchObject({ ok: false, error: { code: "UPSTREAM_FAILED" } });
});

test("no answer of the target shows a key or a token", async () => {
  const { target, archestra } = await start({ version: "1.3" });
  const outcomes = [await target.create(CALL, AGENT), await target.find(CALL, SERVER)];
  for (const path of [/mcp_server$/, /internal_mcp_catalog$/, /^\/api\/agents/, /^\/v1\/mcp/]) {
    const message = `bad ${archestra.apiKey} ${USER_TOKEN} ${TOKEN_PREFIX}agent_1 ${LEAKED_SQL}`;
    archestra.script({ path }, { status: 400, body: { error: { message, type: "api_validation_error" } } });
    outcomes.push(await target.create(CALL, AGENT));
  }
  const shown = JSON.stringify(outcomes);
  expect(outcomes.filter(({ ok }) => !ok).length).toBeGreaterThanOrEqual(3);
  for (const secret of [archestra.apiKey, USER_TOKEN, TOKEN_PREFIX, "s3cr3t"]) expect(shown).not.toContain(secret);
});
