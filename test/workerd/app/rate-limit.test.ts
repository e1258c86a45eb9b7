import { expect, test } from "vitest";
import { createKey, createTestApp, newOwner } from "../../support/app.ts";
import { ECHO_API } from "../../support/graphs.ts";

const ORIGIN = "http://orchestrix.test";

test("a key that goes too fast is refused with the policy it broke and when to come back", async () => {
  const app = createTestApp();
  const { key } = await createKey(app, newOwner(), ["servers:read"], { limits: { burst: 1_000, perMinute: 3 } });
  const answers = [];
  for (let i = 0; i < 4; i++) answers.push(await app.call("GET", "/mcp/servers", { key }));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
  expect(answers[0]?.headers.get("ratelimit-policy")).toBe(
    '"burst";q=1000;w=1, "minute";q=3;w=60, "hour";q=100000;w=3600',
  );
  expect(answers[1]?.headers.get("ratelimit")).toMatch(/"minute";r=1;t=\d+/);
  const refused = answers[3];
  expect(refused?.body).toMatchObject({
    type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    code: "RATE_LIMITED",
    "violated-policies": ["minute"],
  });
  expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
});

test("one key's traffic does not use up another's", async () => {
  const app = createTestApp();
  const limits = { limits: { perMinute: 1 } };
  const first = await createKey(app, newOwner(), ["servers:read"], limits);
  const second = await createKey(app, newOwner(), ["servers:read"], limits);
  await app.call("GET", "/mcp/servers", { key: first.key });
  expect((await app.call("GET", "/mcp/servers", { key: first.key })).status).toBe(429);
  expect((await app.call("GET", "/mcp/servers", { key: second.key })).status).toBe(200);
});

test("keys can't be guessed at line speed: failures count against the address", async () => {
  const app = createTestApp({ variables: { RATE_LIMIT_PER_MINUTE: "5" } });
  const address = { "CF-Connecting-IP": `2001:db8::${crypto.randomUUID().slice(0, 4)}` };
  const statuses = [];
  for (let i = 0; i < 7; i++) {
    const key = `orx_00_${String(i).repeat(43)}`;
    statuses.push((await app.call("GET", "/mcp/servers", { key, headers: address })).status);
  }
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
});

test("where nobody in front says it, an address is that of the connection, and a header changes nothing", async () => {
  const app = createTestApp({ variables: { RATE_LIMIT_PER_MINUTE: "2", TRUST_CF_CONNECTING_IP: "off" } });
  const host = `198.51.100.${Math.floor(Math.random() * 250)}`;
  const ask = async (clientIp: string | null, n: number) => {
    const headers = { Authorization: "Bearer wrong", "CF-Connecting-IP": `203.0.113.${n}` };
    const cf = clientIp === null ? {} : { cf: { clientIp } };
    const request = new Request("http://orchestrix.test/mcp/servers", { headers, ...cf });
    return (await app.app.fetch(request)).status;
  };
  const sameHost = [];
  for (let n = 0; n < 4; n++) sameHost.push(await ask(`${host}:${40_000 + n}`, n));
  expect(sameHost).toEqual([401, 401, 429, 429]);
  const address = `2001:db8::${crypto.randomUUID().slice(0, 4)}`;
  expect([await ask(`[${address}]:1`, 5), await ask(`[${address}]:2`, 6)]).toEqual([401, 401]);
  expect(await ask(`[${address}]:3`, 7)).toBe(429);
  const nobodySays = [];
  for (let n = 0; n < 4; n++) nobodySays.push(await ask(null, n));
  expect(nobodySays.slice(2)).toEqual([429, 429]);
});

test("health answers however often it is asked", async () => {
  const app = createTestApp({ variables: { RATE_LIMIT_BURST: "1" } });
  const address = { "CF-Connecting-IP": `2001:db8::${crypto.randomUUID().slice(0, 4)}` };
  const answers = await Promise.all(Array.from({ length: 10 }, () => app.call("GET", "/health", { headers: address })));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
});

test("streams of logs and of runs share what a key may follow at once, and lists are answered all the same", async () => {
  const app = createTestApp();
  const ownerId = newOwner();
  const { serverId } = (await app.call("POST", "/mcp/servers", { body: { ...ECHO_API, ownerId } })).body;
  const { endpoint } = (await app.call("POST", `/mcp/servers/${serverId}/deploy`, { body: { ownerId } })).body;
  const { key } = await createKey(app, ownerId, ["servers:read"]);
  const runs = new URL(`${endpoint}/runs`, ORIGIN);
  const logs = new URL(`/mcp/servers/${serverId}/logs`, ORIGIN);
  const follow = async (url: URL, more: Record<string, string> = {}, asKey = key) =>
    app.app.fetch(
      new Request(url, { headers: { Authorization: `Bearer ${asKey}`, Accept: "text/event-stream", ...more } }),
    );
  const opened: Response[] = [];
  for (let i = 0; i < 20; i++) opened.push(await follow(i % 2 === 0 ? runs : logs));
  expect(opened.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
  for (const url of [runs, logs]) {
    const refused = await follow(url);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "10"]);
    expect(await refused.json()).toMatchObject({ code: "RATE_LIMITED", "violated-policies": ["streams-per-caller"] });
    expect((await app.call("GET", url.pathname, { key })).status).toBe(200);
  }
  const other = await follow(runs, {}, (await createKey(app, ownerId, ["servers:read"])).key);
  expect(other.status).toBe(200);
  await other.body?.cancel();

  for (const { body } of opened) await body?.cancel();
  // Neither who may not look nor who says something wrong keeps a place.
  for (let i = 0; i < 25; i++) {
    expect((await follow(runs, { "Last-Event-ID": "nonsense" })).status).toBe(400);
    expect((await follow(new URL("/agents/agent_none/runs", ORIGIN))).status).toBe(404);
  }
  const again: Response[] = [];
  for (let i = 0; i < 21; i++) again.push(await follow(logs));
  expect(again.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(20);
  for (const { body } of again) await body?.cancel();
});
