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
