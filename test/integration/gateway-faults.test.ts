import { expect, inject, onTestFinished, test } from "vitest";
import { StorageUnavailable } from "../../src/core/errors.ts";
import { DATA_API_TIMEOUT_MS } from "../../src/storage/documents/limits.ts";
import { freshCollection } from "../contract/documents/harness.ts";
import { startGateway } from "../support/mongodb/gateway.ts";
import { startTcpProxy } from "../support/mongodb/tcp-proxy.ts";
import { dataApiInNode } from "./stores.ts";

async function expectUnavailable(work: Promise<unknown>, withinMs = DATA_API_TIMEOUT_MS + 1_000): Promise<Error> {
  const startedAt = performance.now();
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StorageUnavailable);
  expect(performance.now() - startedAt).toBeLessThan(withinMs);
  return error as Error;
}

test("a key that the gateway does not know makes the store unavailable, and is not repeated", async () => {
  const documents = dataApiInNode({ apiKey: "planted-wrong-key" });
  const error = await expectUnavailable(documents.insertOne(freshCollection(), { _id: "x" }), 1_000);
  expect(String(error)).not.toContain("planted");
  await expectUnavailable(dataApiInNode({ auth: "bearer" }).ping(), 1_000);
});

test("a gateway that is gone is unavailable at once, and used again when it is back", async () => {
  const { uri } = inject("mongodb");
  const gateway = await startGateway(uri);
  onTestFinished(() => gateway.kill());
  const proxy = await startTcpProxy(gateway.port);
  const documents = dataApiInNode({ baseUrl: `http://127.0.0.1:${proxy.port}`, apiKey: gateway.apiKey });
  const collection = freshCollection();
  expect((await documents.insertOne(collection, { _id: "x" })).ok).toBe(true);
  await proxy.close();
  await expectUnavailable(documents.findOne(collection, {}), 1_000);
  const back = await startTcpProxy(gateway.port, proxy.port);
  onTestFinished(() => back.close());
  expect(await documents.findOne(collection, {})).toEqual({ _id: "x" });
});

test("a gateway whose database is silent is given up in time", async () => {
  const database = await startTcpProxy(Number(new URL(inject("mongodb").uri).port || "27017"));
  onTestFinished(() => database.close());
  const gateway = await startGateway(`mongodb://127.0.0.1:${database.port}/`);
  onTestFinished(() => gateway.kill());
  const documents = dataApiInNode({ baseUrl: gateway.url, apiKey: gateway.apiKey });
  const collection = freshCollection();
  expect((await documents.insertOne(collection, { _id: "x" })).ok).toBe(true);
  database.stall();
  await expectUnavailable(documents.findOne(collection, {}));
});

test("a gateway whose database is gone makes the store unavailable in time", async () => {
  const database = await startTcpProxy(Number(new URL(inject("mongodb").uri).port || "27017"));
  const gateway = await startGateway(`mongodb://127.0.0.1:${database.port}/`);
  onTestFinished(() => gateway.kill());
  await database.close();
  const documents = dataApiInNode({ baseUrl: gateway.url, apiKey: gateway.apiKey });
  await expectUnavailable(documents.findOne(freshCollection(), {}));
});
