import { expect, test } from "vitest";
import { createDeployScene, OWNER } from "../../support/deploy-scene.ts";
import { ECHO_API } from "../../support/graphs.ts";

const PATH = "/mcp/servers/echo";
const WITH_NOTE = {
  ...ECHO_API,
  tools: [ECHO_API.tools[0], { toolId: "response", name: "response", config: { body: { version: 2 } } }],
};

async function createScene() {
  const scene = createDeployScene();
  const worker = scene.startProcess();
  await worker.call("POST", "/mcp/servers", { ...ECHO_API, serverId: "echo", ownerId: OWNER });
  const deployed = await worker.call("POST", `${PATH}/deploy`, { ownerId: OWNER });
  expect(deployed.status).toBe(200);
  const graphAtHost = () => JSON.stringify([...scene.host.agents.values()][0]?.body.tools[1].config);
  return { ...scene, worker, deployed: deployed.body, graphAtHost };
}

test("a redeploy puts the current version to the same agent, and a rollback an earlier one", async () => {
  const { worker, deployed, graphAtHost, host } = await createScene();
  const { agentId, endpoint } = deployed;
  const written = await worker.call("PUT", PATH, { ...WITH_NOTE, version: 1 });
  expect(written.body).toMatchObject({ version: 2, deployment: { state: "deployed", version: 1 } });
  expect(graphAtHost()).toContain("input");

  const redeployed = await worker.call("PUT", `${PATH}/deploy`, { ownerId: OWNER });
  expect(redeployed.body).toMatchObject({ success: true, agentId, endpoint, version: 2 });
  expect(graphAtHost()).toBe('{"body":{"version":2}}');

  const rolledBack = await worker.call("POST", `${PATH}/rollback`, { ownerId: OWNER, version: 1 });
  expect(rolledBack.body).toMatchObject({ success: true, agentId, endpoint, version: 1 });
  expect(graphAtHost()).toContain("input");
  const record = await worker.call("GET", PATH);
  expect(record.body).toMatchObject({ version: 2, deployment: { state: "deployed", version: 1 } });
  expect(host.agents.size).toBe(1);
});

test("an undeploy removes the agent and leaves a draft that can be deployed again", async () => {
  const { worker, host } = await createScene();
  expect((await worker.call("DELETE", `${PATH}/deploy`, { ownerId: OWNER })).body).toEqual({
    success: true,
    serverId: "echo",
  });
  expect(host.agents.size).toBe(0);
  expect((await worker.call("GET", `${PATH}/status`)).body).toMatchObject({
    state: "draft",
    agentId: null,
    endpoint: null,
  });
  expect((await worker.call("DELETE", `${PATH}/deploy`)).body.code).toBe("NOT_DEPLOYED");
  expect((await worker.call("PUT", `${PATH}/deploy`)).body.code).toBe("NOT_DEPLOYED");
  expect((await worker.call("POST", `${PATH}/deploy`, { ownerId: OWNER })).status).toBe(200);
  expect(host.agents.size).toBe(1);
});

/** As many bytes of padding as `body` lacks to be a request at the default BODY_LIMIT_BYTES. */
function padding(body: object): string {
  return "x".repeat(262_144 - JSON.stringify(body).length);
}

test.each([
  ["a graph", "graph"],
  ["an input schema", "schema"],
])("whatever server can be written can be deployed here: %s of the largest size", async (_what, id) => {
  const worker = createDeployScene().startProcess();
  const write = (text: string) => ({
    serverId: id,
    ownerId: OWNER,
    name: id,
    tools: [
      { toolId: "input", name: "input", inputSchema: id === "schema" ? { description: text } : {} },
      { toolId: "response", name: "response", config: { body: id === "graph" ? text : 1 } },
    ],
    executionOrder: ["input", "response"],
  });
  const body = write(padding(write("")));
  expect((await worker.call("POST", "/mcp/servers", body)).status).toBe(201);
  const path = `/mcp/servers/${id}/deploy`;
  const deployed = await worker.call("POST", path, { ownerId: OWNER, target: "edge" });
  expect(deployed).toMatchObject({ status: 200, body: { success: true, target: "edge" } });
  expect(await worker.call("PUT", path, { ownerId: OWNER })).toMatchObject({ status: 200, body: { success: true } });
  const { name, tools, executionOrder, version } = (await worker.call("GET", `/mcp/servers/${id}`)).body;
  const replaced = await worker.call("PUT", `/mcp/servers/${id}`, { name, tools, executionOrder, version });
  expect(replaced).toMatchObject({ status: 200, body: { version: 2 } });
  const sent = await worker.call("POST", "/mcp/agents", { ...body, metadata: {} });
  expect(sent).toMatchObject({ status: 413, body: { code: "PAYLOAD_TOO_LARGE" } });
});

test("a server is not deleted while it is deployed, unless it is to be undeployed with it", async () => {
  const { worker, host, documents } = await createScene();
  const refused = await worker.call("DELETE", PATH);
  expect([refused.status, refused.body.code]).toEqual([400, "ALREADY_DEPLOYED"]);
  expect((await worker.call("DELETE", `${PATH}?undeploy=true`)).status).toBe(204);
  await worker.settle();
  expect(host.agents.size).toBe(0);
  expect((await worker.call("GET", PATH)).status).toBe(404);
  for (const name of ["servers", "server_owners", "server_versions", "execution_logs"]) {
    expect(documents.named(name), name).toEqual([]);
  }
  const again = await worker.call("POST", "/mcp/servers", { ...ECHO_API, serverId: "echo", ownerId: "somebody-else" });
  expect(again.status).toBe(201);
});

test("every definition is kept, and a stale write changes nothing", async () => {
  const { worker } = await createScene();
  expect((await worker.call("PATCH", PATH, { version: 1, name: "Second" })).body).toMatchObject({
    version: 2,
    name: "Second",
  });
  expect((await worker.call("PATCH", PATH, { version: 2, description: "third" })).status).toBe(200);
  for (const stale of [1, 2, 4]) {
    const answer = await worker.call("PATCH", PATH, { version: stale, name: "stale" });
    expect([answer.status, answer.body.code]).toEqual([409, "VERSION_CONFLICT"]);
  }
  const first = await worker.call("GET", `${PATH}/versions?limit=2`);
  expect(first.body.items.map((v: any) => [v.version, v.name, v.description])).toEqual([
    [3, "Second", "third"],
    [2, "Second", ""],
  ]);
  const rest = await worker.call("GET", `${PATH}/versions?limit=2&cursor=${first.body.nextCursor}`);
  expect(rest.body).toMatchObject({ items: [{ version: 1, name: "Echo API" }], nextCursor: null });
  expect((await worker.call("GET", `${PATH}/versions/1`)).body).toMatchObject({ version: 1, name: "Echo API" });
  expect((await worker.call("GET", `${PATH}/versions/9`)).status).toBe(404);
});

test("of many writes at once to one version one is taken", async () => {
  const { worker } = await createScene();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => worker.call("PATCH", PATH, { version: 1, name: `Writer ${i}` })),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ body }) => body.code === "VERSION_CONFLICT")).toHaveLength(19);
  const versions = await worker.call("GET", `${PATH}/versions`);
  expect(versions.body.items.map((v: any) => v.version)).toEqual([2, 1]);
});

test("a patch that makes the graph wrong is refused with its faults", async () => {
  const { worker } = await createScene();
  const answer = await worker.call("PATCH", PATH, { version: 1, executionOrder: ["input"] });
  expect(answer.body.errors[0].path).toBe("tools.1.toolId");
  expect((await worker.call("GET", PATH)).body.version).toBe(1);
});

test("an input schema that came from the input step goes on coming from it", async () => {
  const { worker } = await createScene();
  const inputSchema = { type: "object", required: ["a"], properties: { a: { type: "string" } } };
  const tools = [{ ...ECHO_API.tools[0], inputSchema }, ECHO_API.tools[1]];
  expect((await worker.call("PATCH", PATH, { version: 1, tools })).body.inputSchema).toEqual(inputSchema);
});

test("a failed redeploy leaves the agent as it was and says what went wrong", async () => {
  const { worker, host, deployed } = await createScene();
  host.intercept = ({ method }) =>
    method === "PUT" ? Promise.resolve(Response.json({ error: "quota" }, { status: 422 })) : undefined;
  const answer = await worker.call("PUT", `${PATH}/deploy`);
  expect([answer.status, answer.body.code]).toEqual([502, "UPSTREAM_FAILED"]);
  const status = await worker.call("GET", `${PATH}/status`);
  expect(status.body).toMatchObject({
    state: "deployed",
    agentId: deployed.agentId,
    lastError: expect.stringContaining("quota"),
  });
});

test("a redeploy of an agent that the host has lost makes it again", async () => {
  const { worker, host } = await createScene();
  (host.agents as Map<string, unknown>).clear();
  const answer = await worker.call("PUT", `${PATH}/deploy`);
  expect(answer.status).toBe(200);
  expect(host.agents.size).toBe(1);
});

test("the happy path of a deploy is one read, one claim, one call to the target and one save", async () => {
  const scene = createDeployScene();
  const operations: string[] = [];
  let answered = false;
  const worker = scene.startProcess(
    (documents) =>
      new Proxy(documents, {
        get(target, name: keyof typeof documents) {
          return (...args: [{ name: string }, ...unknown[]]) => {
            if (!answered) operations.push(`${name} ${args[0].name}`);
            return (target[name] as (...args: unknown[]) => unknown)(...args);
          };
        },
      }),
  );
  await worker.call("POST", "/mcp/servers", { ...ECHO_API, serverId: "echo", ownerId: OWNER });
  await worker.settle();
  operations.length = 0;
  scene.host.requests = 0;
  const deployed = await worker.call("POST", `${PATH}/deploy`, { ownerId: OWNER });
  answered = true;
  expect(deployed.status).toBe(200);
  const awaited = operations.filter((operation) => !/execution_logs|deployments|owners/.test(operation));
  expect(awaited).toEqual(["findOne servers", "updateOne servers", "updateOne servers"]);
  expect(scene.host.requests).toBe(1);
});

test("what reconcile finds: an agent whose record is gone, one that is elsewhere, one that the host has lost", async () => {
  const { worker, host, documents, clock } = await createScene();
  for (const serverId of ["gone", "lost"]) {
    await worker.call("POST", "/mcp/servers", { ...ECHO_API, serverId, ownerId: OWNER });
    await worker.call("POST", `/mcp/servers/${serverId}/deploy`, { ownerId: OWNER });
  }
  await worker.settle();
  const servers = { kind: "system", name: "servers", partition: `owner:${OWNER}` } as const;
  await documents.deleteOne(servers, { serverId: "gone" });
  (host.agents as Map<string, unknown>).delete(`${OWNER}/lost`);
  await clock.advance(1);
  const { body } = await worker.call("POST", "/admin/jobs/reconcile-deployments");
  expect(body.report).toMatchObject({ removed: ["gone"], drifted: ["lost"], unsettled: [] });
  expect([...host.agents.keys()]).toEqual([`${OWNER}/echo`]);
  const status = await worker.call("GET", "/mcp/servers/lost/status");
  expect(status.body.lastError).toContain("redeploy to make it again");
  const again = await worker.call("POST", "/admin/jobs/reconcile-deployments");
  expect(again.body.report).toMatchObject({ removed: [], drifted: ["lost"] });
});
