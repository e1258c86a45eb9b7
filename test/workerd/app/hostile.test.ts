import { expect, test } from "vitest";
import { composeRefusal } from "../../../src/compose.ts";
import { ConfigError, loadConfig } from "../../../src/config/config.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { createTestApp, newOwner } from "../../support/app.ts";
import { ECHO_API, SIGNUP_API } from "../../support/graphs.ts";

const JSON_TYPE = { "Content-Type": "application/json" };

/** Whatever comes in, the answer is a problem of the 4xx kind, and nothing was stored. */
async function expectRefused(
  send: (app: ReturnType<typeof createTestApp>, ownerId: string) => Promise<{ status: number; body: { code: string } }>,
  status: number,
  code: string,
): Promise<void> {
  const app = createTestApp();
  const ownerId = newOwner();
  const answer = await send(app, ownerId);
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  const listed = await app.call("GET", `/mcp/servers?ownerId=${ownerId}`);
  expect(listed.body.items).toEqual([]);
  expect((await app.call("GET", "/health")).status).toBe(200);
}

test("a body of 10 MB is refused while it streams, also without a Content-Length", async () => {
  let sent = 0;
  const chunk = new Uint8Array(65_536).fill(32);
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += chunk.length;
      if (sent > 10_485_760) controller.close();
      else controller.enqueue(chunk);
    },
  });
  await expectRefused(
    (app) => app.call("POST", "/mcp/servers", { raw: endless, headers: JSON_TYPE }),
    413,
    "PAYLOAD_TOO_LARGE",
  );
  expect(sent).toBeLessThan(1_000_000);
  const big = JSON.stringify({ name: "x".repeat(10_485_760) });
  await expectRefused(
    (app) => app.call("POST", "/mcp/servers", { raw: big, headers: JSON_TYPE }),
    413,
    "PAYLOAD_TOO_LARGE",
  );
});

test("JSON nested ten thousand deep is refused", async () => {
  const deep = `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`;
  await expectRefused(
    (app) => app.call("POST", "/mcp/servers", { raw: deep, headers: JSON_TYPE }),
    400,
    "VALIDATION_FAILED",
  );
});

test("an operator in the place of an owner is refused wherever an owner is read", async () => {
  const ownerId = { $ne: null };
  await expectRefused(
    (app) => app.call("POST", "/mcp/servers", { body: { ...ECHO_API, ownerId } }),
    400,
    "VALIDATION_FAILED",
  );
  await expectRefused(
    (app) => app.call("POST", "/mcp/servers/mcp_1/deploy", { body: { ownerId } }),
    400,
    "VALIDATION_FAILED",
  );
  await expectRefused((app) => app.call("GET", "/mcp/servers?ownerId[$ne]=x"), 400, "VALIDATION_FAILED");
  await expectRefused((app) => app.call("GET", "/mcp/servers?ownerId=a&ownerId=b"), 400, "VALIDATION_FAILED");
});

test("a key __proto__ is refused and changes no prototype", async () => {
  const raw = `{"__proto__":{"polluted":true},${JSON.stringify(ECHO_API).slice(1)}`;
  await expectRefused((app) => app.call("POST", "/mcp/servers", { raw, headers: JSON_TYPE }), 400, "VALIDATION_FAILED");
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("bytes that are no UTF-8 are refused", async () => {
  const raw = new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]);
  await expectRefused((app) => app.call("POST", "/mcp/servers", { raw, headers: JSON_TYPE }), 400, "VALIDATION_FAILED");
});

/** Half a surrogate pair: JSON can spell it, and no store takes it. */
const HALF = "x\ud800";

test("text that no store takes is refused by every route that keeps text, with its path", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const { serverId } = (await app.call("POST", "/mcp/servers", { body: { ...ECHO_API, ownerId } })).body;
  const metadata = { createdBy: "orchestrix", serverId: "text", createdAt: new Date().toISOString(), ownerId };
  const agent = { ...ECHO_API, inputSchema: {}, metadata };
  const respond = (more: object) => [ECHO_API.tools[0], { toolId: "response", name: "response", ...more }];
  const answering = (body: unknown) => ({ tools: respond({ config: { body } }) });
  const server: readonly (readonly [object, string])[] = [
    [{ name: HALF }, "name"],
    [{ description: HALF }, "description"],
    [answering({ a: [HALF] }), "tools.1.config.body.a.0"],
    [answering({ [HALF]: 1 }), "tools.1.config.body.x\ufffd"],
    [answering({ "a\0b": 1 }), "tools.1.config.body.a\0b"],
    [{ inputSchema: { title: HALF } }, "inputSchema.title"],
    [{ inputSchema: { properties: { "a\0b": {} } } }, "inputSchema.properties.a\0b"],
    [{ tools: respond({ when: `input == "${HALF}"` }) }, "tools.1.when"],
    [{ tools: respond({ description: HALF }) }, "tools.1.description"],
    [{ policy: { deny: [{ name: "no", when: `input == "${HALF}"` }] } }, "policy.deny.0.when"],
  ];
  const sent: [string, string, object, string][] = server.flatMap(([more, path]) => [
    ["POST", "/mcp/servers", { ...ECHO_API, ownerId, ...more }, path],
    ["PUT", `/mcp/servers/${serverId}`, { ...ECHO_API, version: 1, ...more }, path],
    ["PATCH", `/mcp/servers/${serverId}`, { version: 1, ...more }, path],
  ]);
  sent.push(
    ["POST", "/mcp/agents", { ...agent, description: HALF }, "description"],
    ["POST", "/mcp/agents", { ...agent, metadata: { ...metadata, createdBy: HALF } }, "metadata.createdBy"],
    ["POST", "/keys", { ownerId, name: HALF, scopes: ["search"] }, "name"],
    ["PUT", "/secrets/TEXT", { ownerId, value: `long enough ${HALF}` }, "value"],
    ["PUT", "/search/documents", { ownerId, documents: [{ ...DOCUMENT, title: HALF }] }, "documents.0.title"],
    ["PUT", "/search/documents", { ownerId, documents: [{ ...DOCUMENT, content: HALF }] }, "documents.0.content"],
  );
  for (const [method, path, body, at] of sent) {
    const { status, body: problem } = await app.call(method, path, { body });
    expect([method, path, status, problem.code], at).toEqual([method, path, 400, "VALIDATION_FAILED"]);
    expect(problem.errors.map((fault: { path: string }) => fault.path)).toEqual([at]);
  }
  expect((await app.call("GET", `/mcp/servers/${serverId}`)).body.version).toBe(1);
  expect(app.logs.filter((line) => line.includes("unhandled_error"))).toEqual([]);
});

const DOCUMENT = { url: "https://example.com/a", title: "A title", content: "Its content" };

test("a server that is refused for its text takes no place of its owner's, and no id", async () => {
  const app = createTestApp({ variables: { QUOTA_SERVERS: "2" } });
  const ownerId = newOwner();
  const serverId = `text-${crypto.randomUUID().slice(0, 8)}`;
  const create = (more: object) => app.call("POST", "/mcp/servers", { body: { ...ECHO_API, ownerId, ...more } });
  for (let n = 0; n < 3; n++) expect((await create({ serverId, description: HALF })).status).toBe(400);
  expect((await create({ serverId, ownerId: newOwner() })).status).toBe(201);
  expect([(await create({})).status, (await create({})).status, (await create({})).status]).toEqual([201, 201, 403]);
});

test("a run takes any text that JSON can spell, and none of it is an error of ours", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const input = { v: HALF, [HALF]: 1, "a\0b": [HALF] };
  const tested = async (graph: object, given: unknown) => {
    const { serverId } = (await app.call("POST", "/mcp/servers", { body: { ...graph, ownerId } })).body;
    const request = { query: { q: HALF } };
    const test = await app.call("POST", `/mcp/servers/${serverId}/run`, { body: { ownerId, input: given, request } });
    const { endpoint } = (await app.call("POST", `/mcp/servers/${serverId}/deploy`, { body: { ownerId } })).body;
    const live = await app.call("POST", endpoint, { key: null, body: given });
    return [test, { ...live, output: live.body }, test.body] as const;
  };
  const [test, live, { status, output }] = await tested(ECHO_API, input);
  expect([test.status, status, live.status]).toEqual([200, 200, 200]);
  expect([output, live.output]).toEqual([{ got: input }, { got: input }]);
  const upsert = { collection: "text", filter: { _id: "{{input.v}}" }, update: { $set: { a: 1 } }, upsert: true };
  for (const [name, config] of [
    ["dbInsert", { collection: "text", document: "{{input}}" }],
    ["dbUpdate", upsert],
  ] as const) {
    const tools = [
      { toolId: "input", name: "input" },
      { toolId: "write", name, config },
    ];
    const refused = await tested({ ...ECHO_API, tools, executionOrder: ["input", "write"] }, input);
    expect([refused[0].status, refused[2].status, refused[1].status], name).toEqual([200, 400, 400]);
  }
  await app.settle();
  expect(app.logs.filter((line) => line.includes("unhandled_error"))).toEqual([]);
});

test("another content type, and a compressed body, are refused", async () => {
  const raw = JSON.stringify(ECHO_API);
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
    await expectRefused(
      (app) => app.call("POST", "/mcp/servers", { raw, headers: { "Content-Type": type } }),
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    );
  }
  await expectRefused(
    (app) => app.call("POST", "/mcp/servers", { raw, headers: { ...JSON_TYPE, "Content-Encoding": "gzip" } }),
    415,
    "UNSUPPORTED_MEDIA_TYPE",
  );
});

test("an id that climbs out of its path is refused", async () => {
  const climbing = ["..%2F..%2Fkeys", "a%00b", "%24ne", "a.b", "-x", "x".repeat(65), "%F0%9F%98%80"];
  for (const id of climbing) {
    await expectRefused((app) => app.call("GET", `/mcp/servers/${id}`), 400, "VALIDATION_FAILED");
    await expectRefused(
      (app, ownerId) => app.call("POST", `/mcp/servers/${id}/deploy`, { body: { ownerId } }),
      400,
      "VALIDATION_FAILED",
    );
  }
  await expectRefused(
    (app, ownerId) => app.call("POST", "/mcp/servers", { body: { ...ECHO_API, ownerId, serverId: "../x" } }),
    400,
    "VALIDATION_FAILED",
  );
});

test("an empty body, an array and a missing field each say what is wrong", async () => {
  const app = createTestApp();
  const empty = await app.call("POST", "/mcp/servers/mcp_1/deploy", { raw: "", headers: JSON_TYPE });
  expect(empty.status).toBe(400);
  expect(empty.body.detail).toContain("body");
  const list = await app.call("POST", "/mcp/servers", { body: [] });
  expect(list.status).toBe(400);
  const missing = await app.call("POST", "/mcp/servers/mcp_1/deploy", { body: {} });
  expect(missing.body.errors).toEqual([{ path: "ownerId", message: expect.any(String) }]);
});

test("the same bodies at a public endpoint are refused too and store nothing", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const server = await app.call("POST", "/mcp/servers", { body: { ...SIGNUP_API, ownerId } });
  const path = `/mcp/servers/${server.body.serverId}/deploy`;
  const { endpoint } = (await app.call("POST", path, { body: { ownerId } })).body;
  const send = (raw: BodyInit, headers: Record<string, string> = JSON_TYPE) =>
    app.call("POST", endpoint, { key: null, raw, headers });
  const answers = await Promise.all([
    send(`{"email":"${"x".repeat(10_485_760)}"}`),
    send("[".repeat(10_000)),
    send('{"email":{"$ne":null},"password":"longenough"}'),
    send('{"__proto__":{"email":"a@b.co"},"password":"longenough"}'),
    send(new Uint8Array([0xff, 0xfe])),
    send("email=a", { "Content-Type": "application/x-www-form-urlencoded" }),
    send('{"email":"a@b.co","password":"longenough","role":"admin"}'),
    send("null"),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([413, 400, 400, 400, 400, 415, 400, 400]);
  await app.settle();
  const users = await app.documents.find({ kind: "owned", name: "users", ownerId }, { filter: {}, limit: 10 });
  expect(users).toEqual([]);
});

test("unknown paths and wrong methods are problems too", async () => {
  const app = createTestApp();
  const unknown = await app.call("GET", "/nothing/here", { key: null });
  expect([unknown.status, unknown.body.code]).toEqual([404, "NOT_FOUND"]);
  const wrong = await app.call("PATCH", "/mcp/servers/mcp_1/deploy");
  expect([wrong.status, wrong.body.code]).toEqual([405, "METHOD_NOT_ALLOWED"]);
  expect(wrong.headers.get("allow")).toBe("POST, PUT, DELETE");
  expect((await app.call("DELETE", "/health")).headers.get("allow")).toBe("GET, HEAD");
});

test("every answer has its request id, the security headers and no secret of ours", async () => {
  const app = createTestApp();
  const answers = [
    await app.call("GET", "/health", { headers: { "X-Request-Id": "given-by-me" } }),
    await app.call("GET", "/health", { headers: { "X-Request-Id": "bad id\twith spaces" } }),
    await app.call("GET", "/mcp/servers/none"),
    await app.call("GET", "/nothing"),
  ];
  expect(answers[0]?.headers.get("x-request-id")).toBe("given-by-me");
  expect(answers[1]?.headers.get("x-request-id")).toMatch(/^req_/);
  for (const { headers } of answers) {
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.get("strict-transport-security")).toMatch(/max-age=\d+/);
    expect(headers.get("server-timing")).toContain("total;dur=");
  }
});

test("under a configuration that is refused nothing is answered, and the log names the variable", async () => {
  const logs: string[] = [];
  const refused = composeRefusal(refusalOf({ RATE_LIMIT_BURST: "plenty" }), systemClock, (line) => logs.push(line));
  for (const path of ["/health", "/mcp/servers"]) {
    const answer = await refused.app.fetch(new Request(`http://orchestrix.test${path}`));
    expect(answer.status).toBe(500);
    expect(await answer.json()).toMatchObject({ code: "INTERNAL", detail: "internal error" });
  }
  expect(logs.join("")).toContain("RATE_LIMIT_BURST");
});

function refusalOf(variables: Readonly<Record<string, string>>): ConfigError {
  try {
    loadConfig(variables);
  } catch (error) {
    if (error instanceof ConfigError) return error;
  }
  throw new Error("the configuration was taken");
}

test("who hangs up in the middle of a body leaves a request behind and no error of ours", async () => {
  const app = createTestApp();
  const paths = [
    "/mcp/servers",
    "/mcp",
    "/agents/agent_1",
    "/webhooks/deploy",
    "/webhooks/github/mcp_1",
    "/tavily/search",
  ];
  for (const path of paths) {
    const raw = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"a":')),
      pull: (controller) => controller.error(new Error("Network connection lost.")),
    });
    expect((await app.call("POST", path, { raw, headers: JSON_TYPE })).status, path).toBe(400);
  }
  const events = app.logs.map((line) => JSON.parse(line));
  expect(events.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  expect(events.filter(({ event }) => event === "request")).toHaveLength(paths.length);
});
