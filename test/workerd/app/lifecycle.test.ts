import { jwtVerify } from "jose";
import { expect, test } from "vitest";
import { deriveSigningKey } from "../../../src/runtime/agents/signing-key.ts";
import { owners, servers } from "../../../src/storage/documents/collections.ts";
import { ADMIN_KEY, createKey, createTestApp, ENCRYPTION_KEY, newOwner, type TestApp } from "../../support/app.ts";
import { ECHO_API, SIGNUP_API } from "../../support/graphs.ts";

const PASSWORD = "correct horse battery";

async function createServer(app: TestApp, ownerId: string, graph: object = ECHO_API): Promise<string> {
  const created = await app.call("POST", "/mcp/servers", { body: { ...graph, ownerId } });
  expect(created.status, created.text).toBe(201);
  return created.body.serverId;
}

async function deploy(app: TestApp, ownerId: string, serverId: string) {
  const deployed = await app.call("POST", `/mcp/servers/${serverId}/deploy`, { body: { ownerId } });
  expect(deployed.status, deployed.text).toBe(200);
  return deployed.body;
}

test("a server goes from its definition to a live agent, and its record says where", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const serverId = await createServer(app, ownerId);
  const deployed = await deploy(app, ownerId, serverId);
  expect(deployed).toEqual({
    success: true,
    serverId,
    agentId: expect.stringMatching(/^agent_/),
    endpoint: `http://orchestrix.test/agents/${deployed.agentId}`,
    dashboardUrl: `http://orchestrix.test/dashboard/agents/${deployed.agentId}`,
    deployedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    target: "edge",
    version: 1,
  });
  const record = await app.call("GET", `/mcp/servers/${serverId}`);
  expect(record.body).toMatchObject({
    serverId,
    ownerId,
    version: 1,
    access: "public",
    deployment: { state: "deployed", target: "edge", version: 1, error: null },
    archestraAgentId: deployed.agentId,
    archestraEndpoint: deployed.endpoint,
    archestraDashboardUrl: deployed.dashboardUrl,
    archestraDeployedAt: deployed.deployedAt,
  });
  const echoed = await app.call("POST", deployed.endpoint, { key: null, body: { hello: ["world"] } });
  expect(echoed.status).toBe(200);
  expect(echoed.body).toEqual({ got: { hello: ["world"] } });
});

test("the names of a definition come back as they were written, those that look like $ and dots too", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const names = { $id: "a", "＄ref": 1, "＄where": 2, "a.b": 3, "a．b": 4, "␛．": 5 };
  const inputSchema = { properties: { "a．b": { default: names }, "a.b": {}, "＄ref": {}, $defs: {} } };
  const [input, response] = ECHO_API.tools;
  const tools = [input, { ...response, config: { body: { names, got: "{{input}}" } } }];
  const serverId = await createServer(app, ownerId, { ...ECHO_API, tools, inputSchema });
  const path = `/mcp/servers/${serverId}`;
  const read = async (of: string) => {
    const { body } = await app.call("GET", `${path}${of}`);
    return [body.inputSchema, body.tools[1].config.body.names];
  };
  expect(await read("")).toEqual([inputSchema, names]);
  const patched = await app.call("PATCH", path, { body: { version: 1, description: "new" } });
  expect(patched.status, patched.text).toBe(200);
  expect(await read("")).toEqual([inputSchema, names]);
  expect(await read("/versions/1")).toEqual([inputSchema, names]);
  const { endpoint } = await deploy(app, ownerId, serverId);
  expect((await app.call("POST", endpoint, { key: null, body: 7 })).body).toEqual({ names, got: 7 });
});

test("the Signup API signs a user up once, and the password is nowhere", async () => {
  const app = createTestApp({ variables: { LOG_LEVEL: "debug" } });
  const ownerId = newOwner();
  const { agentId, endpoint } = await deploy(app, ownerId, await createServer(app, ownerId, SIGNUP_API));
  const user = { email: "ada@example.com", password: PASSWORD, name: "Ada" };

  const signup = await app.call("POST", endpoint, { key: null, body: user });
  expect(signup.status, signup.text).toBe(200);
  expect(signup.body).toEqual({
    success: true,
    user: { _id: expect.any(String), email: user.email, name: "Ada" },
    token: expect.any(String),
  });
  const key = await deriveSigningKey(ENCRYPTION_KEY, agentId);
  const { payload } = await jwtVerify(signup.body.token, key, { issuer: agentId, algorithms: ["HS256"] });
  expect(payload).toMatchObject({ sub: signup.body.user._id, email: user.email });

  const again = await app.call("POST", endpoint, { key: null, body: user });
  expect(again.status).toBe(409);
  expect(again.text).toContain("email");

  const bad = await app.call("POST", endpoint, { key: null, body: { ...user, email: "nobody" } });
  expect(bad.status).toBe(400);
  expect(bad.body.errors).toEqual([{ path: "email", message: expect.any(String) }]);

  await app.settle();
  const users = await app.documents.find({ kind: "owned", name: "users", ownerId }, { filter: {}, limit: 10 });
  expect(users).toHaveLength(1);
  const runs = await app.call("GET", `/agents/${agentId}/runs`);
  expect(runs.body.items).toHaveLength(3);
  const traces = await Promise.all(
    runs.body.items.map((run: { runId: string }) => app.call("GET", `/agents/${agentId}/runs/${run.runId}`)),
  );
  const everything = JSON.stringify([users, runs.body, traces, app.logs]);
  expect(everything).toContain("$scrypt$");
  expect(everything).not.toContain(PASSWORD);
  expect(everything).not.toContain(signup.body.token);
});

test("two agents of one owner share their data, those of two owners never do", async () => {
  const app = createTestApp();
  const [mine, other] = [newOwner(), newOwner()];
  const first = await deploy(app, mine, await createServer(app, mine, SIGNUP_API));
  const second = await deploy(app, mine, await createServer(app, mine, SIGNUP_API));
  const stranger = await deploy(app, other, await createServer(app, other, SIGNUP_API));
  const signUpAt = (endpoint: string) =>
    app.call("POST", endpoint, { key: null, body: { email: "ada@example.com", password: PASSWORD } });
  expect((await signUpAt(first.endpoint)).status).toBe(200);
  expect((await signUpAt(second.endpoint)).status).toBe(409);
  expect((await signUpAt(stranger.endpoint)).status).toBe(200);
});

test("a deployed server refuses another deploy and says where it is", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const serverId = await createServer(app, ownerId);
  const { agentId, endpoint, dashboardUrl } = await deploy(app, ownerId, serverId);
  const again = await app.call("POST", `/mcp/servers/${serverId}/deploy`, { body: { ownerId } });
  expect(again.status).toBe(400);
  expect(again.headers.get("content-type")).toBe("application/problem+json");
  expect(again.body).toMatchObject({ code: "ALREADY_DEPLOYED", agentId, endpoint, dashboardUrl });
});

test("of 200 deploys at once one answers 200, the others are refused, and there is one agent", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const serverId = await createServer(app, ownerId);
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => app.call("POST", `/mcp/servers/${serverId}/deploy`, { body: { ownerId } })),
  );
  const outcomes = Map.groupBy(answers, ({ status, body }) => (status === 200 ? "deployed" : body.code));
  expect(outcomes.get("deployed")).toHaveLength(1);
  const refused = (outcomes.get("DEPLOY_IN_PROGRESS")?.length ?? 0) + (outcomes.get("ALREADY_DEPLOYED")?.length ?? 0);
  expect(refused).toBe(199);
  const { agentId } = outcomes.get("deployed")?.[0]?.body ?? {};
  const found = await app.call("GET", `/mcp/agents?serverId=${serverId}`);
  expect(found.body.agentId).toBe(agentId);
  await app.settle();
  const logs = await app.call("GET", `/mcp/servers/${serverId}/logs`);
  const starts = logs.body.items.filter((event: { type: string }) => event.type === "deployment_start");
  expect(starts).toHaveLength(1);
});

test("repeating a create at the agents contract gives the same agent with 200", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const body = {
    ...ECHO_API,
    description: "",
    inputSchema: { type: "object" },
    metadata: { createdBy: "orchestrix", serverId: `srv-${ownerId}`, createdAt: new Date().toISOString(), ownerId },
  };
  const first = await app.call("POST", "/mcp/agents", { body });
  const second = await app.call("POST", "/mcp/agents", { body });
  expect([first.status, second.status]).toEqual([201, 200]);
  expect(second.body.agentId).toBe(first.body.agentId);
});

test("a deploy that stopped half-way is brought to its end by reconcile, with the agent that it had made", async () => {
  let lose = true;
  const app = createTestApp({
    wrapDocuments: (documents) => ({
      ...documents,
      updateOne(collection, filter, update, options) {
        // The save of the finished deploy is lost, as in a crash right before it.
        if (lose && JSON.stringify(update).includes("archestraAgentId")) throw new Error("crashed here");
        return documents.updateOne(collection, filter, update, options);
      },
    }),
  });
  const ownerId = newOwner();
  const serverId = await createServer(app, ownerId);
  const deployPath = `/mcp/servers/${serverId}/deploy`;
  expect((await app.call("POST", deployPath, { body: { ownerId } })).status).toBe(500);
  const orphan = await app.call("GET", `/mcp/agents?serverId=${serverId}`);
  lose = false;
  const tooEarly = await app.call("POST", deployPath, { body: { ownerId } });
  expect(tooEarly.body.code).toBe("DEPLOY_IN_PROGRESS");
  expect(Number(tooEarly.headers.get("retry-after"))).toBeGreaterThan(0);

  await app.documents.updateOne(
    servers(ownerId),
    { serverId },
    { $set: { "deployment.claim.expiresAt": new Date(0).toISOString() } },
  );
  const job = await app.call("POST", "/admin/jobs/reconcile-deployments");
  expect(job.body.report.finished).toContain(serverId);
  const status = await app.call("GET", `/mcp/servers/${serverId}/status`);
  expect(status.body).toMatchObject({ state: "deployed", agentId: orphan.body.agentId, lastError: null });
  expect((await app.call("POST", orphan.body.publicEndpoint, { key: null, body: {} })).status).toBe(200);
});

test("a target that fails leaves a server that says why and can be deployed again", async () => {
  let broken = true;
  const app = createTestApp({
    wrapDocuments: (documents) => ({
      ...documents,
      insertOne(collection, document, options) {
        if (broken && collection.name === "agent_bindings") throw new Error("mongodb://user:s3cret@db/ is down");
        return documents.insertOne(collection, document, options);
      },
    }),
  });
  const ownerId = newOwner();
  const serverId = await createServer(app, ownerId);
  const failed = await app.call("POST", `/mcp/servers/${serverId}/deploy`, { body: { ownerId } });
  expect(failed.status).toBe(502);
  expect(failed.body).toMatchObject({ code: "UPSTREAM_FAILED", detail: expect.stringContaining("internal error") });
  await app.settle();
  const status = await app.call("GET", `/mcp/servers/${serverId}/status`);
  expect(status.body).toMatchObject({ state: "failed", agentId: null, lastError: failed.body.detail });
  const logs = await app.call("GET", `/mcp/servers/${serverId}/logs`);
  expect(logs.body.items.map((event: { type: string }) => event.type)).toEqual([
    "deployment_failed",
    "deployment_start",
    "server_created",
  ]);
  expect(JSON.stringify([failed.body, status.body, logs.body, app.logs])).not.toContain("s3cret");
  broken = false;
  await deploy(app, ownerId, serverId);
});

test("status counts runs and tells their latency; logs page newest first", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const serverId = await createServer(app, ownerId);
  const { endpoint, agentId } = await deploy(app, ownerId, serverId);
  for (let i = 0; i < 5; i++) await app.call("POST", endpoint, { key: null, body: { i } });
  await app.settle();
  const status = await app.call("GET", `/mcp/servers/${serverId}/status`);
  expect(status.body).toMatchObject({ serverId, state: "deployed", agentId, endpoint, lastError: null });
  expect(status.body.runs).toEqual({ total: 5, failed: 0, p50Ms: expect.any(Number), p99Ms: expect.any(Number) });

  const types: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await app.call("GET", `/mcp/servers/${serverId}/logs?limit=3${cursor ? `&cursor=${cursor}` : ""}`);
    expect(page.body.items.length).toBeLessThanOrEqual(3);
    types.push(...page.body.items.map((event: { type: string }) => event.type));
    cursor = page.body.nextCursor;
  } while (cursor !== null);
  expect(types).toEqual([
    ...Array<string>(5).fill("run_complete"),
    "deployment_complete",
    "deployment_start",
    "server_created",
  ]);
});

test("a list refuses a cursor that it never gave, and a stream any", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const serverId = await createServer(app, ownerId);
  for (const list of [
    "/mcp/servers",
    `/mcp/servers/${serverId}/logs`,
    `/mcp/servers/${serverId}/runs`,
    `/mcp/servers/${serverId}/versions`,
    "/keys",
    "/secrets",
  ]) {
    const { status, body } = await app.call("GET", `${list}?ownerId=${ownerId}&cursor=:zzz`);
    expect([status, body.errors], list).toEqual([
      400,
      [{ path: "cursor", message: "a nextCursor of an earlier page" }],
    ]);
  }
  const { items } = (await app.call("GET", `/mcp/servers/${serverId}/logs`)).body;
  const { status } = await app.call("GET", `/mcp/servers/${serverId}/logs?cursor=${items[0].id}`, {
    headers: { Accept: "text/event-stream" },
  });
  expect(status).toBe(400);
});

test("lists page through an owner's servers and no other's", async () => {
  const app = createTestApp();
  const [ownerId, other] = [newOwner(), newOwner()];
  const { key } = await createKey(app, ownerId, ["servers:read", "servers:write"]);
  await createServer(app, other);
  const made = new Set<string>();
  for (let i = 0; i < 5; i++) made.add(await createServer(app, ownerId));
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await app.call("GET", `/mcp/servers?limit=2${cursor ? `&cursor=${cursor}` : ""}`, { key });
    seen.push(...page.body.items.map((server: { serverId: string }) => server.serverId));
    cursor = page.body.nextCursor;
  } while (cursor !== null);
  expect(seen).toHaveLength(5);
  expect(new Set(seen)).toEqual(made);
  expect((await app.call("GET", "/mcp/servers?state=deployed", { key })).body.items).toEqual([]);
});

test("an id is taken over all owners, and of many creates at once one gets it", async () => {
  const app = createTestApp();
  const [ownerId, other] = [newOwner(), newOwner()];
  const serverId = `mcp-${ownerId}`;
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      app.call("POST", "/mcp/servers", { body: { ...ECHO_API, serverId, ownerId: i % 2 === 0 ? ownerId : other } }),
    ),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(answers.filter(({ body }) => body.code === "DUPLICATE")).toHaveLength(19);
});

test("a create that stopped after taking its id can be repeated by its owner", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const serverId = `mcp-${ownerId}`;
  await app.documents.insertOne(
    { kind: "system", name: "server_owners", partition: `server:${serverId}` },
    { _id: serverId, ownerId },
  );
  expect((await app.call("POST", "/mcp/servers", { body: { ...ECHO_API, serverId, ownerId } })).status).toBe(201);
});

test("a record with only the fields of the original design can be read and deployed", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const serverId = `mcp-${ownerId}`;
  const { name, tools, executionOrder } = SIGNUP_API;
  await app.documents.insertOne(owners(), { _id: ownerId });
  await app.documents.insertOne(servers(ownerId), {
    _id: "507f1f77bcf86cd799439011",
    serverId,
    ownerId,
    name,
    tools,
    executionOrder,
  });
  const { key } = await createKey(app, ownerId, ["servers:read", "deploy"]);
  const read = await app.call("GET", `/mcp/servers/${serverId}`, { key });
  expect(read.body).toMatchObject({ serverId, version: 1, deployment: { state: "draft" } });
  const deployed = await app.call("POST", `/mcp/servers/${serverId}/deploy`, { key, body: { ownerId } });
  expect(deployed.status, deployed.text).toBe(200);
});

test("a graph is refused with every fault at once, each with its path", async () => {
  const app = createTestApp();
  const faulty = {
    name: "Faulty",
    ownerId: newOwner(),
    tools: [
      { toolId: "input", name: "input" },
      { toolId: "input", name: "input" },
      { toolId: "never", name: "response", config: { body: 1 } },
      { toolId: "strange", name: "noSuchTool" },
      { toolId: "early", name: "response", config: { body: "{{later.x}}", status: 99 } },
      { toolId: "later", name: "dbFind", config: { collection: "users" } },
    ],
    executionOrder: ["input", "strange", "early", "later", "ghost"],
  };
  const refused = await app.call("POST", "/mcp/servers", { body: faulty });
  expect(refused.status).toBe(400);
  expect(refused.body.code).toBe("VALIDATION_FAILED");
  const paths = refused.body.errors.map((fault: { path: string }) => fault.path);
  for (const path of ["tools.1.toolId", "tools.2.toolId", "tools.3.name", "tools.4.config.body", "executionOrder.4"]) {
    expect(paths, path).toContain(path);
  }
  expect(paths.some((path: string) => path.startsWith("tools.4.config.status"))).toBe(true);
  expect(paths.some((path: string) => path.startsWith("tools.5.config"))).toBe(true);
});

test("names with $ and dots inside schemas survive the store", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const inputSchema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    properties: { "a.b": { type: "string" } },
  };
  const created = await app.call("POST", "/mcp/servers", { body: { ...ECHO_API, ownerId, inputSchema } });
  expect(created.status, created.text).toBe(201);
  const read = await app.call("GET", `/mcp/servers/${created.body.serverId}`);
  expect(read.body.inputSchema).toEqual(inputSchema);
});

test("while the documents store is down answers are 503 and name nothing of it", async () => {
  const { StorageUnavailable } = await import("../../../src/core/errors.ts");
  const app = createTestApp({
    wrapDocuments: (documents) => ({
      ...documents,
      findOne: () => Promise.reject(new StorageUnavailable("mongodb://user:s3cret@db/ refused")),
    }),
  });
  const answer = await app.call("GET", "/mcp/servers/mcp_1", { key: ADMIN_KEY });
  expect(answer.status).toBe(503);
  expect(answer.body.code).toBe("STORAGE_UNAVAILABLE");
  expect(answer.headers.get("retry-after")).toBe("5");
  expect(answer.text + app.logs.join("")).not.toContain("s3cret");
});
