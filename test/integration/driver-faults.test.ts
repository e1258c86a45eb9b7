import { rm } from "node:fs/promises";
import { expect, inject, onTestFinished, test } from "vitest";
import { findFreePort } from "../../scripts/server.ts";
import { StorageUnavailable } from "../../src/core/errors.ts";
import { DRIVER_CALL_TIMEOUT_MS } from "../../src/storage/documents/limits.ts";
import { freshCollection } from "../contract/documents/harness.ts";
import { type AdapterWorker, startAdapterWorker } from "../support/mongodb/adapter-worker.ts";
import { buildFerretDb, startFerretDb } from "../support/mongodb/ferretdb.ts";
import { startTcpProxy } from "../support/mongodb/tcp-proxy.ts";

/** A command may run out of time once for the server that is looked for, and once for itself. */
const BOUND_MS = DRIVER_CALL_TIMEOUT_MS + 1_000;
const WRONG_PASSWORD = "hunter2-planted";

async function startWorker(uri: string, database = "faults"): Promise<AdapterWorker> {
  const worker = await startAdapterWorker(inject("mongodb").bundle, { MONGODB_URI: uri, MONGODB_DATABASE: database });
  onTestFinished(() => worker.stop());
  return worker;
}

/** A server of the test's own, which it may end. */
async function startServer(options: Parameters<typeof startFerretDb>[1] = {}) {
  const server = await startFerretDb(await buildFerretDb(), options);
  onTestFinished(() => server.kill());
  if (options.dataDir === undefined) onTestFinished(() => rm(server.dataDir, { recursive: true, force: true }));
  return server;
}

async function expectUnavailable(work: Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StorageUnavailable);
  expect(performance.now() - startedAt).toBeLessThan(BOUND_MS);
  expect(String(error)).not.toMatch(/127\.0\.0\.1|mongodb:|hunter2/);
}

test("a server that is down at the start is unavailable in bounded time, and used once it is up", async () => {
  const port = await findFreePort("127.0.0.1");
  const { driver } = await startWorker(
    `mongodb://user:${WRONG_PASSWORD}@127.0.0.1:${port}/?authMechanism=PLAIN&authSource=$external`,
  );
  await expectUnavailable(driver.ping());
  const plain = await startWorker(`mongodb://127.0.0.1:${port}/`);
  await expectUnavailable(plain.driver.findOne(freshCollection(), {}));
  await startServer({ port });
  const collection = freshCollection();
  expect(await plain.driver.insertOne(collection, { _id: "x" })).toEqual({ ok: true, value: { _id: "x" } });
});

test.each([
  `mongodb://user:${WRONG_PASSWORD}@@127.0.0.1:1/?x`,
  `mongodb://127.0.0.1:1/?password=${WRONG_PASSWORD}`,
  `mongodb://user:${WRONG_PASSWORD}@127.0.0.1:1/?tls=maybe`,
])("a URI that the driver does not take makes the store unavailable, and is not repeated: %#", async (uri) => {
  const { driver } = await startWorker(uri);
  await expectUnavailable(driver.ping());
});

test("a list of servers is tried to its end", async () => {
  const dead = await findFreePort("127.0.0.1");
  const { driver } = await startWorker(
    `mongodb://user:${WRONG_PASSWORD}@127.0.0.1:${dead},localhost:${dead}/?replicaSet=rs0`,
  );
  await expectUnavailable(driver.ping());
});

test("a server that is killed and comes back is found again, with what it had stored", async () => {
  const server = await startServer();
  const { driver } = await startWorker(server.uri);
  const collection = freshCollection();
  await driver.insertOne(collection, { _id: "x", n: 1 });
  await server.kill();
  await expectUnavailable(driver.findOne(collection, { _id: "x" }));
  await expectUnavailable(driver.updateOne(collection, { _id: "x" }, { $inc: { n: 1 } }));
  await startServer({ port: server.port, dataDir: server.dataDir });
  expect(await driver.findOne(collection, { _id: "x" })).toEqual({ _id: "x", n: 1 });
  await driver.updateOne(collection, { _id: "x" }, { $inc: { n: 1 } });
  expect(await driver.findOne(collection, { _id: "x" })).toEqual({ _id: "x", n: 2 });
});

test("a slow server answers late, a silent one is unavailable in bounded time, and a healed one answers again", async () => {
  const server = await startServer();
  const proxy = await startTcpProxy(server.port);
  onTestFinished(() => proxy.close());
  const { driver } = await startWorker(`mongodb://127.0.0.1:${proxy.port}/`);
  const collection = freshCollection();
  await driver.insertOne(collection, { _id: "x", n: 1 });
  proxy.delay(300);
  expect(await driver.findOne(collection, { _id: "x" })).toEqual({ _id: "x", n: 1 });
  proxy.stall();
  const [one, another] = [driver.findOne(collection, { _id: "x" }), driver.insertOne(collection, { _id: "y" })];
  await Promise.all([expectUnavailable(one), expectUnavailable(another)]);
  proxy.heal();
  expect(await driver.findOne(collection, { _id: "x" })).toEqual({ _id: "x", n: 1 });
});

test("cut connections are made anew", async () => {
  const server = await startServer();
  const proxy = await startTcpProxy(server.port);
  onTestFinished(() => proxy.close());
  const { driver } = await startWorker(`mongodb://127.0.0.1:${proxy.port}/`);
  const collection = freshCollection();
  await driver.insertOne(collection, { _id: "x" });
  for (let round = 0; round < 3; round++) {
    proxy.cut();
    const read = await driver.findOne(collection, { _id: "x" }).catch((error: unknown) => error);
    expect(read instanceof StorageUnavailable || (read as { _id: string })._id === "x").toBe(true);
    expect(await driver.findOne(collection, { _id: "x" })).toEqual({ _id: "x" });
  }
});

test("claims of two Workers on a server without atomic updates: of many at once, one wins", async () => {
  const server = await startServer({ atomic: false });
  const workers = await Promise.all([startWorker(server.uri), startWorker(server.uri)]);
  const collection = freshCollection();
  await workers[0].driver.insertOne(collection, { _id: "x", state: "draft", n: 0 });
  const claims = await Promise.all(
    Array.from({ length: 60 }, (_, n) =>
      (workers[n % 2] ?? workers[0]).driver.updateOne(
        collection,
        { _id: "x", state: "draft" },
        { $set: { state: "taken", by: n }, $inc: { n: 1 } },
      ),
    ),
  );
  expect(claims.filter((claim) => claim.ok && claim.value.modifiedCount === 1)).toHaveLength(1);
  expect((await workers[1].driver.findOne(collection, { _id: "x" }))?.n).toBe(1);
});
