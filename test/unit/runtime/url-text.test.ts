import { expect, test } from "vitest";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { planConfig } from "../../../src/runtime/graph/step-config.ts";
import { httpRequestTool } from "../../../src/runtime/tools/http-request.ts";
import { startCpuTimer } from "../../support/cpu-time.ts";

/** The `url` of a step as it is asked, with one input. */
function urlOf(url: string, input: JsonObject, hidesAll = false) {
  const { planned, faults } = planConfig({ url }, httpRequestTool);
  expect(faults).toEqual([]);
  const scope = new Map<string, Json>([["input", input]]);
  const resolved = planned.resolve(scope, new Map([["KEY", "k/e&y"]]), hidesAll ? () => true : undefined);
  return resolved.ok ? resolved.value.value.url : { error: resolved.error };
}

const HOST = "https://api.example.com";

test.each<[string, JsonObject, string]>([
  ["/orders/{{input.p}}/items", { p: "7" }, "/orders/7/items"],
  ["/orders/{{input.p}}/items", { p: "a/b?x=1#y" }, "/orders/a%2Fb%3Fx%3D1%23y/items"],
  ["/orders/{{input.p}}", { p: "a\\b;c%2e%2e" }, "/orders/a%5Cb%3Bc%252e%252e"],
  ["/orders/{{input.p}}", { p: "ü \ud800" }, "/orders/%C3%BC%20%EF%BF%BD"],
  ["/orders/{{input.p}}", { p: "..." }, "/orders/..."],
  ["/orders/v{{input.p}}", { p: "1.2" }, "/orders/v1.2"],
  ["/orders/{{input.p}}", { p: { a: ["/"] } }, "/orders/%7B%22a%22%3A%5B%22%2F%22%5D%7D"],
  ["/orders/{{input.p?}}", {}, "/orders/"],
  ["/a/../b/./{{input.p}}", { p: "c" }, "/a/../b/./c"],
  ["/find?q={{input.p}}&n=1", { p: "a&n=2#x" }, "/find?q=a%26n%3D2%23x&n=1"],
  ["/find?q={{input.p}}", { p: "../../x y+z" }, "/find?q=..%2F..%2Fx%20y%2Bz"],
  ["?{{input.p}}=1", { p: "a=b" }, "?a%3Db=1"],
  ["/a#{{input.p}}", { p: "b" }, "/a#"],
  ["/a/%7B/{{input.p}}", { p: "b" }, "/a/%7B/b"],
])("%s with %j is asked as %s", (path, input, asked) => {
  expect(urlOf(`${HOST}${path}`, input)).toBe(`${HOST}${asked}`);
});

test.each<[string, JsonObject]>([
  ["/orders/{{input.p}}/items", { p: "../admin?x=1" }],
  ["/orders/{{input.p}}/items", { p: ".." }],
  ["/orders/{{input.p}}/items", { p: "." }],
  ["/orders/{{input.p}}", { p: "%2E%2e" }],
  ["/orders/{{input.p}}", { p: "a/../../b" }],
  ["/orders/{{input.p}}", { p: "a\\..\\b" }],
  ["/orders/{{input.p}}{{input.q}}/items", { p: ".", q: "." }],
  ["/orders/.{{input.p}}/items", { p: "." }],
  ["/orders/%2{{input.p}}./items", { p: "e" }],
  ["/orders/{{input.p}}%2e?a", { p: "." }],
])("%s with %j is refused: it would lead elsewhere", (path, input) => {
  const answer = urlOf(`${HOST}${path}`, input);
  expect(answer).toEqual({ error: expect.stringMatching(/^\{\{input\.[pq]\}\} would lead out of its place/) });
});

test.each<[string, JsonObject, string]>([
  ["{{input.u}}", { u: "https://a.example/x/../y?z=1#f" }, "https://a.example/x/../y?z=1#f"],
  ["{{input.u}}/orders/{{input.p}}", { u: "https://a.example/v1", p: "a/b" }, "https://a.example/v1/orders/a%2Fb"],
  [
    "{{input.u}}/orders/{{input.p}}",
    { u: "https://a.example/?x=", p: "a/b&c" },
    "https://a.example/?x=/orders/a%2Fb%26c",
  ],
  ["https://{{input.u}}/orders/{{input.p}}", { u: "a.example:8080", p: "/" }, "https://a.example:8080/orders/%2F"],
  ["https:{{input.u}}/{{input.p}}", { u: "//a.example", p: "/" }, "https://a.example/%2F"],
  ["https:/a.example/{{input.p}}", { p: "/" }, "https:/a.example/%2F"],
  ["{{input.s}}://a.example/{{input.p}}", { s: "http", p: "?" }, "http://a.example/%3F"],
])("in front of the path a reference is as it is: %s with %j", (url, input, asked) => {
  expect(urlOf(url, input)).toBe(asked);
});

test("a secret in the path is encoded like anything else, and shown as a mask", () => {
  expect(urlOf(`${HOST}/{{secrets.KEY}}?k={{secrets.KEY}}`, {})).toBe(`${HOST}/k%2Fe%26y?k=k%2Fe%26y`);
  expect(urlOf(`${HOST}/{{secrets.KEY}}?k={{secrets.KEY}}`, {}, true)).toBe(`${HOST}/[masked]?k=[masked]`);
});

test("a value that is missing fails by its name, in the fragment too", () => {
  expect(urlOf(`${HOST}/#{{input.p}}`, {})).toEqual({ error: "{{input.p}} has no value" });
});

test("hostile text is written in no time", () => {
  const cpuMs = startCpuTimer();
  urlOf(`${HOST}/${"{{input.p}}/".repeat(100)}`, { p: "%2e./".repeat(10_000) });
  urlOf(`${HOST}/${"{{input.p}}/".repeat(20)}`, { p: "%2e.".repeat(10_000) });
  urlOf(`${" ".repeat(30_000)}{{input.p}}`, { p: "a:".repeat(20_000) });
  expect(cpuMs()).toBeLessThan(500);
});

test("other settings keep what references bring in as it is", () => {
  const { planned } = planConfig({ url: HOST, body: "/{{input.p}}", method: "POST" }, httpRequestTool);
  const resolved = planned.resolve(new Map<string, Json>([["input", { p: "../a" }]]), new Map());
  expect(resolved).toMatchObject({ ok: true, value: { value: { body: "/../a" } } });
});
