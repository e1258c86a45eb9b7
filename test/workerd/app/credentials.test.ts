import { expect, test } from "vitest";
import { createTestApp, newOwner } from "../../support/app.ts";

const ADMIN = "admin.key-with-two.dots-and-length";
const METRICS = "metrics-token-of-the-tests";

/** An app whose admin key has the dots of a token, and in it a public agent that answers with what it sees. */
async function createScene(body: string) {
  const app = createTestApp({ variables: { ADMIN_API_KEY: ADMIN, METRICS_TOKEN: METRICS } });
  const asAdmin = { key: ADMIN };
  const ownerId = newOwner();
  const graph = {
    name: "Mirror",
    description: "",
    inputSchema: { type: "object" },
    tools: [
      { toolId: "input", name: "input" },
      { toolId: "response", name: "response", config: { body } },
    ],
    executionOrder: ["input", "response"],
    access: "public",
    ownerId,
  };
  const { serverId } = (await app.call("POST", "/mcp/servers", { ...asAdmin, body: graph })).body;
  const deployed = await app.call("POST", `/mcp/servers/${serverId}/deploy`, { ...asAdmin, body: { ownerId } });
  const made = await app.call("POST", "/keys", { ...asAdmin, body: { ownerId, name: "k", scopes: ["agents:run"] } });
  const agentId: string = deployed.body.agentId;
  const key: string = made.body.key;
  return { app, asAdmin, path: `/agents/${agentId}`, key };
}

test.each<[string, (key: string) => Readonly<Record<string, string>>]>([
  ["as a bearer", () => ({ Authorization: `Bearer ${ADMIN}` })],
  ["beside the key of an owner", (key) => ({ Authorization: `Bearer ${ADMIN}`, "X-API-Key": key })],
  ["without a scheme", (key) => ({ Authorization: key })],
  ["in capitals", (key) => ({ Authorization: `BEARER ${key.toUpperCase()}` })],
  ["as basic credentials", () => ({ Authorization: `Basic ${btoa(`user:${ADMIN}`)}` })],
  ["in headers of other names", (key) => ({ "X-Forwarded-Authorization": ADMIN, "X-Token": key, "X-M": METRICS })],
])("no graph is shown a credential of ours: %s", async (_how, headersFor) => {
  const { app, asAdmin, path, key } = await createScene("{{request}}");
  const query = `?seen=1&key=${key}&admin=${ADMIN}&metrics=${METRICS}`;
  const answer = await app.call("POST", `${path}${query}`, { key: null, headers: headersFor(key), body: {} });
  expect(answer.body.query).toEqual({ seen: "1" });
  await app.settle();
  const runs = await app.call("GET", `${path}/runs`, asAdmin);
  expect(runs.body.items).toHaveLength(1);
  const everything = [answer.text, runs.text, ...app.logs].join("\n");
  for (const secret of [ADMIN, METRICS, key, key.toUpperCase(), btoa(`user:${ADMIN}`)]) {
    expect(everything).not.toContain(secret);
  }
});

test("a key that somebody puts into the input is masked in the trace", async () => {
  const { app, asAdmin, path } = await createScene("{{input.note}}");
  await app.call("POST", path, { key: null, body: { note: `it is ${ADMIN}` } });
  await app.settle();
  const runs = await app.call("GET", `${path}/runs`, asAdmin);
  expect(runs.text).toContain("it is [masked]");
  expect(runs.text).not.toContain(ADMIN);
});

test("an admin key with dots opens the product's MCP server", async () => {
  const { app } = await createScene("{{request}}");
  const message = { jsonrpc: "2.0", id: 1, method: "tools/list" };
  const { status, body } = await app.call("POST", "/mcp", { key: ADMIN, body: message });
  expect(status).toBe(200);
  expect(body.result.tools.length).toBeGreaterThan(0);
});
