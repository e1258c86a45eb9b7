import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { ECHO_API, SIGNUP_API } from "../support/graphs.ts";
import { call, makeStateDir, start, UNLIMITED } from "../support/launched.ts";
import { startTestDatabase, type TestDatabase } from "../support/mongodb/database.ts";
import { startAgentsHost } from "../support/targets/agents-host.ts";

const OWNER = "user-123";
const SERVERS = 20;
const ROUNDS = 5;
const CALLS_PER_ROUND = 100;

let database: TestDatabase;
beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database?.stop());

test("what one process deployed and stored in the database, another one serves", async () => {
  const variables = { MONGODB_URI: database.uri, MONGODB_DATABASE: "shared", ENCRYPTION_KEY: btoa("k".repeat(32)) };
  const [first, second] = await Promise.all([
    start(await makeStateDir(), variables),
    start(await makeStateDir(), variables),
  ]);
  await call(first, "POST", "/mcp/servers", { ...SIGNUP_API, serverId: "signup", ownerId: OWNER });
  const deployed = await call(first, "POST", "/mcp/servers/signup/deploy", { ownerId: OWNER });
  expect(deployed.status).toBe(200);
  const { pathname } = new URL(deployed.body.endpoint);
  const user = { email: "ada@example.com", password: "correct horse battery" };
  expect((await call(first, "POST", pathname, user)).status).toBe(200);
  expect((await call(second, "POST", pathname, user)).status).toBe(409);
  expect((await call(second, "GET", "/mcp/servers/signup/status")).body.state).toBe("deployed");
  expect((await call(second, "GET", "/ready")).body.checks.documents.status).toBe("ok");
});

test("500 deploys, redeploys and undeploys of 20 servers by two processes: record and target agree at every quiet point", async () => {
  const host = await startAgentsHost();
  onTestFinished(() => host.close());
  const variables = {
    ...UNLIMITED,
    LOG_LEVEL: "warn",
    MONGODB_URI: database.uri,
    MONGODB_DATABASE: "crossing",
    DEPLOY_TARGET: "archestra",
    ARCHESTRA_API_KEY: "key-of-the-host",
    ARCHESTRA_DEPLOYMENT_ENDPOINT: host.collectionUrl,
  };
  const workers = await Promise.all([start(await makeStateDir(), variables), start(await makeStateDir(), variables)]);
  const [one, other] = workers;
  const ids = Array.from({ length: SERVERS }, (_, i) => `server-${i}`);
  for (const serverId of ids) {
    expect((await call(one, "POST", "/mcp/servers", { ...ECHO_API, serverId, ownerId: OWNER })).status).toBe(201);
  }
  const roll = (sides: number) => Math.floor(Math.random() * sides);
  const answers: Record<string, number> = {};

  for (let round = 0; round < ROUNDS; round++) {
    const changes = Array.from({ length: CALLS_PER_ROUND }, () => {
      const method = ["POST", "PUT", "DELETE"][roll(3)] ?? "POST";
      return call(roll(2) === 0 ? one : other, method, `/mcp/servers/${ids[roll(SERVERS)]}/deploy`, { ownerId: OWNER });
    });
    for (const { status, body } of await Promise.all(changes)) {
      const answer = `${status} ${body.code ?? ""}`;
      answers[answer] = (answers[answer] ?? 0) + 1;
      expect([200, 400, 409], JSON.stringify(body)).toContain(status);
    }
    for (const serverId of ids) {
      const { body } = await call(other, "GET", `/mcp/servers/${serverId}`);
      const agents = host.agents().filter(({ graph }) => graph.metadata.serverId === serverId);
      expect(["draft", "deployed"], serverId).toContain(body.deployment.state);
      expect(
        agents.map(({ agentId }) => agentId),
        serverId,
      ).toEqual(body.deployment.state === "deployed" ? [body.archestraAgentId] : []);
    }
  }
  console.log(`${ROUNDS * CALLS_PER_ROUND} calls over two processes on ${database.name}:`, answers);
});
