import { expect, test } from "vitest";
import { ADMIN_KEY, type Answer, createTestApp, newOwner, type TestApp } from "../../support/app.ts";
import { ECHO_API } from "../../support/graphs.ts";
import {
  GITHUB_SECRET,
  pushTo,
  SECRET,
  secretOf,
  signGithub,
  signMessage,
} from "../../unit/deploy/webhooks/harness.ts";

const NEXT_SECRET = secretOf(2);
const GITHUB_WORD = GITHUB_SECRET.replaceAll(" ", "-");
const variables = { WEBHOOK_SECRET: `${SECRET} ${NEXT_SECRET}`, GITHUB_WEBHOOK_SECRET: GITHUB_WORD };

async function createServer(app: TestApp, ownerId: string): Promise<string> {
  const created = await app.call("POST", "/mcp/servers", { body: { ...ECHO_API, ownerId } });
  expect(created.status, created.text).toBe(201);
  return created.body.serverId;
}

async function send(
  app: TestApp,
  message: object,
  id = crypto.randomUUID() as string,
  secret = SECRET,
): Promise<Answer> {
  const raw = JSON.stringify(message);
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const answer = await app.call("POST", "/webhooks/deploy", {
    key: null,
    raw,
    headers: {
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": await signMessage(id, timestamp, raw, secret),
    },
  });
  await app.settle();
  return answer;
}

async function sendPush(app: TestApp, serverId: string, branch = "main", secret = GITHUB_WORD): Promise<Answer> {
  const raw = JSON.stringify(pushTo(branch));
  const answer = await app.call("POST", `/webhooks/github/${serverId}`, {
    key: null,
    raw,
    headers: {
      "Content-Type": "application/json",
      "X-GitHub-Event": "push",
      "X-GitHub-Delivery": crypto.randomUUID(),
      "X-Hub-Signature-256": await signGithub(raw, secret),
    },
  });
  await app.settle();
  return answer;
}

const stateOf = async (app: TestApp, serverId: string) =>
  (await app.call("GET", `/mcp/servers/${serverId}/status`)).body.state;

test("messages deploy, redeploy and undeploy a server without a key, and its log says who did it", async () => {
  const app = createTestApp({ variables });
  const ownerId = newOwner();
  const serverId = await createServer(app, ownerId);
  const data = { serverId, ownerId };
  const id = crypto.randomUUID();
  expect((await send(app, { type: "server.deploy", data }, id)).body).toEqual({ accepted: true, deliveryId: id });
  expect(await stateOf(app, serverId)).toBe("deployed");
  const { archestraEndpoint } = (await app.call("GET", `/mcp/servers/${serverId}`)).body;
  expect(archestraEndpoint).toMatch(/^http:\/\/orchestrix\.test\/agents\//);
  const echoed = await app.call("POST", archestraEndpoint, { key: null, body: { hello: 1 } });
  expect(echoed.body).toEqual({ got: { hello: 1 } });
  expect((await send(app, { type: "server.deploy", data }, id)).body.duplicate).toBe(true);
  expect((await send(app, { type: "server.redeploy", data }, undefined, NEXT_SECRET)).status).toBe(202);
  expect(await stateOf(app, serverId)).toBe("deployed");
  await send(app, { type: "server.undeploy", data });
  expect(await stateOf(app, serverId)).toBe("draft");

  const { items } = (await app.call("GET", `/mcp/servers/${serverId}/logs?limit=100`)).body;
  const accepted = items.filter(({ type }: { type: string }) => type === "webhook_accepted");
  expect(accepted.map(({ data }: { data: { event: string; outcome: string } }) => [data.event, data.outcome])).toEqual([
    ["server.undeploy", "OK"],
    ["server.redeploy", "OK"],
    ["server.deploy", "OK"],
  ]);
  const first = items.filter(({ actor }: { actor: string }) => actor === `webhook:standard:${id}`);
  expect(first.map(({ type }: { type: string }) => type).sort()).toEqual([
    "deployment_complete",
    "deployment_start",
    "webhook_accepted",
  ]);
});

test("a hundred copies of a message at once make one agent", async () => {
  const app = createTestApp({ variables });
  const ownerId = newOwner();
  const data = { serverId: await createServer(app, ownerId), ownerId };
  const id = crypto.randomUUID();
  const answers = await Promise.all(Array.from({ length: 100 }, () => send(app, { type: "server.deploy", data }, id)));
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(99);
  const { items } = (await app.call("GET", `/mcp/servers/${data.serverId}/logs?limit=100`)).body;
  expect(items.filter(({ type }: { type: string }) => type === "deployment_start")).toHaveLength(1);
});

test("another owner's server is left alone", async () => {
  const app = createTestApp({ variables });
  const serverId = await createServer(app, newOwner());
  expect((await send(app, { type: "server.deploy", data: { serverId, ownerId: newOwner() } })).status).toBe(202);
  expect(await stateOf(app, serverId)).toBe("draft");
});

test("a push deploys the server of its address, and then redeploys it with the same endpoint", async () => {
  const app = createTestApp({ variables });
  const ownerId = newOwner();
  const serverId = await createServer(app, ownerId);
  expect((await sendPush(app, serverId, "feature")).body.accepted).toBe(false);
  expect(await stateOf(app, serverId)).toBe("draft");
  expect((await sendPush(app, serverId)).status).toBe(202);
  const before = (await app.call("GET", `/mcp/servers/${serverId}`)).body;
  expect(before.deployment).toMatchObject({ state: "deployed", version: 1 });
  const changed = await app.call("PATCH", `/mcp/servers/${serverId}`, { body: { description: "new", version: 1 } });
  expect(changed.status, changed.text).toBe(200);
  await sendPush(app, serverId);
  const after = (await app.call("GET", `/mcp/servers/${serverId}`)).body;
  expect(after.deployment).toMatchObject({ state: "deployed", version: 2 });
  expect(after.archestraEndpoint).toBe(before.archestraEndpoint);
  expect((await sendPush(app, "mcp_none")).status).toBe(404);
  expect((await sendPush(app, serverId, "main", "wrong")).status).toBe(401);
});

test("without their secrets the routes answer 503, and no answer or log line holds a secret", async () => {
  const unset = createTestApp();
  const message = { type: "server.deploy", data: { serverId: "mcp_1", ownerId: "user-1" } };
  expect((await send(unset, message)).body).toMatchObject({ status: 503, code: "TARGET_NOT_CONFIGURED" });
  expect((await sendPush(unset, "mcp_1")).body).toMatchObject({ status: 503, code: "TARGET_NOT_CONFIGURED" });

  const app = createTestApp({ variables: { ...variables, LOG_LEVEL: "debug" } });
  const answers = [
    await send(app, message),
    await send(app, message, undefined, secretOf(9)),
    await sendPush(app, "mcp_1"),
    await sendPush(app, "mcp_1", "main", "wrong"),
  ];
  const written = [...app.logs, ...answers.map(({ text }) => text)].join("\n");
  for (const secret of [SECRET, NEXT_SECRET, SECRET.slice("whsec_".length), GITHUB_WORD, ADMIN_KEY]) {
    expect(written).not.toContain(secret);
  }
});
