import { expect, test } from "vitest";
import * as z from "zod";
import type { JsonObject } from "../../../../src/core/json.ts";
import type { TraceHeaders } from "../../../../src/core/trace-context.ts";
import { planConfig } from "../../../../src/runtime/graph/step-config.ts";
import type { OutboundOptions } from "../../../../src/runtime/outbound/guarded-outbound.ts";
import type { Outbound, OutboundOutcome, OutboundRequest } from "../../../../src/runtime/outbound/outbound.ts";
import type { RunContext } from "../../../../src/runtime/tool.ts";
import { httpRequestTool } from "../../../../src/runtime/tools/http-request.ts";
import { createInternet, outboundOn, runTool, stepOf } from "../outbound/scene.ts";

const URL_OF_API = "https://api.example.com/things";

function answer(changes: Partial<Extract<OutboundOutcome, { kind: "answer" }>> = {}): OutboundOutcome {
  return { kind: "answer", status: 200, headers: { "content-type": "text/plain" }, text: "done", ...changes };
}

async function call(
  config: JsonObject,
  outcome = answer(),
  run: Partial<RunContext> = {},
  trace: TraceHeaders | null = null,
) {
  const sent: OutboundRequest[] = [];
  const outbound: Outbound = {
    judge: async () => null,
    async send(request) {
      sent.push(request);
      return outcome;
    },
  };
  const step = stepOf({ outbound }, { run });
  const asOwner = { ...step.asOwner, trace: () => trace };
  const result = await runTool(httpRequestTool, { url: URL_OF_API, ...config }, { ...step, asOwner });
  return { result, sent: sent[0] };
}

test("a request is a GET of its address, within the policy and the run", async () => {
  const { result, sent } = await call({}, answer(), { allowedHosts: ["api.example.com"], maxOutputBytes: 77 });
  expect(sent).toMatchObject({
    url: URL_OF_API,
    method: "GET",
    headers: {},
    body: null,
    allowedHosts: ["api.example.com"],
    maxResponseBytes: 77,
  });
  expect(result).toEqual({
    kind: "output",
    value: { status: 200, headers: { "content-type": "text/plain" }, body: "done" },
  });
});

test.each([
  [URL_OF_API, { q: "a b&c=ü", n: 1, yes: true }, "?q=a+b%26c%3D%C3%BC&n=1&yes=true"],
  [`${URL_OF_API}?q=%20`, { tag: ["x", "y"] }, "?q=%20&tag=x&tag=y"],
  [`${URL_OF_API}#part`, { a: "#" }, "?a=%23"],
  [URL_OF_API, { none: [] }, ""],
])("the query is written behind %s: %j", async (url, query, written) => {
  const { sent } = await call({ url, query });
  expect(sent?.url).toBe(`${URL_OF_API}${written}`);
});

test.each([
  [{ a: 1 }, {}, '{"a":1}', "application/json"],
  [[1, 2], {}, "[1,2]", "application/json"],
  [7, {}, "7", "application/json"],
  [{ a: 1 }, { "Content-Type": "application/vnd.api+json" }, '{"a":1}', "application/vnd.api+json"],
  ["text", {}, "text", "text/plain;charset=UTF-8"],
  ["<a/>", { "content-type": "application/xml" }, "<a/>", "application/xml"],
  [
    { a: "b c", d: [1, true] },
    { "Content-Type": "application/x-www-form-urlencoded" },
    "a=b+c&d=1&d=true",
    "application/x-www-form-urlencoded",
  ],
])("a body %j with %j goes out as %s", async (body, headers, written, type) => {
  const { sent } = await call({ method: "PUT", body, headers });
  expect(sent?.body).toBe(written);
  expect(sent?.headers).toEqual({ "content-type": type });
});

test("a form holds no objects", async () => {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const { result, sent } = await call({ method: "POST", headers, body: { a: { b: 1 } } });
  expect(result).toMatchObject({ kind: "fail", message: expect.stringContaining("a form's fields") });
  expect(sent).toBeUndefined();
});

test("the output of a step that was skipped is no body", async () => {
  expect((await call({ method: "POST", body: null })).sent?.body).toBeNull();
});

test.each([
  ["POST", { "idempotency-key": "run_1.call" }],
  ["PATCH", { "idempotency-key": "run_1.call" }],
  ["PUT", {}],
  ["DELETE", {}],
  ["GET", {}],
])("a %s carries %j", async (method, headers) => {
  expect((await call({ method })).sent?.headers).toEqual(headers);
});

const OURS = { traceparent: "00-ours-1-01", tracestate: "vendor=1" };

test("the graph's own key and trace come first", async () => {
  const headers = { "Idempotency-Key": "mine", Traceparent: "00-a-b-01", "X-Retries": 3 };
  const { sent } = await call({ method: "POST", headers }, answer(), {}, OURS);
  expect(sent?.headers).toEqual({ "idempotency-key": "mine", traceparent: "00-a-b-01", "x-retries": "3" });
});

test("the run's trace is passed on, with its state where it has one", async () => {
  expect((await call({}, answer(), {}, OURS)).sent?.headers).toEqual(OURS);
  const { traceparent } = OURS;
  expect((await call({}, answer(), {}, { traceparent, tracestate: null })).sent?.headers).toEqual({ traceparent });
  const { sent } = await call({ headers: { TraceState: "mine=1" } }, answer(), {}, OURS);
  expect(sent?.headers).toEqual({ traceparent, tracestate: "mine=1" });
});

test.each([
  ["application/json", '{"a":[1]}', { a: [1] }],
  ["application/problem+json; charset=utf-8", '{"a":1}', { a: 1 }],
  ["text/json", "null", null],
  ["application/json", "{broken", "{broken"],
  ["application/json", '{"__proto__":{"a":1}}', '{"__proto__":{"a":1}}'],
  ["application/json", "[".repeat(100), "[".repeat(100)],
  ["application/json", "", ""],
  ["application/jsonp", "{}", "{}"],
  ["text/plain", "{}", "{}"],
])("%s of %s comes back as %j", async (type, text, body) => {
  const { result } = await call({}, answer({ headers: { "content-type": type }, text }));
  expect(result).toMatchObject({ kind: "output", value: { body } });
  if (result.kind === "output") expect(httpRequestTool.output.safeParse(result.value).success).toBe(true);
});

test.each([
  [200, undefined, "output", undefined],
  [304, undefined, "output", undefined],
  [404, undefined, "fail", undefined],
  [404, [200, 404], "output", undefined],
  [200, [201], "fail", undefined],
  [408, undefined, "fail", true],
  [429, undefined, "fail", true],
  [500, undefined, "fail", true],
  [503, undefined, "fail", true],
])("a status %i where %j is expected: %s", async (status, expected, kind, isPassing) => {
  const url = `${URL_OF_API}?key=secret`;
  const { result } = await call({ url, ...(expected && { expect: expected }) }, answer({ status, text: "secret" }));
  expect(result.kind).toBe(kind);
  if (result.kind !== "fail") return;
  expect(result).toEqual({
    kind,
    message: `api.example.com answered with status ${status}`,
    ...(isPassing && { isPassing }),
  });
});

test("what the policy refuses ends the run by the rule's name", async () => {
  const { result } = await call({}, { kind: "refused", message: "not there", rule: "allowed-hosts" });
  expect(result).toEqual({
    kind: "refuse",
    error: { code: "POLICY_REFUSED", detail: "not there", rule: "allowed-hosts", runId: "run_1", step: "call" },
  });
});

test.each<[OutboundOutcome, object]>([
  [
    { kind: "refused", message: "not public", rule: null },
    { kind: "fail", message: "not public" },
  ],
  [
    { kind: "failed", message: "down", isPassing: true },
    { kind: "fail", message: "down", isPassing: true },
  ],
  [
    { kind: "failed", message: "too long", isPassing: false },
    { kind: "fail", message: "too long" },
  ],
])("%j is a failure", async (outcome, result) => {
  expect((await call({}, outcome)).result).toEqual(result);
});

/** A dry run on an internet that must not be asked. */
async function tryDry(config: JsonObject, options: Partial<OutboundOptions> = {}, run: Partial<RunContext> = {}) {
  const internet = createInternet(() => new Response("asked"));
  const step = stepOf({ outbound: outboundOn(internet.fetch, options) }, { run: { dryRun: true, ...run } });
  const result = await runTool(httpRequestTool, { url: URL_OF_API, ...config }, step, "preview");
  expect(internet.asked).toEqual([]);
  return result;
}

test("a dry run sends nothing and says what it would, without the query; what is answered is not known", async () => {
  const config = { url: `${URL_OF_API}?key=secret`, method: "POST", body: { a: 1 }, expect: [201] };
  expect(await tryDry(config)).toEqual({
    kind: "output",
    value: { status: 201, headers: {}, body: { dryRun: true, would: { method: "POST", url: URL_OF_API } } },
    isStandIn: true,
  });
  expect(await tryDry({})).toMatchObject({ isStandIn: true, value: { body: { would: { method: "GET" } } } });
});

test("a dry run shows the policy's refusal", async () => {
  expect(await tryDry({}, {}, { allowedHosts: ["*.other.example"] })).toMatchObject({
    kind: "refuse",
    error: { code: "POLICY_REFUSED", rule: "allowed-hosts" },
  });
});

test.each<[JsonObject, string, (readonly string[])?]>([
  [{ url: "http://10.0.0.1/" }, "10.0.0.1 is not a public address"],
  [{ url: "http://localhost:8080/" }, "localhost is not the name of a public host"],
  [{ url: "https://api.example.com:22/" }, "port 22 of api.example.com is not one for HTTP"],
  [{}, "api.example.com has an address that is not public", ["93.184.216.34", "10.0.0.1"]],
  [{}, "api.example.com has no address", []],
  [{ url: "https://own.example/" }, "own.example is this server itself: use callAgent"],
  [
    { method: "POST", headers: { "Content-Type": "application/x-www-form-urlencoded" }, body: { a: {} } },
    "body: a form's fields are texts, numbers, booleans or lists of them",
  ],
])("a dry run fails where the guard refuses: %j, %s", async (config, message, addresses = ["93.184.216.34"]) => {
  const result = await tryDry(config, { resolve: async () => addresses, ownHosts: ["own.example"] });
  expect(result).toEqual({ kind: "fail", message });
});

test("a dry run cannot tell of a name that nobody can look up", async () => {
  const message = "api.example.com could not be looked up, and was not asked";
  expect(await tryDry({}, { resolve: async () => null })).toEqual({ kind: "fail", message, isPassing: true });
});

test.each<[JsonObject, string]>([
  [{ url: "ftp://api.example.com/" }, "url"],
  [{ url: "api.example.com" }, "url"],
  [{ url: "https://u:p@api.example.com/" }, "url"],
  [{ url: "http://169.254.169.254/" }, "url"],
  [{ url: "http://metadata.google.internal/" }, "url"],
  [{ method: "TRACE" }, "method"],
  [{ headers: { Host: "x" } }, "headers.Host"],
  [{ headers: { "x-a": "a\nb" } }, "headers.x-a"],
  [{ headers: { "x-a": "{{input.a}}", "X-A": "b" } }, "headers"],
  [{ headers: { "x-a": null } }, "headers.x-a"],
  [{ query: { a: { b: 1 } } }, "query.a"],
  [{ body: { a: "{{input.a}}" } }, "body"],
  [{ method: "HEAD", body: "x" }, "body"],
  [{ expect: [] }, "expect"],
  [{ expect: [99] }, "expect.0"],
  [{ expect: 200 }, "expect"],
  [{ timeout: 1 }, "timeout"],
])("when it is written, %j is a fault of %s", (config, path) => {
  const { faults } = planConfig({ url: URL_OF_API, ...config }, httpRequestTool);
  expect(faults.map((fault) => fault.path)).toEqual([path]);
});

test.each<JsonObject>([
  // An operator may have opened it.
  { url: "http://10.0.0.5:8080/" },
  { url: "http://db.internal/" },
  { url: "https://{{input.host}}/" },
  { method: "{{input.method}}", body: "{{input}}" },
  { method: "POST", headers: { authorization: "Bearer {{secrets.KEY}}" }, query: { q: "{{input.q?}}" } },
])("when it is written, %j has no fault", (config) => {
  expect(planConfig({ url: URL_OF_API, ...config }, httpRequestTool).faults).toEqual([]);
});

test("its settings can be shown as JSON Schema", () => {
  expect(z.toJSONSchema(httpRequestTool.config, { io: "input", unrepresentable: "any" })).toMatchObject({
    type: "object",
    required: ["url"],
  });
});
