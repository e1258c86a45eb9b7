import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JsonObject } from "../../../../src/core/json.ts";
import type { Resolve } from "../../../../src/runtime/outbound/resolve.ts";
import type { ToolResult } from "../../../../src/runtime/tool.ts";
import { httpRequestTool } from "../../../../src/runtime/tools/http-request.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { listen, type NodeListener } from "../../../support/node-listener.ts";
import { execute } from "../execution/scene.ts";
import { createInternet, outboundOn, type RawServer, realFetch, runTool, serve, stepOf } from "./scene.ts";

const BOMB = gzipSync(Buffer.alloc(20_000_000));
const OWN_HOST = "orchestrix.example";

const table: { readonly attack: string; readonly "refused how": string }[] = [];

afterAll(() => console.table(table));

function describe(result: ToolResult): string {
  if (result.kind === "fail") return result.message;
  if (result.kind === "refuse") return `${result.error.code}: ${result.error.detail}`;
  return `let through: ${JSON.stringify(result)}`;
}

/** Nothing may reach the network: what would have been asked is an answer that the assertion does not expect. */
async function refusalOf(config: JsonObject, resolve?: Resolve, allowedHosts: readonly string[] | null = null) {
  const internet = createInternet(() => new Response("reached"));
  const outbound = outboundOn(internet.fetch, { ownHosts: [OWN_HOST], ...(resolve && { resolve }) });
  const result = await runTool(httpRequestTool, config, stepOf({ outbound }, { run: { allowedHosts } }));
  expect(internet.asked).toEqual([]);
  expect(["fail", "refuse"]).toContain(result.kind);
  return describe(result);
}

const NOT_PUBLIC = "is not a public address";
const NEVER = "is link-local or a metadata service";
const NO_PUBLIC_NAME = "is not the name of a public host";
const NOT_HTTP = "neither http nor https";
const NO_URL = "not a complete http or https URL";
const CREDENTIALS = "holds credentials";
const CONTROL = "holds control characters";
const BACKSLASH = "holds a backslash";
const NO_NAME = "not a name that DNS could hold";

test.each([
  ["loopback", "http://127.0.0.1/", NOT_PUBLIC],
  ["anywhere in loopback", "http://127.255.0.9/", NOT_PUBLIC],
  ["this host", "http://0.0.0.0/", NOT_PUBLIC],
  ["zero as a number", "http://0/", NOT_PUBLIC],
  ["one number", "http://2130706433/", NOT_PUBLIC],
  ["one hexadecimal number", "http://0x7f000001/", NOT_PUBLIC],
  ["one octal number", "http://017700000001/", NOT_PUBLIC],
  ["two parts", "http://127.1/", NOT_PUBLIC],
  ["three parts", "http://127.0.1/", NOT_PUBLIC],
  ["a hexadecimal part", "http://0x7f.1/", NOT_PUBLIC],
  ["parts of each kind", "http://0x7f.0.00.0000001/", NOT_PUBLIC],
  ["an octal part", "http://0177.0.0.1/", NOT_PUBLIC],
  ["octal private", "http://012.0.0.1/", NOT_PUBLIC],
  ["a dot at the end", "http://127.0.0.1./", NOT_PUBLIC],
  ["fullwidth digits", "http://１２７.０.０.１/", NOT_PUBLIC],
  ["circled digits", "http://①②⑦.⓪.⓪.①/", NOT_PUBLIC],
  ["ideographic full stops", "http://127。0。0。1/", NOT_PUBLIC],
  ["percent-encoded digits", "http://%31%32%37.0.0.1/", NOT_PUBLIC],
  ["percent-encoded dots", "http://127%2e0%2e0%2e1/", NOT_PUBLIC],
  ["private 10/8", "http://10.1.2.3/", NOT_PUBLIC],
  ["private 172.16/12", "http://172.31.255.255/", NOT_PUBLIC],
  ["private 192.168/16", "http://192.168.1.1/", NOT_PUBLIC],
  ["shared by carriers", "http://100.64.0.1/", NOT_PUBLIC],
  ["benchmarks", "http://198.19.0.1/", NOT_PUBLIC],
  ["multicast", "http://224.0.0.1/", NOT_PUBLIC],
  ["broadcast", "http://255.255.255.255/", NOT_PUBLIC],
  ["a number too large", "http://4294967297/", NO_URL],
  ["five parts", "http://127.0.0.0.1/", NO_URL],
  ["AWS, GCP, Azure metadata", "http://169.254.169.254/latest/meta-data/", NEVER],
  ["metadata as a number", "http://2852039166/", NEVER],
  ["metadata in octal", "http://0251.0376.0251.0376/", NEVER],
  ["Alibaba metadata", "http://100.100.100.200/", NEVER],
  ["Oracle metadata", "http://192.0.0.192/", NEVER],
  ["Azure's host agent", "http://168.63.129.16/", NEVER],
  ["AWS metadata over IPv6", "http://[fd00:ec2::254]/", NEVER],
  ["metadata mapped into IPv6", "http://[::ffff:169.254.169.254]/", NEVER],
  ["GCP metadata over IPv6", "http://[fd20:ce::254]/", NEVER],
  ["metadata compatible with IPv4", "http://[::169.254.169.254]/", NEVER],
  ["metadata translated to IPv4", "http://[::ffff:0:169.254.169.254]/", NEVER],
  ["metadata behind NAT64", "http://[64:ff9b::169.254.169.254]/", NEVER],
  ["metadata behind local NAT64", "http://[64:ff9b:1::169.254.169.254]/", NEVER],
  ["metadata over 6to4", "http://[2002:a9fe:a9fe::]/", NEVER],
  ["IPv6 loopback", "http://[::1]/", NOT_PUBLIC],
  ["IPv6 loopback in full", "http://[0:0:0:0:0:0:0:1]/", NOT_PUBLIC],
  ["IPv6 unspecified", "http://[::]/", NOT_PUBLIC],
  ["IPv4 mapped", "http://[::ffff:127.0.0.1]/", NOT_PUBLIC],
  ["IPv4 mapped in hexadecimal", "http://[::ffff:7f00:1]/", NOT_PUBLIC],
  ["IPv4 compatible", "http://[::127.0.0.1]/", NOT_PUBLIC],
  ["IPv4 translated", "http://[::ffff:0:127.0.0.1]/", NOT_PUBLIC],
  ["NAT64", "http://[64:ff9b::10.0.0.1]/", NOT_PUBLIC],
  ["local NAT64", "http://[64:ff9b:1::8.8.8.8]/", NOT_PUBLIC],
  ["6to4", "http://[2002:7f00:1::]/", NOT_PUBLIC],
  ["Teredo", "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", NOT_PUBLIC],
  ["unique local", "http://[fc00::1]/", NOT_PUBLIC],
  ["site-local", "http://[fec0::1]/", NOT_PUBLIC],
  ["IPv6 link-local", "http://[fe80::1]/", NEVER],
  ["a zone", "http://[fe80::1%25eth0]/", NO_URL],
  ["IPv6 multicast", "http://[ff02::1]/", NOT_PUBLIC],
  ["IPv6 documentation", "http://[2001:db8::1]/", NOT_PUBLIC],
  ["segment routing", "http://[5f00::1]/", NOT_PUBLIC],
  ["localhost", "http://localhost/", NO_PUBLIC_NAME],
  ["localhost in capitals", "http://LOCALHOST./", NO_PUBLIC_NAME],
  ["below localhost", "http://admin.localhost/", NO_PUBLIC_NAME],
  ["circled localhost", "http://ⓛocalhost/", NO_PUBLIC_NAME],
  ["a soft hyphen in localhost", "http://local\u00adhost/", NO_PUBLIC_NAME],
  ["a single label", "http://intranet/", NO_PUBLIC_NAME],
  [".internal", "http://db.internal/", NO_PUBLIC_NAME],
  [".local", "http://printer.local/", NO_PUBLIC_NAME],
  [".home.arpa", "http://router.home.arpa/", NO_PUBLIC_NAME],
  [".corp", "http://wiki.corp/", NO_PUBLIC_NAME],
  ["a cluster's service", "http://kubernetes.default.svc/", NO_PUBLIC_NAME],
  ["GCP metadata by name", "http://metadata.google.internal/", NEVER],
  ["EC2 metadata by name", "http://instance-data/", NEVER],
  ["Tencent metadata by name", "http://metadata.tencentyun.com/", NEVER],
  ["an address in a name", "http://127.0.0.1.nip.io/", NO_PUBLIC_NAME],
  ["an address in a name with dashes", "http://10-0-0-1.sslip.io/", NO_PUBLIC_NAME],
  ["a name for loopback", "http://app.localtest.me/", NO_PUBLIC_NAME],
  ["another name for loopback", "http://lvh.me:8080/", NO_PUBLIC_NAME],
  ["a name with two answers", "http://7f000001.c0a80001.rbndr.us/", NO_PUBLIC_NAME],
  ["the Worker itself", `https://${OWN_HOST}/agents/agent_1`, "is this server itself"],
  ["the Worker itself with a dot", `https://${OWN_HOST}./keys`, "is this server itself"],
  ["a name before @", "http://good.example.com@127.0.0.1/", CREDENTIALS],
  ["a name and password before @", "http://good.example.com:80@127.0.0.1/", CREDENTIALS],
  ["a name behind #@", "http://127.0.0.1#@good.example.com/", NOT_PUBLIC],
  ["a name behind ?@", "http://127.0.0.1?@good.example.com/", NOT_PUBLIC],
  ["two @", "http://a@good.example.com@127.0.0.1/", CREDENTIALS],
  ["an encoded @", "http://good.example.com%40127.0.0.1/", NO_URL],
  ["a backslash before @", "http://127.0.0.1\\@good.example.com/", BACKSLASH],
  ["a backslash behind a name", "http://good.example.com\\@127.0.0.1/", BACKSLASH],
  ["backslashes for slashes", "http:\\\\127.0.0.1/", BACKSLASH],
  ["a tab in the host", "http://127.0\t.0.1/", CONTROL],
  ["a line end in the scheme", "ht\ntp://127.0.0.1/", CONTROL],
  ["a second request in the path", "http://good.example.com/ HTTP/1.1\r\nHost: 127.0.0.1", CONTROL],
  ["a zero byte", "http://good.example.com\u0000.evil.example/", CONTROL],
  ["no slashes", "http:127.0.0.1", NOT_PUBLIC],
  ["many slashes", "http:////127.0.0.1/", NOT_PUBLIC],
  ["no scheme", "//127.0.0.1/", NO_URL],
  ["data:", "data:text/plain,secret", NOT_HTTP],
  ["file:", "file:///etc/passwd", NOT_HTTP],
  ["ftp:", "ftp://good.example.com/", NOT_HTTP],
  ["gopher:", "gopher://127.0.0.1:6379/_FLUSHALL", NOT_HTTP],
  ["javascript:", "javascript:alert(1)", NOT_HTTP],
  ["blob:", "blob:http://127.0.0.1/1", NOT_HTTP],
  ["ws:", "ws://good.example.com/", NOT_HTTP],
  ["a port for mail", "http://good.example.com:25/", "port 25"],
  ["a port for shells", "http://good.example.com:22/", "port 22"],
  ["a port for Redis", "http://good.example.com:6379/", "port 6379"],
  ["port 0", "http://good.example.com:0/", "port 0"],
  ["a port too large", "http://good.example.com:65616/", NO_URL],
  ["a host of dots", "http://.../", NO_NAME],
  ["an empty label", "http://good..example.com/", NO_NAME],
  ["a dollar in the host", "http://good$.example.com/", NO_NAME],
  ["no end", `http://good.example.com/${"a".repeat(9_000)}`, "characters"],
])("refused: %s", async (attack, url, how) => {
  const message = await refusalOf({ url });
  table.push({ attack: `${attack}: ${JSON.stringify(url.slice(0, 60))}`, "refused how": message });
  expect(message).toContain(how);
});

test.each<[string, Resolve, string]>([
  ["a name for loopback alone", async () => ["127.0.0.1"], "has an address that is not public"],
  ["a private address behind a public one", async () => ["93.184.216.34", "10.0.0.1"], "has an address that is not"],
  ["a private IPv6 address beside IPv4", async () => ["93.184.216.34", "fd00::1"], "has an address that is not"],
  ["a mapped address", async () => ["::ffff:127.0.0.1"], "has an address that is not public"],
  ["metadata by an own name", async () => ["169.254.169.254"], "has an address that is not public"],
  ["what is no address", async () => ["93.184.216.34", "http://127.0.0.1/"], "has an address that is not public"],
  ["a resolver that does not answer", async () => null, "could not be looked up"],
  ["no address at all", async () => [], "has no address"],
])("rebinding refused: %s", async (attack, resolve, how) => {
  const message = await refusalOf({ url: "https://rebind.example.com/" }, resolve);
  table.push({ attack: `rebinding: ${attack}`, "refused how": message });
  expect(message).toContain(how);
});

test("a name that turns private between two hops is refused at the second", async () => {
  const answers = [["93.184.216.34"], ["127.0.0.1"]];
  const internet = createInternet(() => new Response(null, { status: 302, headers: { location: "/again" } }));
  const outbound = outboundOn(internet.fetch, { resolve: async () => answers.shift() ?? [] });
  const result = await runTool(httpRequestTool, { url: "https://rebind.example.com/" }, stepOf({ outbound }));
  table.push({ attack: "rebinding: public at the first hop, private at the second", "refused how": describe(result) });
  expect(describe(result)).toContain("has an address that is not public");
  expect(internet.asked.map(({ url }) => url)).toEqual(["https://rebind.example.com/"]);
});

test.each<[string, JsonObject, string]>([
  ["a line end in a value", { "x-a": "1\r\nHost: evil" }, "visible ASCII"],
  ["a bare line feed", { "x-a": "1\nx-b: 2" }, "visible ASCII"],
  ["a line end in a name", { "x-a: 1\r\nx-b": "2" }, "a header's name"],
  ["a zero byte in a value", { "x-a": "a\u0000b" }, "visible ASCII"],
  ["another host", { Host: "127.0.0.1" }, "does not set the header host"],
  ["another length", { "Content-Length": "0" }, "does not set the header content-length"],
  ["chunks of its own", { "Transfer-Encoding": "chunked" }, "does not set the header transfer-encoding"],
  ["an upgrade", { Upgrade: "websocket" }, "does not set the header upgrade"],
  ["somebody else's address", { "X-Forwarded-For": "127.0.0.1" }, "does not set the header x-forwarded-for"],
  ["Cloudflare's own", { "CF-Connecting-IP": "127.0.0.1" }, "does not set the header cf-connecting-ip"],
  ["a rewritten path", { "X-Original-URL": "/admin" }, "does not set the header x-original-url"],
  ["a proxy's credentials", { "Proxy-Authorization": "Basic eA==" }, "does not set the header proxy-authorization"],
  ["what GCP metadata asks for", { "Metadata-Flavor": "Google" }, "does not set the header metadata-flavor"],
  ["one header twice", { "X-A": "1", "x-a": "2" }, "is there twice"],
  ["headers without end", { "x-a": "a".repeat(20_000) }, "characters together"],
])("headers refused: %s", async (attack, headers, how) => {
  const message = await refusalOf({ url: "https://good.example.com/", headers });
  table.push({ attack: `headers: ${attack}`, "refused how": message });
  expect(message).toContain(how);
});

test.each<[string, string, readonly string[]]>([
  ["nowhere is allowed", "https://api.example.com/", []],
  ["another host", "https://evil.example/", ["api.example.com"]],
  ["the host as a beginning", "https://api.example.com.evil.example/", ["api.example.com"]],
  ["the host as an end", "https://evilapi.example.com/", ["api.example.com", "*.api.example.com"]],
  ["the domain itself under a wildcard", "https://example.com/", ["*.example.com"]],
  ["another port", "https://api.example.com:8443/", ["api.example.com:443"]],
  ["the host in the path", "https://evil.example/api.example.com", ["api.example.com"]],
  ["a private address that a policy names", "http://127.0.0.1/", ["127.0.0.1"]],
])("policy refused: %s", async (attack, url, allowedHosts) => {
  const message = await refusalOf({ url }, undefined, allowedHosts);
  table.push({ attack: `policy: ${attack}`, "refused how": message });
  expect(message).toMatch(
    allowedHosts.includes("127.0.0.1") ? /not a public address/ : /^POLICY_REFUSED: .*allowed hosts/,
  );
});

// The rest is contained only by what happens on the wire.

let inner: NodeListener;
let outer: RawServer;
let innerAsked: Request[] = [];

beforeAll(async () => {
  inner = await listen((request) => {
    innerAsked.push(request);
    return Response.json({ secret: "of the inner server" });
  });
  outer = await serve((request, response) => {
    const name = new URL(request.url ?? "/", "http://outer").pathname.split("/")[1] ?? "";
    (behaviours[name] ?? greet)(request, response);
  });
});

type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

const behaviours: Readonly<Record<string, Behaviour>> = {
  to: ({ url = "" }, response) => {
    const location = new URL(url, "http://outer").searchParams.get("location") ?? "";
    response.writeHead(302, { location }).end();
  },
  loop: (_request, response) => response.writeHead(302, { location: "/loop" }).end(),
  longer: ({ url }, response) => response.writeHead(302, { location: `${url}/a` }).end(),
  bomb: (_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(BOMB),
  long: (_request, response) => response.writeHead(200, { "content-length": 5_000_000_000 }).write("x"),
  endless: (_request, response) => {
    const more = () => {
      while (response.writable && response.write("x".repeat(1_000)));
    };
    response.on("drain", more);
    more();
  },
  broken: (_request, response) => {
    response.writeHead(200, { "content-length": 100 });
    response.write("half", () => response.destroy());
  },
  drip: (_request, response) => response.writeHead(200).write("x"),
  silent: () => {},
};

function greet({ headers }: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "set-cookie": ["a=1", "b=2"], "x-host": String(headers.host) }).end("hello");
}

afterAll(async () => {
  await Promise.all([inner.close(), outer.close()]);
});

async function attempt(path: string, config: JsonObject = {}, privateHosts = [outer.host]) {
  innerAsked = [];
  const outbound = outboundOn(realFetch, { privateHosts });
  return runTool(httpRequestTool, { url: `${outer.url}${path}`, ...config }, stepOf({ outbound }));
}

test.each([
  ["to metadata", "http://169.254.169.254/latest/meta-data/iam/", "is link-local or a metadata service"],
  ["to loopback", "http://127.0.0.1:1/", NOT_PUBLIC],
  ["to loopback as a number", "http://2130706433/", NOT_PUBLIC],
  ["to IPv6 loopback", "http://[::1]/", NOT_PUBLIC],
  ["to localhost", "http://localhost/", NO_PUBLIC_NAME],
  ["without a scheme", "//10.0.0.1/", NOT_PUBLIC],
  ["to a file", "file:///etc/passwd", NOT_HTTP],
  ["to data", "data:text/plain,hello", NOT_HTTP],
  ["to credentials", "http://user:password@good.example.com/", CREDENTIALS],
  ["to a bad port", "http://good.example.com:22/", "port 22"],
  ["to nothing", "http://", "may not be asked"],
])("a redirect is refused: %s", async (attack, location, how) => {
  const message = describe(await attempt(`/to?location=${encodeURIComponent(location)}`));
  table.push({ attack: `redirect ${attack}`, "refused how": message });
  expect(message).toContain(how);
});

test("a redirect to another server of the same machine is refused before it is asked", async () => {
  const message = describe(await attempt(`/to?location=${encodeURIComponent(inner.url)}`));
  table.push({ attack: "redirect to another port of an opened host", "refused how": message });
  expect(message).toContain(NOT_PUBLIC);
  expect(innerAsked).toEqual([]);
});

test("a redirect out of the policy's hosts is the policy's to refuse", async () => {
  innerAsked = [];
  const privateHosts = [outer.host, new URL(inner.url).host];
  const outbound = outboundOn(realFetch, { privateHosts });
  const step = stepOf({ outbound }, { run: { allowedHosts: [outer.host] } });
  const url = `${outer.url}/to?location=${encodeURIComponent(inner.url)}`;
  const result = await runTool(httpRequestTool, { url }, step);
  table.push({ attack: "redirect out of the policy's hosts", "refused how": describe(result) });
  expect(result).toMatchObject({ kind: "refuse", error: { code: "POLICY_REFUSED", rule: "allowed-hosts" } });
  expect(innerAsked).toEqual([]);
});

test("credentials stay with the origin that they were meant for", async () => {
  const headers = { authorization: "Bearer secret", cookie: "s=1", "x-api-key": "secret", accept: "text/plain" };
  const privateHosts = [outer.host, new URL(inner.url).host];
  const path = `/to?location=${encodeURIComponent(`${inner.url}/`)}`;
  const result = await attempt(path, { headers }, privateHosts);
  expect(result.kind).toBe("output");
  const got = Object.fromEntries(innerAsked[0]?.headers ?? []);
  expect(got.accept).toBe("text/plain");
  expect([got.authorization, got.cookie, got["x-api-key"]]).toEqual([undefined, undefined, undefined]);
  table.push({ attack: "redirect with credentials to another origin", "refused how": "followed without them" });
});

test.each([
  ["a loop of redirects", "/loop", "redirects more than 5 times"],
  ["redirects that never come back", "/longer", "redirects more than 5 times"],
  ["a gzip bomb of 20 MB in 20 KB", "/bomb", "answered with more than 10000 bytes"],
  ["an answer that says it has 5 GB", "/long", "answered with more than 10000 bytes"],
  ["an answer without end", "/endless", "answered with more than 10000 bytes"],
  ["an answer that breaks off", "/broken", "broke off its answer"],
])("contained: %s", async (attack, path, how) => {
  const message = describe(await attempt(path));
  table.push({ attack, "refused how": message });
  expect(message).toContain(how);
});

test.each([
  ["an answer that drips", "/drip", {}, 10_000],
  ["a server that says nothing", "/silent", {}, 10_000],
  ["a server that says nothing for as long as a step may take", "/silent", { timeoutMs: 10_000 }, 10_000],
  ["a server that says nothing for the time of its step", "/silent", { timeoutMs: 9_990 }, 9_990],
])("contained: %s", async (attack, path, settings, ms) => {
  const clock = createFakeClock();
  const before = outer.asked.length;
  const step = { name: "httpRequest", config: { url: `${outer.url}${path}` }, ...settings };
  const services = { outbound: outboundOn(realFetch, { privateHosts: [outer.host] }) };
  const { execution } = execute([step], { tools: [httpRequestTool], services, clock });
  await expect.poll(() => outer.asked.length).toBeGreaterThan(before);
  await clock.advance(ms);
  const { result, trace } = await execution;
  expect(result).toMatchObject({
    ok: false,
    error: { code: "RUN_TIMEOUT", detail: `step httpRequest: took longer than ${ms} ms` },
  });
  expect(trace).toMatchObject({ outcome: "timeout", status: 504, steps: [{ status: "timeout" }] });
  table.push({ attack, "refused how": trace.error ?? "" });
});

test("cookies of an answer do not reach the graph", async () => {
  const result = await attempt("/");
  expect(result).toMatchObject({
    kind: "output",
    value: { status: 200, body: "hello", headers: { "x-host": outer.host } },
  });
  expect(JSON.stringify(result)).not.toMatch(/set-cookie|transfer-encoding|keep-alive/);
});

test("the table holds at least a hundred attacks", () => {
  expect(table.length).toBeGreaterThan(100);
  expect(table.filter((row) => row["refused how"].startsWith("let through"))).toEqual([]);
});
