import { expect, test } from "vitest";
import { createKey, createTestApp, newOwner } from "../../support/app.ts";
import { parseExposition, sampleValue } from "../../support/exposition.ts";

const METRICS_TOKEN = "metrics-token-of-the-tests";

test("a scrape shows what was just done, by route and status", async () => {
  const app = createTestApp({ variables: { METRICS_TOKEN } });
  const route = { route: "GET /mcp/servers/{serverId}", status: "404" };
  const before = sampleValue((await app.call("GET", "/metrics")).text, "orchestrix_requests_total", route) ?? 0;
  for (let i = 0; i < 3; i++) await app.call("GET", `/mcp/servers/unknown-${i}`);
  const { status, headers, text } = await app.call("GET", "/metrics", { key: METRICS_TOKEN });
  expect([status, headers.get("content-type")]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
  expect(sampleValue(text, "orchestrix_requests_total", route)).toBe(before + 3);
  const { samples = [] } = parseExposition(text).get("orchestrix_request_duration_seconds") ?? {};
  expect(samples.some(({ labels }) => labels.route === "GET /mcp/servers/{serverId}")).toBe(true);
});

test("only admin and the token read them, and the token opens nothing else", async () => {
  const app = createTestApp({ variables: { METRICS_TOKEN } });
  const { key } = await createKey(app, newOwner(), ["search", "servers:read"]);
  const { key: adminKey } = await createKey(app, newOwner(), ["admin"]);
  const statuses = [];
  for (const credential of [null, "wrong", key, adminKey, METRICS_TOKEN]) {
    statuses.push((await app.call("GET", "/metrics", { key: credential })).status);
  }
  expect(statuses).toEqual([401, 401, 403, 200, 200]);
  expect((await app.call("GET", "/mcp/servers", { key: METRICS_TOKEN })).status).toBe(401);
});

test("nothing of a request but its route is in them", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const { key } = await createKey(app, ownerId, ["search"]);
  await app.call("POST", "/search", { key, body: { query: "a very private question" } });
  await app.call("GET", "/nothing/at/this/path?secret=1");
  const { text } = await app.call("GET", "/metrics");
  for (const secret of ["private", ownerId, key, "nothing/at"]) expect(text).not.toContain(secret);
});
