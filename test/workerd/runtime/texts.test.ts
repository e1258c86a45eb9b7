import { expect, test } from "vitest";
import type { Json } from "../../../src/core/json.ts";
import { toResponse } from "../../../src/runtime/execution/run-response.ts";
import type { Outbound } from "../../../src/runtime/outbound/outbound.ts";
import { httpRequestTool } from "../../../src/runtime/tools/http-request.ts";
import { runTool, testContext, testServices } from "../../support/runtime/step-context.ts";

const HALF = "a\ud800b";

/** As UTF-8 that has to be sound. */
async function textOf(message: Request | Response): Promise<string> {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await message.arrayBuffer());
}

test.each<[Json, string, string]>([
  [HALF, "text/plain", "a\ufffdb"],
  [HALF, "application/json", '"a\\ud800b"'],
  [{ [HALF]: HALF }, "text/plain", '{"a\\ud800b":"a\\ud800b"}'],
])("half a surrogate pair leaves a response as sound UTF-8: %j as %s", async (body, type, text) => {
  expect(await textOf(toResponse({ status: 200, headers: { "content-type": type }, body }, "run_1"))).toBe(text);
});

test.each<[Json, string, string]>([
  [HALF, "text/csv", "a\ufffdb"],
  [{ a: HALF }, "application/x-www-form-urlencoded", "a=a%EF%BF%BDb"],
  [{ a: HALF }, "application/json", '{"a":"a\\ud800b"}'],
])("half a surrogate pair leaves a request as sound UTF-8: %j as %s", async (body, type, text) => {
  const sent: Request[] = [];
  const outbound: Outbound = {
    judge: async () => null,
    async send({ url, method, body }) {
      sent.push(new Request(url, { method, body }));
      return { kind: "answer", status: 200, headers: {}, text: "" };
    },
  };
  const config = { url: "https://api.example.com/", method: "POST", headers: { "content-type": type }, body };
  await runTool(httpRequestTool, config, testContext({ services: testServices({ outbound }) }));
  expect(await textOf(sent[0] ?? new Response("nothing was sent"))).toBe(text);
});
