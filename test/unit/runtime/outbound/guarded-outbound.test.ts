import { afterAll, beforeAll, expect, test } from "vitest";
import type { OutboundRequest } from "../../../../src/runtime/outbound/outbound.ts";
import { listen, type NodeListener } from "../../../support/node-listener.ts";
import { createInternet, outboundOn, realFetch, requestOf } from "./scene.ts";

const API = "https://api.example.com";

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

let server: NodeListener;
let seen: Seen[] = [];

beforeAll(async () => {
  server = await listen(async (request) => {
    const { pathname, search, searchParams } = new URL(request.url);
    const headers = Object.fromEntries(request.headers);
    seen.push({ method: request.method, path: `${pathname}${search}`, headers, body: await request.text() });
    const status = Number(searchParams.get("status") ?? 200);
    const location = searchParams.get("to");
    return new Response(status === 204 ? null : "done", { status, headers: location === null ? {} : { location } });
  });
});

afterAll(() => server.close());

async function ask(path: string, changes: Partial<OutboundRequest> = {}) {
  seen = [];
  const outbound = outboundOn(realFetch, { privateHosts: [new URL(server.url).host] });
  return outbound.send(requestOf(`${server.url}${path}`, changes));
}

test("a request arrives as it was made, under a name of ours", async () => {
  const body = '{"text":"ü"}';
  const headers = { "Content-Type": "application/json", "X-Api-Key": "k" };
  expect(await ask("/things?a=1#part", { method: "PUT", headers, body })).toMatchObject({
    kind: "answer",
    status: 200,
    text: "done",
  });
  expect(seen).toMatchObject([{ method: "PUT", path: "/things?a=1", body }]);
  expect(seen[0]?.headers).toMatchObject({
    "content-type": "application/json",
    "x-api-key": "k",
    "user-agent": "Orchestrix/1.0 (agent graph)",
  });
});

test("a graph may give another name", async () => {
  await ask("/", { headers: { "User-Agent": "mine" } });
  expect(seen[0]?.headers["user-agent"]).toBe("mine");
});

test.each([
  [301, "POST", "GET", ""],
  [302, "POST", "GET", ""],
  [303, "POST", "GET", ""],
  [303, "PUT", "GET", ""],
  [301, "PUT", "PUT", "data"],
  [302, "PATCH", "PATCH", "data"],
  [307, "POST", "POST", "data"],
  [308, "POST", "POST", "data"],
  [308, "DELETE", "DELETE", "data"],
])("after %i a %s becomes a %s", async (status, method, next, body) => {
  const headers = { "content-type": "text/plain", authorization: "Bearer t" };
  const outcome = await ask(`/first?status=${status}&to=/second`, { method, headers, body: "data" });
  expect(outcome).toMatchObject({ kind: "answer", status: 200 });
  expect(seen.map((one) => one.method)).toEqual([method, next]);
  expect(seen[1]).toMatchObject({ path: "/second", body, headers: { authorization: "Bearer t" } });
  if (body === "") expect(seen[1]?.headers["content-type"]).toBeUndefined();
});

test("a redirect that leads nowhere is an answer", async () => {
  expect(await ask("/?status=302")).toMatchObject({ kind: "answer", status: 302 });
});

test.each([
  ["HEAD", 200],
  ["GET", 204],
])("%s of %i has no text", async (method, status) => {
  expect(await ask(`/?status=${status}`, { method })).toMatchObject({ kind: "answer", status, text: "" });
});

test("five redirects are followed, a sixth is not", async () => {
  const hops = (count: number) => {
    const internet = createInternet((url) => {
      const left = Number(new URL(url).pathname.slice(1));
      if (left === 0) return new Response("there");
      return new Response(null, { status: 302, headers: { location: `/${left - 1}` } });
    });
    return outboundOn(internet.fetch).send(requestOf(`${API}/${count}`));
  };
  expect(await hops(5)).toMatchObject({ kind: "answer", text: "there" });
  expect(await hops(6)).toMatchObject({ kind: "failed", isPassing: false });
});

test("https does not turn into http, http may turn into https", async () => {
  const to = (location: string) =>
    createInternet((url) =>
      url.endsWith("/start") ? new Response(null, { status: 302, headers: { location } }) : new Response("there"),
    );
  expect(await outboundOn(to("http://api.example.com/").fetch).send(requestOf(`${API}/start`))).toEqual({
    kind: "refused",
    message: "api.example.com redirects from https to http",
    rule: null,
  });
  const upward = outboundOn(to(`${API}/`).fetch).send(requestOf("http://api.example.com/start"));
  expect(await upward).toMatchObject({ kind: "answer" });
});

test("credentials that were dropped on the way do not come back at home", async () => {
  const internet = createInternet((url) => {
    if (url.endsWith("/start")) return new Response(null, { status: 307, headers: { location: "https://b.example/" } });
    if (url.startsWith("https://b.example"))
      return new Response(null, { status: 307, headers: { location: `${API}/end` } });
    return new Response("there");
  });
  const headers = { authorization: "Bearer t", cookie: "a=1", "x-key": "k", "idempotency-key": "run_1.call" };
  const sent = requestOf(`${API}/start`, { method: "POST", headers, body: "data" });
  expect(await outboundOn(internet.fetch).send(sent)).toMatchObject({ kind: "answer" });
  const got = internet.asked.map((one) => [one.url, one.headers.get("authorization"), one.headers.get("x-key")]);
  expect(got).toEqual([
    [`${API}/start`, "Bearer t", "k"],
    ["https://b.example/", null, null],
    [`${API}/end`, null, null],
  ]);
  expect(internet.asked.map((one) => one.headers.get("idempotency-key"))).toEqual(Array(3).fill("run_1.call"));
});

test.each([
  ["api.example.com", `${API}/`],
  ["API.example.com", `${API}:8443/`],
  ["api.example.com:443", `${API}/`],
  ["api.example.com:8443", `${API}:8443/`],
  ["*.example.com", `${API}/`],
  ["*.example.com", "https://a.b.example.com/"],
  ["*.example.com:8443", `${API}:8443/`],
  ["api.example.com", "https://API.EXAMPLE.COM./"],
])("a policy of %s lets %s through", async (pattern, url) => {
  const internet = createInternet(() => new Response("there"));
  const request = requestOf(url, { allowedHosts: ["other.example", pattern] });
  expect(await outboundOn(internet.fetch).send(request)).toMatchObject({ kind: "answer" });
});

test.each([
  ["127.0.0.1:9000", "http://127.0.0.1:9000/", true],
  ["127.0.0.1:9000", "http://127.0.0.1:9001/", false],
  ["127.0.0.1:9000", "http://localhost:9000/", false],
  ["db.internal", "http://db.internal:6379/", true],
  ["db.internal", "http://a.db.internal/", false],
  ["[0:0::1]:9000", "http://[::1]:9000/", true],
  ["169.254.169.254", "http://169.254.169.254/", false],
  ["[2002:a9fe:a9fe::]", "http://[2002:a9fe:a9fe::]/", false],
  ["[2002:a00:1::]", "http://[2002:a00:1::]/", true],
  ["[64:ff9b:1::a9fe:a9fe]", "http://[64:ff9b:1::a9fe:a9fe]/", false],
  ["[::a9fe:a9fe]", "http://[::a9fe:a9fe]/", false],
  ["metadata.tencentyun.com", "http://metadata.tencentyun.com/", false],
])("what the operator opens as %s: %s", async (opened, url, isOpen) => {
  const internet = createInternet(() => new Response("there"));
  const resolve = async () => ["10.0.0.1"];
  const outcome = await outboundOn(internet.fetch, { privateHosts: [opened], resolve }).send(requestOf(url));
  expect(outcome.kind).toBe(isOpen ? "answer" : "refused");
});

test("the Worker's own host stays closed, whoever opens it", async () => {
  const hosts = { ownHosts: ["127.0.0.1:8787"], privateHosts: ["127.0.0.1:8787", "127.0.0.1:9000"] };
  const outbound = outboundOn(createInternet(() => new Response("there")).fetch, hosts);
  expect(await outbound.send(requestOf("http://127.0.0.1:8787/"))).toMatchObject({ kind: "refused" });
  expect(await outbound.send(requestOf("http://127.0.0.1:9000/"))).toMatchObject({ kind: "answer" });
});

test("a public name with public addresses is asked, an address itself is not looked up", async () => {
  const looked: string[] = [];
  const resolve = async (host: string) => {
    looked.push(host);
    return ["93.184.216.34", "2606:2800::1"];
  };
  const outbound = outboundOn(createInternet(() => new Response("there")).fetch, { resolve });
  expect(await outbound.send(requestOf(`${API}/`))).toMatchObject({ kind: "answer" });
  expect(await outbound.send(requestOf("https://1.1.1.1/"))).toMatchObject({ kind: "answer" });
  expect(looked).toEqual(["api.example.com"]);
});

const down = () => Promise.reject(new TypeError("connection refused at 93.184.216.34"));

test.each([
  ["GET", {}, true],
  ["PUT", {}, true],
  ["DELETE", {}, true],
  ["POST", {}, false],
  ["PATCH", {}, false],
  ["POST", { "Idempotency-Key": "run_1.call" }, true],
])("a %s that nobody took, with %j, may pass: %s", async (method, headers, isPassing) => {
  const outcome = await outboundOn(down).send(requestOf(`${API}/secret?key=1`, { method, headers }));
  expect(outcome).toEqual({ kind: "failed", message: "api.example.com could not be reached", isPassing });
});

test("what was posted before a redirect is not posted again because the rest failed", async () => {
  const internet = createInternet((url) =>
    url.endsWith("/next") ? down() : new Response(null, { status: 303, headers: { location: "/next" } }),
  );
  const outcome = await outboundOn(internet.fetch).send(requestOf(`${API}/`, { method: "POST", body: "data" }));
  expect(outcome).toMatchObject({ kind: "failed", isPassing: false });
});

test("a run that ends takes its request along", async () => {
  const controller = new AbortController();
  let inner: AbortSignal | null | undefined;
  const outbound = outboundOn((_url, init) => {
    inner = init.signal;
    return new Promise((_resolve, reject) => inner?.addEventListener("abort", () => reject(new TypeError("aborted"))));
  });
  const outcome = outbound.send(requestOf(`${API}/`, { signal: controller.signal }));
  await expect.poll(() => inner).toBeDefined();
  controller.abort();
  await expect(outcome).rejects.toMatchObject({ name: "AbortError" });
  expect(inner?.aborted).toBe(true);
});

test("headers of an answer are in lower case and bounded, without cookies and without names of prototypes", async () => {
  const many = Array.from({ length: 100 }, (_, i): [string, string] => [`x-${i}`, "v"]);
  const headers = new Headers([["X-Long", "l".repeat(20_000)], ["Constructor", "c"], ["Set-Cookie", "a=1"], ...many]);
  const outcome = await outboundOn(createInternet(() => new Response("x", { headers })).fetch).send(
    requestOf(`${API}/`),
  );
  if (outcome.kind !== "answer") throw new Error(outcome.message);
  const names = Object.keys(outcome.headers);
  expect(names).toHaveLength(64);
  expect(names.filter((name) => /cookie|constructor|long|[A-Z]/.test(name))).toEqual([]);
});

test.each([
  ["text/plain", [0xc3, 0xbc], "ü"],
  ["text/plain; charset=iso-8859-1", [0xfc], "ü"],
  ['text/html; Charset="UTF-16LE"', [0xfc, 0x00], "ü"],
  ["text/plain; charset=klingon", [0xc3, 0xbc], "ü"],
  ["text/plain", [0xff], "\ufffd"],
])("%s of %j reads as %s", async (type, bytes, text) => {
  const response = () => new Response(new Uint8Array(bytes), { headers: { "content-type": type } });
  expect(await outboundOn(createInternet(response).fetch).send(requestOf(`${API}/`))).toMatchObject({ text });
});

test("a body as long as it may be is read, one byte more is not", async () => {
  const outbound = outboundOn(createInternet(() => new Response("x".repeat(100))).fetch);
  expect(await outbound.send(requestOf(`${API}/`, { maxResponseBytes: 100 }))).toMatchObject({ kind: "answer" });
  expect(await outbound.send(requestOf(`${API}/`, { maxResponseBytes: 99 }))).toEqual({
    kind: "failed",
    message: "api.example.com answered with more than 99 bytes",
    isPassing: false,
  });
});

test.each([
  ["a method that is none", { method: "CONNECT" }, "the method is one of"],
  ["a method in lower case", { method: "get" }, "the method is one of"],
  ["a body of a GET", { body: "x" }, "a GET carries no body"],
  ["a body without end", { method: "POST", body: "ü".repeat(600_000) }, "a body holds at most"],
  [
    "too many headers",
    { headers: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`x-${i}`, ""])) },
    "64 headers",
  ],
])("refused: %s", async (_what, changes, message) => {
  const internet = createInternet(() => new Response("there"));
  const outcome = await outboundOn(internet.fetch).send(requestOf(`${API}/`, changes));
  expect(outcome).toMatchObject({ kind: "refused", message: expect.stringContaining(message), rule: null });
  expect(internet.asked).toEqual([]);
});

test("no message tells the path, the query or a header", async () => {
  const url = `${API}:8443/path-secret?query-secret`;
  const headers = { authorization: "Bearer header-secret" };
  const stuck = (location: string) => () => new Response(null, { status: 302, headers: { location } });
  const outcomes = await Promise.all([
    outboundOn(down).send(requestOf(url, { headers })),
    outboundOn(createInternet(stuck("http://10.0.0.1/path-secret?query-secret")).fetch).send(
      requestOf(url, { headers }),
    ),
    outboundOn(createInternet(stuck("ftp://u:header-secret@h/path-secret")).fetch).send(requestOf(url, { headers })),
    outboundOn(down).send(requestOf(url, { headers: { authorization: "header-secret\n" } })),
    outboundOn(down).send(requestOf(url, { headers: { "header-secret\n": "1" } })),
    outboundOn(down).send(requestOf(`https://u:header-secret@h.example/path-secret?query-secret`)),
  ]);
  expect(outcomes.map((outcome) => outcome.kind)).not.toContain("answer");
  expect(JSON.stringify(outcomes)).not.toContain("secret");
});
