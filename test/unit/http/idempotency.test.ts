import { Hono } from "hono";
import { expect, test } from "vitest";
import * as z from "zod";
import type { Actor, Call, Operation } from "../../../src/core/actor.ts";
import { type AppError, StorageUnavailable } from "../../../src/core/errors.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import { err, ok, type Result } from "../../../src/core/result.ts";
import type { AppEnv } from "../../../src/http/context.ts";
import { type Endpoint, endpoint, mountEndpoints, refusal } from "../../../src/http/endpoint.ts";
import { createIdempotency } from "../../../src/http/idempotency.ts";
import { IDEMPOTENCY_SHARDS } from "../../../src/http/idempotency-records.ts";
import { describeApi } from "../../../src/http/openapi.ts";
import { idempotencyKeys } from "../../../src/storage/documents/collections.ts";
import type { Documents } from "../../../src/storage/documents/documents.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { createMemoryDocuments, type MemoryDocuments } from "../../support/memory-documents.ts";
import { ANYBODY, createTestLog, keyOf } from "../../support/runtime/runtime.ts";

const ACTORS: Readonly<Record<string, Actor>> = {
  first: keyOf("user-1", "deploy"),
  second: keyOf("user-2", "deploy"),
};

const LEASE_MS = 120_000;
const KEPT_MS = 24 * 3_600_000;

type Outcome = Result<unknown> | Response;

/** One isolate: an app with two idempotent routes and one that is not, on a store that isolates can share. */
function createScene(
  work: (body: unknown, call: Call) => Outcome | Promise<Outcome>,
  options: {
    readonly documents?: MemoryDocuments;
    readonly clock?: FakeClock;
    readonly wrap?: (documents: Documents) => Documents;
  } = {},
) {
  const { documents = createMemoryDocuments(), clock = createFakeClock() } = options;
  const { log, lines } = createTestLog();
  const pending: Promise<unknown>[] = [];
  const begun = Promise.withResolvers<void>();
  let runs = 0;
  const route = (path: string, idempotent: boolean): Endpoint =>
    endpoint(
      {
        method: "post",
        path,
        operationId: path,
        tag: "Test",
        summary: "Works",
        access: "deploy",
        ...(idempotent ? { idempotent: true as const } : {}),
        body: z.strictObject({ n: z.number() }).or(z.strictObject({ a: z.number(), b: z.number() })),
        responses: [{ status: 201, description: "Done", schema: z.unknown() }],
      },
      async ({ body, call }) => {
        runs++;
        begun.resolve();
        return work(body, call);
      },
    );
  const endpoints = [route("/work", true), route("/other", true), route("/plain", false)];
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set("requestId", "req_test");
    c.set("event", {});
    await next();
  });
  const idempotency = createIdempotency({
    documents: options.wrap?.(documents) ?? documents,
    clock,
    ids: createIdSource(clock, systemRandom),
    defer: (_what, work) => pending.push(work),
    log,
  });
  const guard = async (c: Parameters<typeof refusal>[0]) => {
    c.set("actor", ACTORS[c.req.header("x-actor") ?? "first"] ?? ANYBODY);
    return ok(null);
  };
  app.route("/", mountEndpoints(endpoints, guard, 262_144, idempotency));
  app.onError((error, c) =>
    error instanceof StorageUnavailable
      ? refusal(c, { code: "STORAGE_UNAVAILABLE", detail: "no store" })
      : refusal(c, { code: "INTERNAL", detail: "internal error" }),
  );
  async function post(
    key: string | null,
    body: unknown = { n: 1 },
    { path = "/work", actor = "first" }: { readonly path?: string; readonly actor?: string } = {},
  ) {
    const response = await app.request(`https://orchestrix.test${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-actor": actor,
        ...(key === null ? {} : { "Idempotency-Key": key }),
      },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      replayed: response.headers.get("idempotency-replayed"),
      text,
      body: text === "" ? null : JSON.parse(text),
    };
  }
  return { clock, documents, lines, pending, endpoints, post, runs: () => runs, begun: begun.promise };
}

function count() {
  let n = 0;
  return () => ok({ made: ++n });
}

test("the same key and body give the first answer again, and the work is done once", async () => {
  const scene = createScene(count());
  const first = await scene.post("key-1");
  const again = await scene.post("key-1");
  expect([first.status, first.body, first.replayed]).toEqual([201, { made: 1 }, null]);
  expect([again.status, again.text, again.replayed]).toEqual([201, first.text, "true"]);
  expect(again.headers.get("content-type")).toBe(first.headers.get("content-type"));
  expect(scene.runs()).toBe(1);
});

test("a body that only reads differently is the same body", async () => {
  const scene = createScene(count());
  await scene.post("key-1", '{"a":1,"b":2}');
  const again = await scene.post("key-1", '{ "b": 2.0,\n "a": 1 }');
  expect([again.status, again.replayed]).toEqual([201, "true"]);
});

test.each([
  ["another body", { n: 2 }, {}],
  ["another path", { n: 1 }, { path: "/other" }],
  ["another query", { n: 1 }, { path: "/work?ownerId=other" }],
])("the same key with %s is refused, and nothing is done", async (_what, body, options) => {
  const scene = createScene(count());
  await scene.post("key-1");
  const other = await scene.post("key-1", body, options);
  expect(other.status).toBe(422);
  expect(other.body).toMatchObject({ code: "IDEMPOTENCY_MISMATCH", status: 422 });
  expect(other.replayed).toBeNull();
  expect(scene.runs()).toBe(1);
});

test("two callers may use the same key", async () => {
  const scene = createScene(count());
  await scene.post("key-1");
  const other = await scene.post("key-1", { n: 2 }, { actor: "second" });
  expect([other.status, other.replayed]).toEqual([201, null]);
});

test.each([["/plain", "first"] as const, ["/work", "nobody"] as const])(
  "on %s for %s every request does the work",
  async (path, actor) => {
    const scene = createScene(count());
    await scene.post("key-1", { n: 1 }, { path, actor });
    const again = await scene.post("key-1", { n: 2 }, { path, actor });
    expect([again.status, again.replayed]).toEqual([201, null]);
    expect(scene.runs()).toBe(2);
    expect(scene.documents.named("idempotency_keys")).toEqual([]);
  },
);

test("of 100 requests at once over two isolates one does the work, the others wait or get its answer", async () => {
  const documents = createMemoryDocuments();
  const clock = createFakeClock();
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const work = async () => {
    await held;
    return ok({ made: 1 });
  };
  const isolates = [createScene(work, { documents, clock }), createScene(work, { documents, clock })];
  const requests = Array.from({ length: 100 }, (_, i) => isolates[i % 2]?.post("key-1"));
  await Promise.race(isolates.map((isolate) => isolate.begun));
  release();
  const answers = await Promise.all(requests);
  expect((isolates[0]?.runs() ?? 0) + (isolates[1]?.runs() ?? 0)).toBe(1);
  const first = answers.filter((answer) => answer?.status === 201 && answer.replayed === null);
  expect(first).toHaveLength(1);
  for (const answer of answers) {
    if (answer?.status === 409) {
      expect(answer.body.code).toBe("DUPLICATE");
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    } else expect([answer?.status, answer?.body]).toEqual([201, { made: 1 }]);
  }
  expect((await isolates[1]?.post("key-1"))?.replayed).toBe("true");
});

const FAILED: AppError = { code: "UPSTREAM_FAILED", detail: "the target failed" };
const BUSY: AppError = { code: "DEPLOY_IN_PROGRESS", detail: "busy", retryAfterSeconds: 3 };
const LIMITED: AppError = { code: "RATE_LIMITED", detail: "slow", violatedPolicies: [], retryAfterSeconds: 3 };
const GONE: AppError = { code: "NOT_FOUND", detail: "server not found" };
const TAKEN: AppError = { code: "DUPLICATE", detail: "serverId is taken" };

test.each([FAILED, BUSY, LIMITED])("after $code a retry does the work", async (error) => {
  let failures = 1;
  const scene = createScene(() => (failures-- > 0 ? err(error) : ok({ made: 1 })));
  expect((await scene.post("key-1")).body.code).toBe(error.code);
  expect(await scene.post("key-1")).toMatchObject({ status: 201, replayed: null });
  expect(scene.runs()).toBe(2);
});

test.each([GONE, TAKEN])("$code is final and is given again", async (error) => {
  const scene = createScene(() => err(error));
  const first = await scene.post("key-1");
  const again = await scene.post("key-1");
  expect([again.status, again.text, again.replayed]).toEqual([first.status, first.text, "true"]);
  expect(again.headers.get("content-type")).toBe("application/problem+json");
  expect(scene.runs()).toBe(1);
});

test("after a bug a retry does the work", async () => {
  let bugs = 1;
  const scene = createScene(() => {
    if (bugs-- > 0) throw new Error("a bug");
    return ok({ made: 1 });
  });
  expect((await scene.post("key-1")).status).toBe(500);
  expect((await scene.post("key-1")).status).toBe(201);
});

test("what fails its schema is refused before the key is taken, so that it can be mended", async () => {
  const scene = createScene(count());
  expect((await scene.post("key-1", { n: "one" })).status).toBe(400);
  expect((await scene.post("key-1", { n: 1 })).status).toBe(201);
});

test.each(["", " ", "a b", "k".repeat(256), "schlüssel", "a\tb", "one, two"])("the key %j is refused", async (key) => {
  const scene = createScene(count());
  const refused = await scene.post(key);
  expect(refused.status).toBe(400);
  expect(refused.body.errors).toEqual([{ path: "Idempotency-Key", message: expect.any(String) }]);
  expect(scene.runs()).toBe(0);
});

test("255 characters of any visible ASCII are a key", async () => {
  const scene = createScene(count());
  const key = '!"#$~'.repeat(51);
  await scene.post(key);
  expect((await scene.post(key)).replayed).toBe("true");
});

test("neither the key nor who sent it is stored", async () => {
  const scene = createScene(count());
  await scene.post("a-very-private-key");
  const stored = JSON.stringify(scene.documents.all());
  expect(stored).toContain("fingerprint");
  expect(stored).not.toContain("a-very-private-key");
  expect(stored).not.toContain("user-1");
});

test("an answer without a body, and with a place, is given again as it was", async () => {
  const scene = createScene(
    () =>
      new Response(null, { status: 204, headers: { Location: "/mcp/servers/mcp_1", "X-Run-Id": "run_1", Age: "1" } }),
  );
  await scene.post("key-1");
  const again = await scene.post("key-1");
  expect([again.status, again.text, again.replayed]).toEqual([204, "", "true"]);
  expect(again.headers.get("location")).toBe("/mcp/servers/mcp_1");
  expect(again.headers.get("x-run-id")).toBe("run_1");
  expect(again.headers.get("age")).toBeNull();
});

test("a server's record of the largest body is given again, its schema told twice", async () => {
  const record = { tools: "x".repeat(262_144), inputSchema: "x".repeat(262_144) };
  const scene = createScene(() => ok(record));
  expect((await scene.post("key-1")).body).toEqual(record);
  expect(await scene.post("key-1")).toMatchObject({ status: 201, body: record, replayed: "true" });
  expect(scene.runs()).toBe(1);
});

test("an answer too large to keep reaches its caller whole; the retry learns that the work was done", async () => {
  const large = "é".repeat(450_000);
  const scene = createScene(() => ok({ large }));
  expect((await scene.post("key-1")).body).toEqual({ large });
  const again = await scene.post("key-1");
  expect([again.status, again.body.code, again.replayed]).toEqual([409, "DUPLICATE", "true"]);
  expect(again.body.detail).toContain("201");
  expect(again.headers.get("retry-after")).toBeNull();
  expect(scene.runs()).toBe(1);
  expect(JSON.stringify(scene.documents.all()).length).toBeLessThan(2_000);
});

test("a request that died with its isolate holds its key until the lease ends, then one retry takes over", async () => {
  const documents = createMemoryDocuments();
  const clock = createFakeClock();
  const dead = createScene(() => new Promise<Outcome>(() => {}), { documents, clock });
  void dead.post("key-1");
  await dead.begun;
  await clock.advance(LEASE_MS - 1);
  const alive = createScene(count(), { documents, clock });
  expect((await alive.post("key-1")).status).toBe(409);
  expect((await alive.post("key-1", { n: 2 })).status).toBe(422);
  await clock.advance(1);
  expect((await alive.post("key-1", { n: 2 })).status).toBe(422);
  const retries = await Promise.all(Array.from({ length: 20 }, () => alive.post("key-1")));
  expect(retries.filter((answer) => answer.status === 201 && answer.replayed === null)).toHaveLength(1);
  expect(alive.runs()).toBe(1);
  expect((await alive.post("key-1")).replayed).toBe("true");
});

test("a retry is the same operation after a failure or a death, and another request or a later day's is a new one", async () => {
  const seen: (Operation | undefined)[] = [];
  const outcomes: (() => Outcome | Promise<Outcome>)[] = [
    () => err(FAILED),
    () => Promise.reject(new Error("a bug")),
    () => new Promise(() => {}),
    () => err(FAILED),
    () => ok({ made: 1 }),
    () => ok({ made: 2 }),
  ];
  const scene = createScene((_body, call) => {
    seen.push(call.operation);
    return (outcomes.shift() ?? count())();
  });
  await scene.post("key-1");
  await scene.post("key-1");
  void scene.post("key-1");
  while (seen.length < 3) await new Promise((resolve) => setImmediate(resolve));
  await scene.clock.advance(LEASE_MS);
  await scene.post("key-1");
  expect((await scene.post("key-1", { n: 2 })).status).toBe(201);
  await scene.clock.advance(KEPT_MS);
  expect((await scene.post("key-1", { n: 2 })).status).toBe(201);
  await scene.post(null);
  const [first, ...later] = seen.slice(0, 4);
  expect(first).toMatchObject({ id: expect.stringMatching(/^op_[0-9a-z]{26}$/), isRepeated: false });
  for (const operation of later) expect(operation).toEqual({ id: first?.id, isRepeated: true });
  expect(seen.slice(4).map((operation) => operation?.isRepeated)).toEqual([false, false, undefined]);
  expect(new Set(seen.map((operation) => operation?.id)).size).toBe(4);
});

test("a record of an older version whose request died is taken over as a new operation", async () => {
  const documents = createMemoryDocuments();
  const clock = createFakeClock();
  const dead = createScene(() => new Promise<Outcome>(() => {}), { documents, clock });
  void dead.post("key-1");
  await dead.begun;
  const [record] = documents.named("idempotency_keys");
  const shard = idempotencyKeys(String(record?._id).slice(0, 1));
  await documents.updateOne(shard, { _id: String(record?._id) }, { $unset: { operation: "" } });
  await clock.advance(LEASE_MS);
  const alive = createScene((_body, call) => ok({ isRepeated: call.operation?.isRepeated }), { documents, clock });
  expect(await alive.post("key-1")).toMatchObject({ status: 201, body: { isRepeated: false } });
});

test("a request that outlived its lease answers its caller and leaves the record of who took over", async () => {
  const documents = createMemoryDocuments();
  const clock = createFakeClock();
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow = createScene(
    async () => {
      await held;
      return ok({ by: "slow" });
    },
    { documents, clock },
  );
  const late = slow.post("key-1");
  await slow.begun;
  await clock.advance(LEASE_MS);
  const quick = createScene(() => ok({ by: "quick" }), { documents, clock });
  expect((await quick.post("key-1")).body).toEqual({ by: "quick" });
  release();
  expect((await late).body).toEqual({ by: "slow" });
  expect((await quick.post("key-1")).body).toEqual({ by: "quick" });
  expect(slow.lines.map((line) => line.event)).toContain("idempotency_claim_lost");
});

test("after 24 hours a key is free, for another request too", async () => {
  const scene = createScene(count());
  await scene.post("key-1");
  await scene.clock.advance(KEPT_MS - 1);
  expect((await scene.post("key-1")).replayed).toBe("true");
  await scene.clock.advance(1);
  expect(await scene.post("key-1", { n: 2 })).toMatchObject({ status: 201, replayed: null });
  expect((await scene.post("key-1", { n: 1 })).status).toBe(422);
});

test("an isolate whose clock runs ahead by seconds takes nothing over", async () => {
  const documents = createMemoryDocuments();
  const slow = createScene(() => new Promise<Outcome>(() => {}), { documents });
  void slow.post("key-1");
  await slow.begun;
  await slow.clock.advance(60_000);
  const ahead = createFakeClock(slow.clock.now() + 30_000);
  expect((await createScene(count(), { documents, clock: ahead }).post("key-1")).status).toBe(409);
});

test("while the store does not answer nothing is done", async () => {
  const down = async () => Promise.reject(new StorageUnavailable("no answer"));
  const scene = createScene(count(), { wrap: (documents) => ({ ...documents, insertOne: down }) });
  expect((await scene.post("key-1")).status).toBe(503);
  expect(scene.runs()).toBe(0);
  expect((await scene.post(null)).status).toBe(201);
});

test("work that is done is answered as done, also when its answer cannot be kept", async () => {
  const down = async () => Promise.reject(new StorageUnavailable("no answer"));
  const scene = createScene(count(), { wrap: (documents) => ({ ...documents, updateOne: down }) });
  expect(await scene.post("key-1")).toMatchObject({ status: 201, body: { made: 1 } });
  expect(scene.lines.map((line) => line.event)).toContain("idempotency_not_kept");
  expect((await scene.post("key-1")).status).toBe(409);
});

test("the work is handed over to be finished after its caller has gone", async () => {
  const scene = createScene(count());
  await scene.post("key-1");
  expect(scene.pending).toHaveLength(1);
  expect(await Promise.allSettled(scene.pending)).toEqual([{ status: "fulfilled", value: undefined }]);
});

test("the store is asked twice for the first request, twice for a replay, and never without a key", async () => {
  let asked = 0;
  function counting(documents: Documents): Documents {
    const counted =
      <Args extends unknown[], T>(method: (...args: Args) => T) =>
      (...args: Args) => {
        asked++;
        return method(...args);
      };
    const { insertOne, findOne, updateOne, deleteOne } = documents;
    return {
      ...documents,
      insertOne: counted(insertOne),
      findOne: counted(findOne),
      updateOne: counted(updateOne),
      deleteOne: counted(deleteOne),
    };
  }
  const scene = createScene(count(), { wrap: counting });
  await scene.post(null);
  expect(asked).toBe(0);
  await scene.post("key-1");
  expect(asked).toBe(2);
  await scene.post("key-1");
  expect(asked).toBe(4);
});

test("keys are spread over the shards that are walked", async () => {
  const scene = createScene(count());
  for (let i = 0; i < 64; i++) await scene.post(`key-${i}`);
  const shards = new Set(scene.documents.named("idempotency_keys").map(({ _id }) => _id[0]));
  expect(shards.size).toBeGreaterThan(8);
  for (const shard of shards) expect(IDEMPOTENCY_SHARDS).toContain(shard);
});

test("the description names the header where it is honoured, and only there", () => {
  const { endpoints } = createScene(count());
  const paths = describeApi(
    endpoints.map((e) => e.spec),
    { version: "1" },
  ).paths as unknown as Record<string, { post: { parameters: { name: string; in: string }[]; responses: object } }>;
  const headers = (path: string) => paths[path]?.post.parameters.filter((p) => p.in === "header").map((p) => p.name);
  expect(headers("/work")).toEqual(["Idempotency-Key"]);
  expect(headers("/plain")).toEqual([]);
  expect(Object.keys(paths["/work"]?.post.responses ?? {})).toEqual(expect.arrayContaining(["409", "422"]));
  expect(Object.keys(paths["/plain"]?.post.responses ?? {})).not.toContain("422");
});
