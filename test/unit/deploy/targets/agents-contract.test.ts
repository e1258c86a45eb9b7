import { expect, test } from "vitest";
import { createAgentsContractTarget } from "../../../../src/deploy/targets/agents-contract.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { agentOf, CALL, fixedRandom } from "../../../support/targets/fixtures.ts";

const AGENT = agentOf();
const CREATED = {
  agentId: "agent_abc123",
  publicEndpoint: "https://host.test/agents/agent_abc123",
  dashboardUrl: "https://host.test/dashboard/agent_abc123",
};
const DEPLOYED = { agentId: CREATED.agentId, endpoint: CREATED.publicEndpoint, dashboardUrl: CREATED.dashboardUrl };
const SERVER = { serverId: "mcp_1", ownerId: "user-123" };

type Answer = (method: string, url: string, init: RequestInit) => Response | Promise<Response>;

function createScene(answer: Answer, options: { authorization?: string; timeoutMs?: number } = {}) {
  const { authorization = "Bearer the-key-of-the-host", timeoutMs = 1_000 } = options;
  const clock = createFakeClock();
  const requests: { method: string; url: string; init: RequestInit }[] = [];
  const target = createAgentsContractTarget({
    name: "host",
    fetch: async (url, init) => {
      const { method = "GET" } = init;
      requests.push({ method, url, init });
      return answer(method, url, init);
    },
    collectionUrl: (call) => `${call.origin}/mcp/agents`,
    authorization,
    clock,
    random: fixedRandom,
    timeoutMs,
  });
  /** Lets pauses pass until there is an outcome. */
  async function settled<T>(outcome: Promise<T>): Promise<T> {
    let done = false;
    const watched = outcome.finally(() => {
      done = true;
    });
    for (let step = 0; step < 20 && !done; step++) await clock.advance(timeoutMs / 20);
    return watched;
  }
  return {
    clock,
    requests,
    methods: () => requests.map(({ method }) => method),
    target,
    create: () => settled(target.create(CALL, AGENT)),
    replace: () => settled(target.replace(CALL, CREATED.agentId, AGENT)),
    remove: () => settled(target.remove(CALL, CREATED.agentId, SERVER)),
    find: () => settled(target.find(CALL, SERVER)),
    health: () => settled(target.health(CALL)),
  };
}

test("an agent is created with one POST that carries the key, the graph and the request's id", async () => {
  const scene = createScene(() => Response.json(CREATED, { status: 201 }));
  expect(await scene.create()).toEqual({ ok: true, value: DEPLOYED });
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
  ["detail", { detail: "quota used up" }],
])("a refusal is told in the host's own words: %s", async (_field, body) => {
  const scene = createScene(() => Response.json(body, { status: 422 }));
  expect(await scene.create()).toMatchObject({
    ok: false,
    error: { code: "UPSTREAM_FAILED", detail: "the target host failed: 422 quota used up" },
  });
  expect(scene.methods()).toEqual(["POST"]);
});

test("what a host says is made one short line without secrets", async () => {
  const message = `bad\r\nX-Evil: 1 \u0007 Bearer abc.def mongodb://u:p4ss@db/ ${"x".repeat(5_000)}`;
  const outcome = await createScene(() => Response.json({ message }, { status: 422 })).create();
  const detail = outcome.ok ? "" : outcome.error.detail;
  expect(detail).toContain("422 bad X-Evil: 1");
  expect(detail).not.toMatch(/p4ss|abc\.def|\p{Cc}/u);
  expect(detail.length).toBeLessThan(400);
});

test("a host that repeats our key bare gives it to nobody", async () => {
  const scene = createScene(() => Response.json({ error: "no such plan for the-key-of-the-host" }, { status: 422 }));
  expect(JSON.stringify(await scene.create())).not.toContain("the-key-of-the-host");
});

test.each([
  'Failed query: insert into "agents" ("id") values ($1) params: s3cret',
  "SELECT * FROM users WHERE password = 's3cret'",
  "TypeError: s3cret is not a function at run (/srv/app/s3cret.js:10:3)",
  "<html><body>s3cret</body></html>",
])("what tells of a host's inside is left out: %s", async (message) => {
  const outcome = await createScene(() => Response.json({ message }, { status: 422 })).create();
  expect(outcome).toEqual({ ok: false, error: { code: "UPSTREAM_FAILED", detail: "the target host failed: 422" } });
});

test.each<readonly [string, () => Response | Promise<Response>]>([
  ["HTML", () => new Response("<html>504 Gateway</html>", { status: 200 })],
  ["nothing", () => new Response(null, { status: 200 })],
  ["another shape", () => Response.json({ id: 7 })],
  ["a script as the endpoint", () => Response.json({ ...CREATED, publicEndpoint: "javascript:alert(1)" })],
  ["an id that climbs", () => Response.json({ ...CREATED, agentId: ".." })],
  ["an id of several lines", () => Response.json({ ...CREATED, agentId: "a\r\nb" })],
  ["an answer without end", () => new Response("x".repeat(1_000_000), { status: 200 })],
  ["a redirect", () => new Response(null, { status: 307, headers: { Location: "https://evil.test/" } })],
  ["a connection that breaks", () => Promise.reject(new TypeError("socket hang up at 10.0.0.7"))],
])("%s is a failure of the target, told without its details", async (_what, answer) => {
  for (const method of ["create", "replace", "find"] as const) {
    const outcome = await createScene(answer)[method]();
    expect(outcome).toMatchObject({ ok: false, error: { code: "UPSTREAM_FAILED" } });
    expect(JSON.stringify(outcome)).not.toMatch(/10\.0\.0\.7|<html>|evil/);
  }
});

test("a host that does not answer is given up at the deadline, by every method", async () => {
  for (const method of ["create", "replace", "remove", "find", "health"] as const) {
    const outcome = await createScene(() => new Promise(() => {}))[method]();
    expect(outcome).toMatchObject({ ok: false, error: { code: "UPSTREAM_TIMEOUT" } });
  }
});

test("a POST that was late is looked for, and not posted again while it may be under way", async () => {
  const scene = createScene((method) =>
    method === "POST" ? new Promise<Response>(() => {}) : Response.json({ error: "none" }, { status: 404 }),
  );
  expect(await scene.create()).toMatchObject({ ok: false, error: { code: "UPSTREAM_TIMEOUT" } });
  expect(scene.methods()).toEqual(["POST", "GET"]);
});

test("a POST whose answer was late is found", async () => {
  const scene = createScene((method) =>
    method === "POST" ? new Promise<Response>(() => {}) : Response.json({ ...CREATED, metadata: SERVER }),
  );
  expect(await scene.create()).toEqual({ ok: true, value: DEPLOYED });
  expect(scene.methods()).toEqual(["POST", "GET"]);
});

test("an answer about another server's agent is none to a POST or a PUT", async () => {
  for (const method of ["create", "replace"] as const) {
    const outcome = await createScene(() => Response.json({ ...CREATED, metadata: { serverId: "mcp_2" } }))[method]();
    expect(outcome).toMatchObject({ ok: false, error: { code: "UPSTREAM_FAILED" } });
  }
});

test.each(["seconds", "date"])("a pause asked for in %s is kept where it fits", async (form) => {
  const scene = createScene(
    (method) => {
      if (method !== "DELETE" || scene.requests.length > 1) return new Response(null, { status: 204 });
      const pause = form === "seconds" ? "2" : new Date(scene.clock.now() + 2_000).toUTCString();
      return Response.json({ error: "slow down" }, { status: 503, headers: { "Retry-After": pause } });
    },
    { timeoutMs: 10_000 },
  );
  const outcome = scene.target.remove(CALL, "agent_1", SERVER);
  await scene.clock.advance(1_999);
  expect(scene.methods()).toEqual(["DELETE"]);
  await scene.clock.advance(1);
  expect(await outcome).toEqual({ ok: true, value: true });
  expect(scene.methods()).toEqual(["DELETE", "DELETE"]);
});

test("a POST that was turned away is looked for before it is sent once more", async () => {
  const scene = createScene(
    (method) => {
      if (method === "GET") return Response.json({}, { status: 404 });
      if (scene.requests.length > 1) return Response.json(CREATED, { status: 201 });
      return Response.json({}, { status: 429, headers: { "Retry-After": "2" } });
    },
    { timeoutMs: 10_000 },
  );
  expect(await scene.create()).toEqual({ ok: true, value: DEPLOYED });
  expect(scene.methods()).toEqual(["POST", "GET", "POST"]);
});

test.each(["create", "replace", "remove", "find"] as const)(
  "a pause longer than the time there is fails %s at once and says when to come back",
  async (method) => {
    const scene = createScene(() =>
      Response.json({ error: "slow down" }, { status: 429, headers: { "Retry-After": "30" } }),
    );
    expect(await scene[method]()).toEqual({
      ok: false,
      error: {
        code: "UPSTREAM_FAILED",
        detail: "the target host failed: 429 slow down; it asks to be tried again in 30 s",
      },
    });
    expect(scene.requests).toHaveLength(1);
  },
);

test.each([401, 403])("%i says that the key was refused, without it", async (status) => {
  for (const method of ["create", "replace", "remove", "find", "health"] as const) {
    const scene = createScene((_method, _url, init) => {
      const key = new Headers(init.headers as HeadersInit).get("authorization");
      return Response.json({ error: `unknown key ${key}` }, { status });
    });
    const outcome = await scene[method]();
    expect(outcome).toEqual({
      ok: false,
      error: { code: "UPSTREAM_FAILED", detail: `the target host failed: it refused our API key (${status})` },
    });
    expect(scene.requests).toHaveLength(1);
  }
});

test("a raw key is sent as it is", async () => {
  const scene = createScene(() => Response.json(CREATED, { status: 201 }), { authorization: "raw-key-0123456789" });
  await scene.create();
  expect(new Headers(scene.requests[0]?.init.headers as HeadersInit).get("authorization")).toBe("raw-key-0123456789");
});

test("a look-up names the server and its owner", async () => {
  const scene = createScene(() => Response.json(CREATED));
  expect(await scene.find()).toEqual({ ok: true, value: DEPLOYED });
  expect(scene.requests[0]?.url).toBe("https://orchestrix.test/mcp/agents?serverId=mcp_1&ownerId=user-123");
});

test.each<readonly [string, unknown, unknown]>([
  ["the agent", CREATED, DEPLOYED],
  ["the agent with its metadata", { ...CREATED, metadata: SERVER, extra: [1] }, DEPLOYED],
  ["a list", [CREATED], DEPLOYED],
  ["a page", { items: [CREATED], nextCursor: null }, DEPLOYED],
  [
    "a list of several",
    [
      { ...CREATED, agentId: "x", metadata: { serverId: "mcp_2" } },
      { ...CREATED, metadata: SERVER },
    ],
    DEPLOYED,
  ],
  ["an empty list", [], null],
  ["an empty page", { items: [] }, null],
  ["null", null, null],
  ["another server's agent", { ...CREATED, metadata: { serverId: "mcp_2" } }, null],
  ["another owner's agent", { ...CREATED, metadata: { serverId: "mcp_1", ownerId: "user-9" } }, null],
  ["only others' agents", [{ ...CREATED, metadata: { serverId: "mcp_2" } }], null],
])("a look-up answered with %s is understood", async (_what, body, expected) => {
  expect(await createScene(() => Response.json(body)).find()).toEqual({ ok: true, value: expected });
});

test.each<readonly [string, unknown]>([
  ["a list of agents that nobody can tell apart", [CREATED, { ...CREATED, agentId: "other" }]],
  ["a list of something else", [{ id: 1 }]],
  ["an error in an answer of 200", { error: "try later" }],
])("a look-up answered with %s is no proof of absence", async (_what, body) => {
  expect(await createScene(() => Response.json(body)).find()).toMatchObject({
    ok: false,
    error: { code: "UPSTREAM_FAILED" },
  });
});

test("an agent of an earlier version that is found is given the graph of this one", async () => {
  const scene = createScene((method) =>
    method === "POST"
      ? Response.json({ ...CREATED, metadata: { ...SERVER, version: 7 } })
      : Response.json({ ...CREATED, metadata: { ...SERVER, version: 1 } }),
  );
  expect(await scene.create()).toEqual({ ok: true, value: DEPLOYED });
  expect(scene.methods()).toEqual(["POST", "PUT"]);
  expect(scene.requests[1]?.url).toBe("https://orchestrix.test/mcp/agents/agent_abc123");
});

test("a replace that is answered without a body is read back", async () => {
  const scene = createScene((method) =>
    method === "PUT" ? new Response(null, { status: 204 }) : Response.json(CREATED),
  );
  expect(await scene.replace()).toEqual({ ok: true, value: DEPLOYED });
  expect(scene.methods()).toEqual(["PUT", "GET"]);
});

test("a replace that makes another agent is a failure", async () => {
  const scene = createScene(() => Response.json({ ...CREATED, agentId: "agent_other" }));
  expect(await scene.replace()).toMatchObject({ ok: false, error: { code: "UPSTREAM_FAILED" } });
});

test("a replace of an agent that is gone is not found", async () => {
  expect(await createScene(() => Response.json({}, { status: 404 })).replace()).toMatchObject({
    ok: false,
    error: { code: "NOT_FOUND" },
  });
});

test("an id is one segment of the path, whatever it holds", async () => {
  const scene = createScene(() => new Response(null, { status: 204 }));
  await scene.target.remove(CALL, "a/b?c#d", SERVER);
  expect(scene.requests[0]?.url).toBe("https://orchestrix.test/mcp/agents/a%2Fb%3Fc%23d");
});

test("removing says whether there was anything to remove", async () => {
  expect(await createScene(() => new Response(null, { status: 204 })).remove()).toEqual({ ok: true, value: true });
  expect(await createScene(() => Response.json({}, { status: 404 })).remove()).toEqual({ ok: true, value: false });
  let asked = 0;
  const lost = createScene(() => {
    asked++;
    return asked === 1 ? Promise.reject(new TypeError("reset")) : Response.json({}, { status: 404 });
  });
  expect(await lost.remove()).toEqual({ ok: true, value: true });
});

test.each([200, 404, 405])("a host that answers a look-up with %i is well", async (status) => {
  expect(await createScene(() => Response.json([], { status })).health()).toEqual({ ok: true, value: null });
});

test("a method that is given up sends nothing more afterwards", async () => {
  const scene = createScene(() => new Promise(() => {}));
  await scene.create();
  const sent = scene.requests.length;
  await scene.clock.advance(60_000);
  expect(scene.requests).toHaveLength(sent);
});
