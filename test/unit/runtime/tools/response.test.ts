import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../src/core/json.ts";
import { toResponse } from "../../../../src/runtime/execution/run-response.ts";
import { responseTool } from "../../../../src/runtime/tools/response.ts";
import { runTool } from "../../../support/runtime/step-context.ts";

async function respond(config: JsonObject): Promise<Response> {
  const result = await runTool(responseTool, config);
  if (result.kind !== "answer") throw new Error(result.kind);
  return toResponse(result.answer, "run_1");
}

test("a body goes out as JSON with status 200 unless told otherwise", async () => {
  const response = await respond({ body: { a: [1] } });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(response.headers.get("x-run-id")).toBe("run_1");
  expect(await response.text()).toBe('{"a":[1]}');
});

test("a text with a type of its own goes out as it is", async () => {
  const response = await respond({ headers: { "Content-Type": "text/csv" }, body: "a,b" });
  expect(response.headers.get("content-type")).toBe("text/csv");
  expect(await response.text()).toBe("a,b");
});

test("half a surrogate pair goes out as U+FFFD in a text, and escaped in JSON", async () => {
  const headers = { "content-type": "text/csv" };
  expect(await (await respond({ headers, body: "a\ud800,b" })).text()).toBe("a\ufffd,b");
  expect(await (await respond({ body: { "\udc00": "a\ud800" } })).text()).toBe('{"\\udc00":"a\\ud800"}');
});

test("a text without one is JSON", async () => {
  expect(await (await respond({ body: "a" })).text()).toBe('"a"');
});

test("null goes out as null, which is JSON", async () => {
  const response = await respond({ body: null });
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(await response.json()).toBeNull();
});

test.each([{}, { status: 204, body: null }, { status: 204, body: { a: 1 } }, { status: 304, body: "x" }])(
  "%j has no body",
  async (config) => {
    const response = await respond(config);
    expect(response.body).toBeNull();
  },
);

test("a page that a graph sends is of no origin and runs no script", async () => {
  const response = await respond({ headers: { "content-type": "text/html" }, body: "<script>steal()</script>" });
  expect(response.headers.get("content-security-policy")).toMatch(/default-src 'none'.*; sandbox$/);
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
});

describe("a header that would reach beyond the answer is refused", () => {
  test.each<[string, string]>([
    ["X-A", "a\r\nSet-Cookie: b=c"],
    ["X-A", "a\nb"],
    ["X-A", "nul\u0000"],
    ["X-A", "smile \u{1f600}"],
    ["X-A: b\r\nX-C", "d"],
    ["X A", "b"],
    ["", "b"],
    ["Set-Cookie", "session=1"],
    ["sEt-CoOkIe", "session=1"],
    ["Transfer-Encoding", "chunked"],
    ["Content-Length", "0"],
    ["Connection", "close"],
    ["Content-Security-Policy", "default-src *"],
    ["Access-Control-Allow-Origin", "*"],
    ["X-Run-Id", "run_2"],
    ["X-Long", "x".repeat(4_097)],
  ])("%j: %.20j", (name, value) => {
    expect(responseTool.bind({ headers: { [name]: value } }).ok).toBe(false);
  });

  test("in number too", () => {
    const headers = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`x-${i}`, "v"]));
    expect(responseTool.bind({ headers }).ok).toBe(false);
  });
});

test.each([99, 101, 199, 600, 200.5, "200"])("the status %j is refused", (status) => {
  expect(responseTool.bind({ status }).ok).toBe(false);
});
