import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../../src/core/errors.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { createMemoryDocuments, type MemoryDocuments } from "../../../support/memory-documents.ts";
import {
  createFakeServers,
  createIsolate,
  GITHUB_SECRET,
  type Isolate,
  messageOf,
  ORIGIN,
  OWNER,
  pushTo,
  SECRET,
  SERVER,
  secretOf,
  signGithub,
  signMessage,
} from "./harness.ts";

function createWorld(options: { secrets?: readonly string[]; githubSecrets?: readonly string[] } = {}) {
  const documents = createMemoryDocuments();
  const clock = createFakeClock();
  const servers = createFakeServers();
  return { documents, clock, servers, isolate: createIsolate({ documents, clock, servers, ...options }) };
}

const stored = (documents: MemoryDocuments) => documents.named("webhook_deliveries");

/** The answer refuses, with a problem of this code, and nothing came of it. */
async function expectRefused(
  world: ReturnType<typeof createWorld>,
  answer: { readonly status: number; readonly body: { readonly code: string } },
  status: number,
  code: string,
): Promise<void> {
  await world.isolate.settle();
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  expect(world.servers.calls).toEqual([]);
  expect(stored(world.documents)).toEqual([]);
}

const eventsOf = async (isolate: Isolate, owner = OWNER) =>
  (await isolate.executionLog.list(SERVER, owner, 100)).map(({ type, data }) => [type, data.event, data.outcome]);

test("a signed message is answered with 202 and worked off once, as its webhook", async () => {
  const { isolate, servers, documents } = createWorld();
  const answer = await isolate.send(messageOf("server.deploy", { target: "edge" }));
  expect([answer.status, answer.body]).toEqual([202, { accepted: true, deliveryId: "msg_1" }]);
  await isolate.settle();
  expect(servers.acts).toEqual([`deploy ${SERVER}`]);
  expect(servers.calls).toEqual([
    {
      operation: "deploy",
      call: {
        actor: { kind: "system", id: "webhook:standard:msg_1" },
        requestId: expect.stringMatching(/^req_/),
        origin: ORIGIN,
      },
      body: { ownerId: OWNER, target: "edge" },
    },
  ]);
  expect(stored(documents)).toMatchObject([
    { _id: "standard:msg_1", state: "done", outcome: { ok: true, code: "OK" } },
  ]);
  expect(await isolate.executionLog.list(SERVER, OWNER, 10)).toMatchObject([
    {
      type: "webhook_accepted",
      actor: "webhook:standard:msg_1",
      requestId: servers.calls[0]?.call.requestId,
      data: { source: "standard", deliveryId: "msg_1", event: "server.deploy", outcome: "OK", attempts: 1 },
    },
  ]);
});

test("deploy, redeploy and undeploy each do what they say, in the order of their arrival", async () => {
  const { isolate, servers } = createWorld();
  for (const operation of ["deploy", "redeploy", "undeploy"]) {
    expect((await isolate.send(messageOf(`server.${operation}`), { id: `msg_${operation}` })).status).toBe(202);
    await isolate.settle();
  }
  expect(servers.acts).toEqual([`deploy ${SERVER}`, `redeploy ${SERVER}`, `undeploy ${SERVER}`]);
});

test("a replayed message is answered as a duplicate and not acted on again", async () => {
  const { isolate, servers, documents, clock } = createWorld();
  await isolate.send(messageOf("server.redeploy"));
  await isolate.settle();
  const sentAgain = await isolate.send(messageOf("server.redeploy"));
  await clock.advance(60_000);
  const retried = await isolate.send(messageOf("server.redeploy"));
  const changed = await isolate.send(messageOf("server.undeploy"));
  await isolate.settle();
  for (const answer of [sentAgain, retried, changed]) {
    expect([answer.status, answer.body]).toEqual([200, { accepted: true, deliveryId: "msg_1", duplicate: true }]);
  }
  expect(servers.calls).toHaveLength(1);
  expect(stored(documents)).toHaveLength(1);
});

test("a message that is replayed after its time is refused", async () => {
  const world = createWorld();
  const late = await world.isolate.send(messageOf("server.deploy"), { atMs: world.clock.now() - 301_000 });
  await expectRefused(world, late, 401, "UNAUTHENTICATED");
  const early = await world.isolate.send(messageOf("server.deploy"), { atMs: world.clock.now() + 302_000 });
  await expectRefused(world, early, 401, "UNAUTHENTICATED");
});

test("a message that was tampered with is refused, and the answer does not say where", async () => {
  const world = createWorld();
  const { isolate, clock } = world;
  const body = JSON.stringify(messageOf("server.deploy"));
  const now = String(Math.floor(clock.now() / 1_000));
  const headers = {
    "webhook-id": "msg_1",
    "webhook-timestamp": now,
    "webhook-signature": await signMessage("msg_1", now, body),
  };
  const answers = [
    await isolate.post("/webhooks/deploy", body.replace("deploy", "undeploy"), headers),
    await isolate.post("/webhooks/deploy", body, { ...headers, "webhook-id": "msg_2" }),
    await isolate.post("/webhooks/deploy", body, { ...headers, "webhook-timestamp": String(Number(now) + 1) }),
    await isolate.post("/webhooks/deploy", body, { ...headers, "webhook-signature": "v1,bm90IHRoZSBzaWduYXR1cmU=" }),
    await isolate.post("/webhooks/deploy", body, {}),
    await isolate.send(messageOf("server.deploy"), { secret: secretOf(9) }),
    await isolate.send(messageOf("server.deploy"), { headers: { "webhook-id": null } }),
  ];
  for (const answer of answers) await expectRefused(world, answer, 401, "UNAUTHENTICATED");
  expect(new Set(answers.map(({ body }) => body.detail)).size).toBe(1);
});

test("headers that were sent twice, and so joined into one, are refused but for the signature", async () => {
  const world = createWorld();
  const { isolate, servers } = world;
  const body = JSON.stringify(messageOf("server.deploy"));
  const now = String(Math.floor(world.clock.now() / 1_000));
  const send = async (twice: string) => {
    const headers = new Headers({ "webhook-id": "msg_1", "webhook-timestamp": now });
    headers.set("webhook-signature", await signMessage("msg_1", now, body));
    headers.append(twice, headers.get(twice) ?? "");
    return isolate.post("/webhooks/deploy", body, Object.fromEntries(headers));
  };
  await expectRefused(world, await send("webhook-id"), 401, "UNAUTHENTICATED");
  await expectRefused(world, await send("webhook-timestamp"), 401, "UNAUTHENTICATED");
  expect((await send("webhook-signature")).status).toBe(202);
  await isolate.settle();
  expect(servers.acts).toEqual([`deploy ${SERVER}`]);
});

test("a message that is signed twice is acted on once", async () => {
  const [before, after] = [secretOf(2), secretOf(3)];
  const { isolate, servers, clock } = createWorld({ secrets: [before, after] });
  const body = JSON.stringify(messageOf("server.deploy"));
  const now = String(Math.floor(clock.now() / 1_000));
  const both = `${await signMessage("msg_1", now, body, before)} ${await signMessage("msg_1", now, body, after)}`;
  const headers = { "webhook-id": "msg_1", "webhook-timestamp": now, "webhook-signature": both };
  expect((await isolate.post("/webhooks/deploy", body, headers)).status).toBe(202);
  expect((await isolate.send(messageOf("server.deploy"), { secret: after })).body.duplicate).toBe(true);
  await isolate.settle();
  expect(servers.calls).toHaveLength(1);
});

test("an older message that arrives after a newer one is acted on too, and leaves a deployed server as it is", async () => {
  const { isolate, servers, clock } = createWorld();
  await isolate.send(messageOf("server.deploy"), { id: "msg_newer" });
  await isolate.settle();
  const older = await isolate.send(messageOf("server.deploy"), { id: "msg_older", atMs: clock.now() - 200_000 });
  expect(older.status).toBe(202);
  await isolate.settle();
  expect(servers.acts).toEqual([`deploy ${SERVER}`]);
  expect(servers.isDeployed()).toBe(true);
  expect(await eventsOf(isolate)).toEqual([
    ["webhook_accepted", "server.deploy", "ALREADY_DEPLOYED"],
    ["webhook_accepted", "server.deploy", "OK"],
  ]);
});

test("events of other types are answered with the reason and leave nothing", async () => {
  const { isolate, documents } = createWorld();
  const answer = await isolate.send({ type: "invoice.paid", data: 7 });
  expect([answer.status, answer.body]).toEqual([
    202,
    { accepted: false, deliveryId: "msg_1", reason: expect.stringContaining("server.deploy") },
  ]);
  expect(stored(documents)).toEqual([]);
});

test("a signed body that is no such event is refused with its faults", async () => {
  const world = createWorld();
  const bodies: readonly (string | object)[] = [
    "",
    "not json",
    "null",
    "[]",
    "{}",
    { type: "" },
    { type: ["server.deploy"] },
    { type: "server.deploy" },
    { type: "server.deploy", data: { serverId: SERVER } },
    messageOf("server.deploy", { ownerId: { $ne: null } }),
    messageOf("server.deploy", { serverId: "../keys" }),
    messageOf("server.deploy", { target: "the-moon" }),
    { ...messageOf("server.deploy"), timestamp: "yesterday" },
    `{"type":"server.deploy","__proto__":{"data":1}}`,
    `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`,
  ];
  for (const body of bodies) {
    await expectRefused(world, await world.isolate.send(body), 400, "VALIDATION_FAILED");
  }
  const { body } = await world.isolate.send(messageOf("server.deploy", { ownerId: 7 }));
  expect(body.errors).toEqual([{ path: "data.ownerId", message: expect.any(String) }]);
});

test("a signed body that is no UTF-8 is refused, and an unsigned one no sooner", async () => {
  const world = createWorld();
  const bytes = new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]);
  const now = String(Math.floor(world.clock.now() / 1_000));
  const headers = { "webhook-id": "msg_1", "webhook-timestamp": now };
  const signature = await signMessage("msg_1", now, bytes);
  const post = (signed: string) =>
    world.isolate.post("/webhooks/deploy", bytes, { ...headers, "webhook-signature": signed });
  await expectRefused(world, await post(signature), 400, "VALIDATION_FAILED");
  await expectRefused(world, await post("v1,AAAA"), 401, "UNAUTHENTICATED");
});

test("a body over the limit is refused while it streams, whatever length was announced", async () => {
  const world = createWorld();
  for (const path of ["/webhooks/deploy", `/webhooks/github/${SERVER}`]) {
    let sent = 0;
    const chunk = new Uint8Array(65_536).fill(32);
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += chunk.length;
        if (sent > 10_485_760) controller.close();
        else controller.enqueue(chunk);
      },
    });
    await expectRefused(world, await world.isolate.post(path, endless, {}), 413, "PAYLOAD_TOO_LARGE");
    expect(sent).toBeLessThan(6_000_000);
  }
  const announced = await world.isolate.post("/webhooks/deploy", "{}", { "content-length": "10485760" });
  await expectRefused(world, announced, 413, "PAYLOAD_TOO_LARGE");
});

test("without a secret the routes say which variable is missing", async () => {
  const world = createWorld({ secrets: [], githubSecrets: [] });
  const standard = await world.isolate.send(messageOf("server.deploy"));
  await expectRefused(world, standard, 503, "TARGET_NOT_CONFIGURED");
  expect(standard.body.detail).toMatch(/set WEBHOOK_SECRET$/);
  const github = await world.isolate.sendGithub("push", pushTo("main"));
  await expectRefused(world, github, 503, "TARGET_NOT_CONFIGURED");
  expect(github.body.detail).toMatch(/set GITHUB_WEBHOOK_SECRET$/);
});

test("a store that does not answer lets the sender try again: nothing was accepted", async () => {
  const { documents, clock, servers } = createWorld();
  let down = true;
  const flaky = {
    ...documents,
    insertOne: (...given: Parameters<typeof documents.insertOne>) =>
      down ? Promise.reject(new StorageUnavailable("down")) : documents.insertOne(...given),
  };
  const isolate = createIsolate({ documents: flaky, clock, servers });
  const refused = await isolate.send(messageOf("server.deploy"));
  expect([refused.status, refused.body.code]).toEqual([503, "STORAGE_UNAVAILABLE"]);
  down = false;
  expect((await isolate.send(messageOf("server.deploy"))).body).toEqual({ accepted: true, deliveryId: "msg_1" });
  await isolate.settle();
  expect(servers.acts).toEqual([`deploy ${SERVER}`]);
});

test("a server that is not the named owner's is left alone, and its owner's log says nothing", async () => {
  const { isolate, servers, documents } = createWorld();
  const answer = await isolate.send(messageOf("server.deploy", { ownerId: "somebody-else" }));
  expect(answer.status).toBe(202);
  await isolate.settle();
  expect(servers.acts).toEqual([]);
  expect(stored(documents)).toMatchObject([{ state: "done", outcome: { ok: false, code: "NOT_FOUND" } }]);
  expect(documents.named("execution_logs")).toEqual([]);
  expect(isolate.lines.join("\n")).toContain('"outcome":"NOT_FOUND"');
});

test("neither secrets nor signatures are in any answer or line of the log", async () => {
  const { isolate, servers, clock, documents } = createWorld();
  servers.failNext(new Error(`boom ${SECRET}`), { code: "UPSTREAM_FAILED", detail: "the target is down" });
  const now = String(Math.floor(clock.now() / 1_000));
  const body = JSON.stringify(messageOf("server.deploy"));
  const signature = (await signMessage("msg_1", now, body)).slice("v1,".length);
  const texts = [
    await isolate.send(messageOf("server.deploy")),
    await isolate.send(messageOf("server.deploy"), { id: "msg_2" }),
    await isolate.send(messageOf("server.deploy"), { secret: secretOf(9) }),
    await isolate.send("no json"),
    await isolate.sendGithub("push", pushTo("main")),
    await isolate.sendGithub("push", pushTo("main"), { secret: "wrong" }),
  ].map(({ text }) => text);
  await isolate.settle();
  const written = [...texts, ...isolate.lines, JSON.stringify(documents.all())].join("\n");
  expect(isolate.lines.join("")).toContain("boom");
  for (const secret of [
    SECRET,
    SECRET.slice("whsec_".length),
    GITHUB_SECRET,
    signature,
    await signGithub(JSON.stringify(pushTo("main"))),
  ]) {
    expect(written).not.toContain(secret);
  }
});

test("a push to the default branch redeploys what is deployed, and deploys what is not", async () => {
  const { isolate, servers } = createWorld();
  const delivery = crypto.randomUUID();
  const first = await isolate.sendGithub("push", pushTo("main"), { delivery });
  expect([first.status, first.body]).toEqual([202, { accepted: true, deliveryId: delivery }]);
  await isolate.settle();
  await isolate.sendGithub("push", pushTo("main"));
  await isolate.settle();
  await isolate.sendGithub("release", { action: "published", release: { tag_name: "v1" } });
  await isolate.settle();
  expect(servers.acts).toEqual([`deploy ${SERVER}`, `redeploy ${SERVER}`, `redeploy ${SERVER}`]);
  expect(servers.calls[0]?.call.actor).toEqual({ kind: "system", id: `webhook:github:${delivery}` });
  expect(await eventsOf(isolate)).toEqual([
    ["webhook_accepted", "github.release", "OK"],
    ["webhook_accepted", "github.push", "OK"],
    ["webhook_accepted", "github.push", "OK"],
  ]);
});

test("GitHub's redelivery has the id of the first delivery and is not acted on again", async () => {
  const { isolate, servers } = createWorld();
  const delivery = "72D3162E-cc78-11e3-81ab-4c9367dc0958";
  await isolate.sendGithub("push", pushTo("main"), { delivery });
  const again = await isolate.sendGithub("push", pushTo("main"), { delivery: delivery.toLowerCase() });
  expect([again.status, again.body]).toEqual([
    200,
    { accepted: true, deliveryId: delivery.toLowerCase(), duplicate: true },
  ]);
  await isolate.settle();
  expect(servers.acts).toHaveLength(1);
});

test("GitHub's other events are answered with the reason, and its ping with 200", async () => {
  const { isolate, servers, documents } = createWorld();
  const ping = await isolate.sendGithub("ping", { zen: "Keep it logically awesome.", hook_id: 1 });
  expect([ping.status, ping.body.accepted]).toEqual([200, false]);
  const ignored = [
    await isolate.sendGithub("push", pushTo("feature/main")),
    await isolate.sendGithub("push", { ...pushTo("main"), ref: "refs/tags/main" }),
    await isolate.sendGithub("push", pushTo("main", { deleted: true })),
    await isolate.sendGithub("release", { action: "created" }),
    await isolate.sendGithub("issues", { action: "opened" }),
  ];
  for (const { status, body } of ignored) {
    expect([status, body.accepted]).toEqual([202, false]);
    expect(body.reason).not.toBe("");
  }
  await isolate.settle();
  expect(servers.calls).toEqual([]);
  expect(stored(documents)).toEqual([]);
});

test("an unknown server is unknown only to who signed", async () => {
  const world = createWorld();
  const signed = await world.isolate.sendGithub("push", pushTo("main"), { serverId: "mcp_none" });
  await expectRefused(world, signed, 404, "NOT_FOUND");
  for (const serverId of ["mcp_none", SERVER]) {
    const unsigned = await world.isolate.sendGithub("push", pushTo("main"), { serverId, secret: "wrong" });
    await expectRefused(world, unsigned, 401, "UNAUTHENTICATED");
  }
});

test("a signed GitHub delivery that is none is refused", async () => {
  const world = createWorld();
  const { isolate } = world;
  const bodies = ["payload=%7B%7D", "", "[]", "{}", { ref: "refs/heads/main" }, pushTo("main", { ref: 7 })];
  for (const body of bodies)
    await expectRefused(world, await isolate.sendGithub("push", body), 400, "VALIDATION_FAILED");
  expect((await isolate.sendGithub("push", "payload=%7B%7D")).body.detail).toContain("application/json");
  await expectRefused(world, await isolate.sendGithub("release", {}), 400, "VALIDATION_FAILED");
  for (const delivery of ["", "1", "not-a-uuid", `${crypto.randomUUID()}, ${crypto.randomUUID()}`]) {
    const answer = await isolate.sendGithub("push", pushTo("main"), { delivery });
    await expectRefused(world, answer, 400, "VALIDATION_FAILED");
  }
  for (const event of ["", "Push", "push, ping", "../push"]) {
    await expectRefused(world, await isolate.sendGithub(event, pushTo("main")), 400, "VALIDATION_FAILED");
  }
});

test("a large push is taken although other bodies of its size are not", async () => {
  const { isolate, servers } = createWorld();
  const commits = Array.from({ length: 1_000 }, (_, i) => ({ id: String(i), message: "x".repeat(1_000) }));
  expect((await isolate.sendGithub("push", pushTo("main", { commits }))).status).toBe(202);
  await isolate.settle();
  expect(servers.acts).toEqual([`deploy ${SERVER}`]);
});

test("any of several GitHub secrets may have signed", async () => {
  const { isolate } = createWorld({ githubSecrets: ["before", "after"] });
  for (const [secret, status] of [
    ["before", 202],
    ["after", 202],
    ["never", 401],
  ] as const) {
    expect((await isolate.sendGithub("push", pushTo("main"), { secret })).status).toBe(status);
  }
});
