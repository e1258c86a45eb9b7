import { expect, test } from "vitest";
import { createAccessTokens } from "../../../src/runtime/agents/access-token.ts";
import { createKey, createTestApp, ENCRYPTION_KEY, newOwner } from "../../support/app.ts";
import { ECHO_API } from "../../support/graphs.ts";

test("a server made and deployed under keys is made and deployed once", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const create = () =>
    app.call("POST", "/mcp/servers", {
      body: { ...ECHO_API, ownerId },
      headers: { "Idempotency-Key": `create-${ownerId}` },
    });
  const [first, again] = [await create(), await create()];
  expect([first.status, again.status, again.text]).toEqual([201, 201, first.text]);
  expect(again.headers.get("idempotency-replayed")).toBe("true");
  expect(again.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
  expect((await app.call("GET", `/mcp/servers?ownerId=${ownerId}`)).body.items).toHaveLength(1);

  const { serverId } = first.body;
  const deploy = (body: object = {}) =>
    app.call("POST", `/mcp/servers/${serverId}/deploy`, {
      body: { ownerId, ...body },
      headers: { "Idempotency-Key": `deploy-${ownerId}` },
    });
  const answers = await Promise.all(Array.from({ length: 100 }, () => deploy()));
  const done = answers.filter((answer) => answer.status === 200);
  expect(done.filter((answer) => !answer.headers.has("idempotency-replayed"))).toHaveLength(1);
  for (const answer of answers)
    if (answer.status !== 200)
      expect([answer.status, answer.body.code, answer.headers.has("retry-after")]).toEqual([409, "DUPLICATE", true]);
  expect((await deploy()).body).toEqual(done[0]?.body);
  expect((await deploy({ target: "edge" })).status).toBe(422);
});

test("the log is followed through the app, and the agent answers as an MCP server", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const server = await app.call("POST", "/mcp/servers", { body: { ...ECHO_API, ownerId, access: "key" } });
  const { serverId } = server.body;
  const deployed = await app.call("POST", `/mcp/servers/${serverId}/deploy`, { body: { ownerId } });
  await app.settle();
  const { key } = await createKey(app, ownerId, ["servers:read"]);
  const open = (headers: Record<string, string>) =>
    app.app.fetch(
      new Request(`http://orchestrix.test/mcp/servers/${serverId}/logs`, {
        headers: { Authorization: `Bearer ${key}`, Accept: "text/event-stream", ...headers },
      }),
    );
  const stream = await open({});
  expect([stream.status, stream.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = (await reader?.read()) ?? {};
  expect(value).toContain("event: deployment_complete");
  await reader?.cancel();
  expect((await open({ "Last-Event-ID": "nonsense" })).status).toBe(400);
  expect(
    (await app.call("GET", `/mcp/servers/${serverId}/logs`, { key: null, headers: { Accept: "text/event-stream" } }))
      .status,
  ).toBe(401);
  const stranger = await createKey(app, newOwner(), ["servers:read"]);
  expect(
    (
      await app.call("GET", `/mcp/servers/${serverId}/logs`, {
        key: stranger.key,
        headers: { Accept: "text/event-stream" },
      })
    ).status,
  ).toBe(404);

  const { agentId } = deployed.body;
  const token = await createAccessTokens(ENCRYPTION_KEY).mint(agentId);
  const ask = (credential: string | null, method: string, params: object = {}) =>
    app.call("POST", `/agents/${agentId}/mcp`, { key: credential, body: { jsonrpc: "2.0", id: 1, method, params } });
  expect((await ask(null, "tools/list")).status).toBe(401);
  const called = await ask(token, "tools/call", { name: "echo_api", arguments: { a: 1 } });
  expect(called.body.result.structuredContent).toEqual({ got: { a: 1 } });
  expect((await app.call("GET", `/agents/${agentId}/mcp`)).status).toBe(405);
  await app.settle();
  expect(app.logs.join("\n")).not.toContain(String(token));
  const cleaned = await app.call("POST", "/admin/jobs/clean-up");
  expect(cleaned.body.report).toMatchObject({ skipped: false, failures: 0 });
});
