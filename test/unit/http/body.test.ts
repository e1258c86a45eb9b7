import { expect, test } from "vitest";
import { readBodyBytes, readJsonBody } from "../../../src/http/body.ts";

const JSON_TYPE = { "Content-Type": "application/json" };

/** A request whose sender is gone after the first bytes, as the runtime tells it. */
function brokenOff(headers: Record<string, string>): Request {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"a":')),
    pull: (controller) => controller.error(new Error("Network connection lost.")),
  });
  // Node asks for `duplex`, which the types of Workers do not know.
  const init = { method: "POST", body, headers: { ...JSON_TYPE, ...headers }, duplex: "half" };
  return new Request("http://x/", init);
}

test.each([
  ["whose length was told", { "Content-Length": "100" }],
  ["in chunks", {}],
  ["that is compressed", { "Content-Length": "100", "Content-Encoding": "gzip" }],
])("a body %s that breaks off is its sender's failure", async (_, headers) => {
  for (const read of [readJsonBody, readBodyBytes]) {
    const answer = await read(brokenOff(headers), 1_000);
    expect(answer).toMatchObject({
      ok: false,
      error: { code: "VALIDATION_FAILED", detail: "the connection ended before the body did" },
    });
  }
});

test("a body that was read before is a bug, and throws", async () => {
  const request = new Request("http://x/", { method: "POST", body: "{}", headers: JSON_TYPE });
  expect(await readJsonBody(request, 1_000)).toEqual({ ok: true, value: {} });
  await expect(readJsonBody(request, 1_000)).rejects.toThrow("read before");
});
