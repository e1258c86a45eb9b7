import { expect, test } from "vitest";
import type { Call } from "../../../src/core/actor.ts";
import { createAgentsContractTarget } from "../../../src/deploy/targets/agents-contract.ts";
import type { CreateAgent } from "../../../src/runtime/contract.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

const CALL: Call = { actor: { kind: "admin", id: "admin" }, requestId: "req_1", origin: "https://orchestrix.test" };
const AGENT: CreateAgent = {
  name: "Echo",
  description: "",
  tools: [{ toolId: "input", name: "input", config: {} }],
  executionOrder: ["input"],
  inputSchema: { type: "object" },
  metadata: {
    createdBy: "orchestrix",
    serverId: "mcp_1",
    createdAt: "2026-02-13T10:30:00.000Z",
    ownerId: "user-123",
    version: 1,
    access: "public",
  },
};
const CREATED = {
  agentId: "agent_abc123",
  publicEndpoint: "https://host.test/agents/agent_abc123",
  dashboardUrl: "https://host.test/dashboard/agent_abc123",
};

function createScene(answer: (url: string, init: RequestInit) => Response | Promise<Response>) {
  const clock = createFakeClock();
  const requests: { url: string; init: RequestInit }[] = [];
  const target = createAgentsContractTarget({
    name: "host",
    fetch: async (url, init) => {
      requests.push({ url, init });
      return answer(url, init);
    },
    collectionUrl: (call) => `${call.origin}/mcp/agents`,
    authorization: "Bearer the-key-of-the-host",
    clock,
    timeoutMs: 1_000,
  });
  return { clock, requests, create: () => target.create(CALL, AGENT) };
}

test("an agent is created with one POST that carries the key, the graph and the request's id", async () => {
  const scene = createScene(() => Response.json(CREATED, { status: 201 }));
  expect(await scene.create()).toEqual({
    ok: true,
    value: { agentId: CREATED.agentId, endpoint: CREATED.publicEndpoint, dashboardUrl: CREATED.dashboardUrl },
  });
  expect(scene.requests).toHaveLength(1);
  const { url, init } = scene.requests[0] ?? { url: "", init: {} };
  expect(url).toBe("https://orchestrix.test/mcp/agents");
  expect(init.method).toBe("POST");
  expect(new Headers(init.headers as HeadersInit).get("authorization")).toBe("Bearer the-key-of-the-host");
  expect(new Headers(init.headers as HeadersInit).get("x-request-id")).toBe("req_1");
  expect(JSON.parse(String(init.body))).toEqual(AGENT);
});

test.each([
  ["error.message", { error: { message: "quota used up", type: "x" } }],
  ["error", { error: "quota used up" }],
  ["message", { message: "quota used up" }],
])("a refusal is told in the host's own words: %s", async (_field, body) => {
  const outcome = await createScene(() => Response.json(body, { status: 422 })).create();
  expect(outcome).toMatchObject({
    ok: false,
    error: { code: "UPSTREAM_FAILED", detail: "the target host failed: 422 quota used up" },
  });
});

test("what a host says is made one short line without secrets", async () => {
  const message = `bad\r\nX-Evil: 1 \u0007 Bearer abc.def mongodb://u:p4ss@db/ ${"x".repeat(5_000)}`;
  const outcome = await createScene(() => Response.json({ message }, { status: 500 })).create();
  const detail = outcome.ok ? "" : outcome.error.detail;
  expect(detail).toContain("500 bad X-Evil: 1");
  expect(detail).not.toMatch(/p4ss|abc\.def|\p{Cc}/u);
  expect(detail.length).toBeLessThan(400);
});

test.each<readonly [string, () => Response | Promise<Response>]>([
  ["HTML", () => new Response("<html>504 Gateway</html>", { status: 200 })],
  ["nothing", () => new Response(null, { status: 200 })],
  ["another shape", () => Response.json({ id: 7 })],
  ["a script as the endpoint", () => Response.json({ ...CREATED, publicEndpoint: "javascript:alert(1)" })],
  ["an answer without end", () => new Response("x".repeat(1_000_000), { status: 200 })],
  ["a redirect", () => new Response(null, { status: 307, headers: { Location: "https://evil.test/" } })],
  ["a connection that breaks", () => Promise.reject(new TypeError("socket hang up at 10.0.0.7"))],
])("%s is a failure of the target, told without its details", async (_what, answer) => {
  const outcome = await createScene(answer).create();
  expect(outcome).toMatchObject({ ok: false, error: { code: "UPSTREAM_FAILED" } });
  expect(JSON.stringify(outcome)).not.toMatch(/10\.0\.0\.7|<html>/);
});

test("a host that does not answer is given up at the deadline", async () => {
  const scene = createScene(() => new Promise(() => {}));
  const outcome = scene.create();
  await scene.clock.advance(1_000);
  expect(await outcome).toMatchObject({ ok: false, error: { code: "UPSTREAM_TIMEOUT" } });
});
