import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import { LEASE_MS } from "../../../src/deploy/webhooks/limits.ts";
import { createEmbeddedDocuments } from "../../../src/storage/documents/embedded.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createFakeServers, createIsolate, messageOf, OWNER, pushTo } from "../../unit/deploy/webhooks/harness.ts";

/** Servers of this test alone: the documents are kept from one test to the next. */
function createWorld() {
  const serverId = `mcp_${crypto.randomUUID()}`;
  const clock = createFakeClock(Date.now());
  const documents = createEmbeddedDocuments({
    namespace: env.DOCUMENTS,
    ids: createIdSource(clock, systemRandom),
  });
  const servers = createFakeServers({ [serverId]: OWNER });
  const message = (type: string) => messageOf(type, { serverId });
  const id = () => `msg_${crypto.randomUUID()}`;
  return { serverId, clock, servers, message, id, createOne: () => createIsolate({ documents, clock, servers }) };
}

test("of a hundred copies at once, on two isolates with one store, one is acted on", async () => {
  const { serverId, servers, message, id, createOne } = createWorld();
  const isolates = [createOne(), createOne()];
  const one = id();
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => isolates[i % 2]?.send(message("server.deploy"), { id: one })),
  );
  await Promise.all(isolates.map((isolate) => isolate.settle()));
  expect(answers.filter((answer) => answer?.status === 202)).toHaveLength(1);
  expect(answers.filter((answer) => answer?.body.duplicate === true)).toHaveLength(99);
  expect(servers.calls).toHaveLength(1);
  const events = await createOne().executionLog.list(serverId, OWNER, 10);
  expect(events).toMatchObject([{ type: "webhook_accepted", data: { deliveryId: one, outcome: "OK" } }]);
});

test("what was taken on and not worked off is found in the store, tried again, and done once", async () => {
  const { serverId, clock, servers, message, id, createOne } = createWorld();
  servers.hang("before");
  await createOne().send(message("server.deploy"), { id: id() });
  servers.hang(null);
  await clock.advance(LEASE_MS);
  servers.failNext({ code: "DEPLOY_IN_PROGRESS", detail: "another deploy is running", retryAfterSeconds: 2 });
  const isolate = createOne();
  expect(await isolate.service.resumeDeliveries()).toMatchObject({ found: 1, postponed: 1 });
  await clock.advance(LEASE_MS);
  expect(await isolate.service.resumeDeliveries()).toMatchObject({ found: 1, done: 1 });
  expect(await isolate.service.resumeDeliveries()).toMatchObject({ found: 0 });
  expect(servers.acts).toEqual([`deploy ${serverId}`]);
});

test("a late attempt is overtaken by a newer message, and what is done is forgotten after its time", async () => {
  const { serverId, clock, servers, message, id, createOne } = createWorld();
  const isolate = createOne();
  servers.failNext({ code: "UPSTREAM_TIMEOUT", detail: "the target did not answer" });
  await isolate.send(message("server.deploy"), { id: id() });
  await isolate.settle();
  await clock.advance(1_000);
  await isolate.send(message("server.undeploy"), { id: id() });
  await isolate.settle();
  await clock.advance(LEASE_MS);
  expect(await isolate.service.resumeDeliveries()).toMatchObject({ found: 1, failed: 1 });
  expect(servers.acts).toEqual([]);
  expect(await isolate.service.forgetDeliveries(new Date(clock.now()).toISOString())).toBe(0);
  await clock.advance(30 * 86_400_000);
  expect(await isolate.service.forgetDeliveries(new Date(clock.now()).toISOString())).toBeGreaterThanOrEqual(2);
  const outcomes = (await isolate.executionLog.list(serverId, OWNER, 10)).map(({ data }) => data.outcome);
  expect(outcomes).toEqual(["OVERTAKEN", "NOT_DEPLOYED", "UPSTREAM_TIMEOUT"]);
});

test("a GitHub push is verified over its bytes, answered at once and worked off", async () => {
  const { serverId, servers, createOne } = createWorld();
  const isolate = createOne();
  const payload = pushTo("main", { head_commit: { message: "Zoë ☃ 🐙" } });
  expect((await isolate.sendGithub("push", payload, { serverId, secret: "wrong" })).status).toBe(401);
  expect((await isolate.sendGithub("push", payload, { serverId })).status).toBe(202);
  await isolate.settle();
  expect(servers.acts).toEqual([`deploy ${serverId}`]);
});
