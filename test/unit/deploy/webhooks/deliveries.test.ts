import { expect, test } from "vitest";
import { isoTime } from "../../../../src/core/clock.ts";
import { type AppError, StorageUnavailable } from "../../../../src/core/errors.ts";
import {
  DELIVERIES_KEPT_MS,
  LEASE_MS,
  MAX_ATTEMPTS,
  RETRY_LONGEST_MS,
} from "../../../../src/deploy/webhooks/limits.ts";
import { webhookDeliveries } from "../../../../src/storage/documents/collections.ts";
import type { Documents } from "../../../../src/storage/documents/documents.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { createMemoryDocuments, type MemoryDocuments } from "../../../support/memory-documents.ts";
import { createFakeServers, createIsolate, type Isolate, messageOf, ORIGIN, OWNER, pushTo, SERVER } from "./harness.ts";

const IN_PROGRESS: AppError = { code: "DEPLOY_IN_PROGRESS", detail: "another deploy is running", retryAfterSeconds: 2 };
const TARGET_DOWN: AppError = { code: "UPSTREAM_FAILED", detail: "the target answered 503" };

function createWorld(owners?: Readonly<Record<string, string>>) {
  const documents = createMemoryDocuments();
  const clock = createFakeClock();
  const servers = createFakeServers(owners);
  const createOne = (changes: { documents?: Documents } = {}) =>
    createIsolate({ documents, clock, servers, ...changes });
  return { documents, clock, servers, createOne };
}

const stored = (documents: MemoryDocuments) => documents.named("webhook_deliveries");

const eventsOf = async (isolate: Isolate) =>
  (await isolate.executionLog.list(SERVER, OWNER, 100)).map(
    ({ type, data }) => `${type} ${data.event} ${data.outcome}`,
  );

const NOTHING = { found: 0, done: 0, failed: 0, postponed: 0, lost: 0 };

test("a hundred copies of a message at once, on two isolates, are one deploy", async () => {
  const { documents, servers, createOne } = createWorld();
  const isolates = [createOne(), createOne()];
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => isolates[i % 2]?.send(messageOf("server.redeploy"))),
  );
  await Promise.all(isolates.map((isolate) => isolate.settle()));
  expect(answers.filter((answer) => answer?.status === 202)).toHaveLength(1);
  expect(answers.filter((answer) => answer?.status === 200 && answer.body.duplicate === true)).toHaveLength(99);
  expect(servers.calls).toHaveLength(1);
  expect(stored(documents)).toHaveLength(1);
});

test("what an isolate took on before it ended is worked off by another, once, with the same endpoint address", async () => {
  const { clock, servers, createOne } = createWorld();
  servers.hang("before");
  expect((await createOne().send(messageOf("server.deploy"))).status).toBe(202);
  servers.hang(null);
  const other = createOne();
  expect(await other.service.resumeDeliveries()).toEqual(NOTHING);
  await clock.advance(LEASE_MS);
  const reports = await Promise.all([other.service.resumeDeliveries(), createOne().service.resumeDeliveries()]);
  expect(reports.map(({ found }) => found)).toEqual([1, 1]);
  expect(reports.map(({ done }) => done).sort()).toEqual([0, 1]);
  expect(reports.map(({ lost }) => lost).sort()).toEqual([0, 1]);
  expect(servers.acts).toEqual([`deploy ${SERVER}`]);
  expect(servers.calls.at(-1)?.call).toMatchObject({ origin: ORIGIN, actor: { id: "webhook:standard:msg_1" } });
  await clock.advance(LEASE_MS);
  expect(await other.service.resumeDeliveries()).toEqual(NOTHING);
});

test("an isolate that ended while it deployed is followed by one that finds the deployed server", async () => {
  const { documents, clock, servers, createOne } = createWorld();
  servers.hang("after");
  await createOne().send(messageOf("server.deploy"));
  servers.hang(null);
  expect(stored(documents)).toMatchObject([{ state: "pending", attempts: 1 }]);
  await clock.advance(LEASE_MS);
  const other = createOne();
  expect(await other.service.resumeDeliveries()).toMatchObject({ found: 1, done: 1 });
  expect(servers.acts).toEqual([`deploy ${SERVER}`]);
  expect(stored(documents)).toMatchObject([
    { state: "done", attempts: 2, outcome: { ok: true, code: "ALREADY_DEPLOYED" } },
  ]);
  expect(await eventsOf(other)).toEqual(["webhook_accepted server.deploy ALREADY_DEPLOYED"]);
});

test("an undeploy that was done before the isolate ended counts as done", async () => {
  const { clock, servers, createOne } = createWorld();
  const isolate = createOne();
  await isolate.send(messageOf("server.deploy"), { id: "msg_0" });
  await isolate.settle();
  servers.hang("after");
  await createOne().send(messageOf("server.undeploy"));
  servers.hang(null);
  await clock.advance(LEASE_MS);
  expect(await isolate.service.resumeDeliveries()).toMatchObject({ done: 1 });
  expect(servers.acts).toEqual([`deploy ${SERVER}`, `undeploy ${SERVER}`]);
});

test("a duplicate of a message that waits to be worked off is still a duplicate", async () => {
  const { clock, servers, createOne } = createWorld();
  servers.hang("before");
  await createOne().send(messageOf("server.deploy"));
  servers.hang(null);
  await clock.advance(LEASE_MS);
  const isolate = createOne();
  expect((await isolate.send(messageOf("server.deploy"))).body).toEqual({
    accepted: true,
    deliveryId: "msg_1",
    duplicate: true,
  });
  await isolate.settle();
  expect(servers.acts).toEqual([]);
  await isolate.service.resumeDeliveries();
  expect(servers.acts).toEqual([`deploy ${SERVER}`]);
});

test("a deploy that is in the way, and a target that is down, are tried again with growing pauses", async () => {
  const { clock, servers, createOne } = createWorld();
  const isolate = createOne();
  servers.failNext(IN_PROGRESS, TARGET_DOWN, new StorageUnavailable("down"));
  const startedAt = clock.now();
  await isolate.send(messageOf("server.deploy"));
  await isolate.settle();
  const attempts: number[] = [];
  while (!servers.isDeployed()) {
    await clock.advance(60_000);
    if ((await isolate.service.resumeDeliveries()).found > 0) attempts.push((clock.now() - startedAt) / 60_000);
  }
  expect(attempts).toEqual([1, 3, 7]);
  expect(await eventsOf(isolate)).toEqual([
    "webhook_accepted server.deploy OK",
    "webhook_failed server.deploy STORAGE_UNAVAILABLE",
    "webhook_failed server.deploy UPSTREAM_FAILED",
    "webhook_failed server.deploy DEPLOY_IN_PROGRESS",
  ]);
  const [, , , first] = await isolate.executionLog.list(SERVER, OWNER, 10);
  expect(first).toMatchObject({
    message: "Webhook server.deploy: another deploy is running",
    data: { attempts: 1, retryAt: isoTime(startedAt + 60_000) },
  });
});

test("the number of attempts is bounded, and then the failure is final", async () => {
  const { documents, clock, servers, createOne } = createWorld();
  const isolate = createOne();
  servers.failNext(...Array.from({ length: 50 }, () => TARGET_DOWN));
  await isolate.send(messageOf("server.deploy"));
  await isolate.settle();
  for (let i = 0; i < 20; i++) {
    await clock.advance(RETRY_LONGEST_MS);
    await isolate.service.resumeDeliveries();
  }
  expect(servers.calls).toHaveLength(MAX_ATTEMPTS);
  expect(stored(documents)).toMatchObject([{ state: "done", outcome: { ok: false, code: "UPSTREAM_FAILED" } }]);
  expect(await eventsOf(isolate)).toEqual(Array(MAX_ATTEMPTS).fill("webhook_failed server.deploy UPSTREAM_FAILED"));
});

test("a message whose every attempt ends its isolate is given up in the end", async () => {
  const { documents, clock, servers, createOne } = createWorld();
  servers.hang("before");
  await createOne().send(messageOf("server.deploy"));
  for (let i = 1; i < MAX_ATTEMPTS; i++) {
    await clock.advance(LEASE_MS);
    void createOne().service.resumeDeliveries();
    await clock.advance(0);
  }
  expect(servers.calls).toHaveLength(MAX_ATTEMPTS);
  await clock.advance(LEASE_MS);
  expect(await createOne().service.resumeDeliveries()).toMatchObject({ found: 1, failed: 1 });
  expect(stored(documents)).toMatchObject([{ state: "done", outcome: { ok: false, code: "INTERNAL" } }]);
});

test("what no time mends is not tried again", async () => {
  const final: readonly AppError[] = [
    { code: "VALIDATION_FAILED", detail: "no such target", errors: [] },
    { code: "NOT_FOUND", detail: "server not found" },
    { code: "TARGET_NOT_CONFIGURED", detail: "API key not configured" },
  ];
  for (const error of final) {
    const { documents, clock, servers, createOne } = createWorld();
    const isolate = createOne();
    servers.failNext(error);
    await isolate.send(messageOf("server.deploy"));
    await isolate.settle();
    await clock.advance(RETRY_LONGEST_MS);
    expect(await isolate.service.resumeDeliveries()).toEqual(NOTHING);
    expect(servers.calls).toHaveLength(1);
    expect(stored(documents)).toMatchObject([{ state: "done", outcome: { ok: false, code: error.code } }]);
  }
  const { servers, createOne } = createWorld();
  const isolate = createOne();
  await isolate.send(messageOf("server.redeploy"));
  await isolate.settle();
  expect(await eventsOf(isolate)).toEqual(["webhook_failed server.redeploy NOT_DEPLOYED"]);
  expect(servers.calls).toHaveLength(1);
});

test("a late attempt does not undo what a newer message has done", async () => {
  const { clock, servers, createOne } = createWorld();
  const isolate = createOne();
  servers.failNext(TARGET_DOWN);
  await isolate.send(messageOf("server.deploy"), { id: "msg_older" });
  await isolate.settle();
  await clock.advance(1_000);
  await isolate.send(messageOf("server.undeploy"), { id: "msg_newer" });
  await isolate.settle();
  await clock.advance(60_000);
  expect(await isolate.service.resumeDeliveries()).toMatchObject({ found: 1, failed: 1 });
  expect(servers.isDeployed()).toBe(false);
  expect(await eventsOf(isolate)).toEqual([
    "webhook_failed server.deploy OVERTAKEN",
    "webhook_accepted server.undeploy NOT_DEPLOYED",
    "webhook_failed server.deploy UPSTREAM_FAILED",
  ]);
});

test("a newer message that came to nothing, or is another server's, leaves the older one its turn", async () => {
  const { clock, servers, createOne } = createWorld({ [SERVER]: OWNER, mcp_2: OWNER });
  const isolate = createOne();
  servers.failNext(TARGET_DOWN);
  await isolate.send(messageOf("server.deploy"), { id: "msg_older" });
  await isolate.settle();
  await clock.advance(1_000);
  await isolate.send(messageOf("server.redeploy"), { id: "msg_newer" });
  await isolate.send(messageOf("server.deploy", { serverId: "mcp_2" }), { id: "msg_other" });
  await isolate.settle();
  await clock.advance(60_000);
  await isolate.service.resumeDeliveries();
  expect(servers.acts).toEqual(["deploy mcp_2", `deploy ${SERVER}`]);
});

test("messages for one server that wait together are worked off in the order of their arrival", async () => {
  const { clock, servers, createOne } = createWorld();
  servers.hang("before");
  const operations = Array.from({ length: 5 }, () => ["deploy", "redeploy", "undeploy"]).flat();
  for (const [i, operation] of operations.entries()) {
    await createOne().send(messageOf(`server.${operation}`), { id: `msg_${i}` });
    await clock.advance(10);
  }
  servers.hang(null);
  await clock.advance(LEASE_MS);
  const isolate = createOne();
  expect(await isolate.service.resumeDeliveries()).toEqual({ ...NOTHING, found: 15, done: 15 });
  expect(servers.acts).toEqual(operations.map((operation) => `${operation} ${SERVER}`));
});

test("of two isolates that find the same message at once, one works on it", async () => {
  const { clock, servers, createOne } = createWorld();
  servers.hang("before");
  await createOne().send(messageOf("server.deploy"));
  await clock.advance(LEASE_MS);
  void createOne().service.resumeDeliveries();
  void createOne().service.resumeDeliveries();
  await clock.advance(0);
  expect(servers.calls).toHaveLength(2);
});

test.for([
  ["succeeds", []],
  ["fails", [TARGET_DOWN]],
] as const)("an attempt that outlives its lease and %s leaves the last word to who took over", async ([, failures]) => {
  const { documents, clock, servers, createOne } = createWorld();
  let release: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow = createOne({
    documents: {
      ...documents,
      async updateOne(...given) {
        await gate;
        return documents.updateOne(...given);
      },
    },
  });
  servers.failNext(...failures);
  await slow.send(messageOf("server.deploy"));
  await clock.advance(LEASE_MS);
  servers.hang("before");
  void createOne().service.resumeDeliveries();
  await clock.advance(0);
  const heldByOther = stored(documents);
  expect(heldByOther).toMatchObject([{ state: "pending", attempts: 2 }]);
  release();
  await slow.settle();
  expect(stored(documents)).toEqual(heldByOther);
  expect(await eventsOf(slow)).toEqual([]);
});

test("a store that is gone when the work is done leaves the message to be taken on again", async () => {
  const { documents, clock, servers, createOne } = createWorld();
  const failing = createOne({
    documents: { ...documents, updateOne: () => Promise.reject(new StorageUnavailable("down")) },
  });
  expect((await failing.send(messageOf("server.deploy"))).status).toBe(202);
  await failing.settle();
  expect(failing.lines.join("\n")).toContain("StorageUnavailable");
  await clock.advance(LEASE_MS);
  expect(await createOne().service.resumeDeliveries()).toMatchObject({ done: 1 });
  expect(servers.acts).toEqual([`deploy ${SERVER}`]);
});

test("a GitHub push that was interrupted between redeploy and deploy is finished later", async () => {
  const { clock, servers, createOne } = createWorld();
  const isolate = createOne();
  servers.failNext({ code: "NOT_DEPLOYED", detail: "it is not deployed" }, TARGET_DOWN);
  await isolate.sendGithub("push", pushTo("main"));
  await isolate.settle();
  expect(servers.acts).toEqual([]);
  await clock.advance(60_000);
  expect(await isolate.service.resumeDeliveries()).toMatchObject({ done: 1 });
  expect(servers.acts).toEqual([`deploy ${SERVER}`]);
});

test("messages for many servers are spread over the shards, and all are found again", async () => {
  const owners = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`mcp_${i}`, OWNER]));
  const { documents, clock, servers, createOne } = createWorld(owners);
  servers.hang("before");
  const isolate = createOne();
  await Promise.all(
    Object.keys(owners).map((serverId) => isolate.send(messageOf("server.deploy", { serverId }), { id: serverId })),
  );
  servers.hang(null);
  expect(new Set(stored(documents).map(({ shard }) => shard)).size).toBeGreaterThan(8);
  await clock.advance(LEASE_MS);
  expect(await createOne().service.resumeDeliveries()).toEqual({ ...NOTHING, found: 60, done: 60 });
  expect(servers.acts).toHaveLength(60);
});

test("a message of a kind that this version does not know keeps no other from being worked off", async () => {
  const { documents, clock, servers, createOne } = createWorld();
  servers.hang("before");
  await createOne().send(messageOf("server.deploy"));
  servers.hang(null);
  const [known] = stored(documents);
  const unknown = { ...known, _id: "standard:msg_unknown", action: "teleport" };
  await documents.insertOne(webhookDeliveries(String(known?.shard)), unknown);
  await clock.advance(LEASE_MS);
  expect(await createOne().service.resumeDeliveries()).toEqual({ ...NOTHING, found: 1, done: 1 });
  expect(servers.acts).toEqual([`deploy ${SERVER}`]);
});

test("done messages are forgotten in the end, but not while their senders may repeat them", async () => {
  const { documents, clock, servers, createOne } = createWorld();
  const isolate = createOne();
  await isolate.send(messageOf("server.deploy"), { id: "msg_done" });
  await isolate.settle();
  servers.hang("before");
  await isolate.send(messageOf("server.deploy"), { id: "msg_pending" });
  const forgetAll = () => isolate.service.forgetDeliveries(isoTime(clock.now() + 1));
  expect(await forgetAll()).toBe(0);
  await clock.advance(DELIVERIES_KEPT_MS);
  expect(await forgetAll()).toBe(0);
  await clock.advance(1);
  expect(await isolate.service.forgetDeliveries("2020-01-01T00:00:00.000Z")).toBe(0);
  expect(await forgetAll()).toBe(1);
  expect(stored(documents).map(({ _id }) => _id)).toEqual(["standard:msg_pending"]);
  expect(DELIVERIES_KEPT_MS).toBeGreaterThanOrEqual(3 * 86_400_000);
});
