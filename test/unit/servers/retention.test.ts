import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import { IDEMPOTENCY_SHARDS } from "../../../src/http/idempotency-records.ts";
import { createExecutionLog } from "../../../src/servers/execution-log.ts";
import { createPlaces } from "../../../src/servers/places.ts";
import { createCleanUp } from "../../../src/servers/retention.ts";
import { executionLogs, idempotencyKeys, owners, servers } from "../../../src/storage/documents/collections.ts";
import type { Documents } from "../../../src/storage/documents/documents.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createMemoryDocuments } from "../../support/memory-documents.ts";
import { createTestLog } from "../../support/runtime/runtime.ts";

const KEPT_EVENTS = 10_000;
const KEPT_DAYS = 90;
const DAY_MS = 86_400_000;

function createScene() {
  const clock = createFakeClock();
  const documents = createMemoryDocuments();
  const ids = createIdSource(clock, systemRandom);
  const executionLog = createExecutionLog({ documents, ids, clock });
  const { log, lines } = createTestLog();

  /** One more isolate that runs the job, on the same store. */
  function createJob(wrap: (documents: Documents) => Documents = (same) => same) {
    const store = {
      listOwners: async ({ after, limit }: { readonly after?: string | undefined; readonly limit: number }) => {
        const filter = after === undefined ? {} : { _id: { $gt: after } };
        return (await documents.find(owners(), { filter, limit })).map(({ _id }) => _id);
      },
    };
    const trimRuns = async () => ({ interrupted: 0, removed: 0 });
    return createCleanUp({
      documents: wrap(documents),
      store,
      idempotencyShards: IDEMPOTENCY_SHARDS,
      trimRuns,
      places: createPlaces({ documents, ids, clock }),
      removed: { settle: async () => 0 },
      agents: { pages: async function* () {}, cleanUp: async () => ({ interrupted: 0, removed: 0, calls: 0 }) },
      ids,
      clock,
      log,
    });
  }

  async function addServer(ownerId: string, serverId: string): Promise<void> {
    await documents.insertOne(owners(), { _id: ownerId });
    await documents.insertOne(servers(ownerId), { _id: serverId, serverId, ownerId });
  }

  async function append(ownerId: string, serverId: string, count = 1): Promise<void> {
    for (let i = 0; i < count; i++) {
      const about = { serverId, ownerId, actor: "key_1", requestId: "req_1" };
      await executionLog.append({ ...about, type: "run_complete", message: "run" });
    }
  }

  const eventsOf = (serverId: string) =>
    documents.named("execution_logs").filter((event) => event.serverId === serverId && event._id.startsWith("log_"));

  return { clock, documents, executionLog, ids, lines, createJob, addServer, append, eventsOf };
}

/** As many events as would take long to append one by one. */
async function fill(scene: ReturnType<typeof createScene>, ownerId: string, serverId: string, count: number) {
  const rest = {
    type: "run_complete",
    actor: "a",
    requestId: "r",
    message: "m",
    timestamp: "2026-02-13T10:30:00.000Z",
  };
  const made: string[] = [];
  for (let i = 0; i < count; i++) {
    const _id = scene.ids.next("log");
    made.push(_id);
    await scene.documents.insertOne(executionLogs(serverId), { _id, serverId, ownerId, ...rest, data: {} });
  }
  return made;
}

test("events past their days go, the others stay", async () => {
  const scene = createScene();
  await scene.addServer("user-1", "mcp_1");
  await scene.append("user-1", "mcp_1", 3);
  await scene.clock.advance(DAY_MS);
  await scene.append("user-1", "mcp_1", 2);
  await scene.clock.advance((KEPT_DAYS - 1) * DAY_MS + 1);
  const cleanUp = scene.createJob();
  expect(await cleanUp()).toEqual({
    skipped: false,
    idempotencyKeysRemoved: 0,
    serversVisited: 1,
    placesSettled: 0,
    agentsVisited: 0,
    eventsRemoved: 3,
    runsRemoved: 0,
    runsInterrupted: 0,
    failures: 0,
    roundFinished: true,
  });
  expect(scene.eventsOf("mcp_1")).toHaveLength(2);
  expect((await cleanUp()).eventsRemoved).toBe(0);
  await scene.clock.advance(DAY_MS);
  expect((await cleanUp()).eventsRemoved).toBe(2);
  expect(scene.eventsOf("mcp_1")).toEqual([]);
});

test("of one server's events the newest are kept by their number, over many runs", { timeout: 60_000 }, async () => {
  const scene = createScene();
  await scene.addServer("user-1", "mcp_1");
  await scene.addServer("user-1", "mcp_2");
  await scene.append("user-1", "mcp_2", 5);
  const cleanUp = scene.createJob();
  const first = await fill(scene, "user-1", "mcp_1", KEPT_EVENTS - 3);
  await scene.clock.advance(60_000);
  expect((await cleanUp()).eventsRemoved).toBe(0);
  const second = await fill(scene, "user-1", "mcp_1", 10);
  await scene.clock.advance(60_000);
  expect((await cleanUp()).eventsRemoved).toBe(7);
  const third = await fill(scene, "user-1", "mcp_1", 2_500);
  await scene.clock.advance(60_000);
  expect((await cleanUp()).eventsRemoved).toBe(2_500);
  expect((await cleanUp()).eventsRemoved).toBe(0);
  const kept = [...first, ...second, ...third].slice(-KEPT_EVENTS);
  expect(scene.eventsOf("mcp_1").map(({ _id }) => _id)).toEqual(kept);
  expect(scene.eventsOf("mcp_2")).toHaveLength(5);
});

test("what is kept with a log beside its events is no event", async () => {
  const scene = createScene();
  await scene.addServer("user-1", "mcp_1");
  await scene.append("user-1", "mcp_1", 3);
  await scene.clock.advance(60_000);
  await scene.createJob()();
  expect(scene.documents.named("execution_logs")).toHaveLength(4);
  expect(await scene.executionLog.list("mcp_1", "user-1", 100)).toHaveLength(3);
  expect(await scene.executionLog.listAfter("mcp_1", "user-1", 100, "")).toHaveLength(3);
});

test("a server that takes a removed one's id begins to count anew", async () => {
  const scene = createScene();
  await scene.addServer("user-1", "mcp_1");
  await scene.append("user-1", "mcp_1", 3);
  await scene.clock.advance(60_000);
  await scene.createJob()();
  await scene.documents.deleteMany(executionLogs("mcp_1"), { serverId: "mcp_1", ownerId: "user-1" });
  expect(scene.documents.named("execution_logs")).toEqual([]);
});

test("idempotency keys past their day go from every shard, the others stay", async () => {
  const scene = createScene();
  const now = scene.clock.now();
  for (const shard of IDEMPOTENCY_SHARDS) {
    for (const [name, expiresAt] of [
      ["0", now - 1],
      ["f", now],
      ["7", now + 1],
    ] as const) {
      const document = { _id: `${shard}${name}`, expiresAt: new Date(expiresAt).toISOString() };
      await scene.documents.insertOne(idempotencyKeys(shard), document);
    }
  }
  expect((await scene.createJob()()).idempotencyKeysRemoved).toBe(2 * IDEMPOTENCY_SHARDS.length);
  expect(scene.documents.named("idempotency_keys").map(({ _id }) => _id[1])).toEqual(IDEMPOTENCY_SHARDS.map(() => "7"));
});

test("a run makes a bounded number of calls, and the next ones go on where it stopped", {
  timeout: 60_000,
}, async () => {
  const scene = createScene();
  const names: string[] = [];
  for (let owner = 0; owner < 130; owner++) {
    const ownerId = `user-${String(owner).padStart(3, "0")}`;
    // Some have none, one has more than a page.
    const count = owner % 10 === 3 ? 0 : owner === 50 ? 45 : 2;
    await scene.documents.insertOne(owners(), { _id: ownerId });
    for (let i = 0; i < count; i++) {
      const serverId = `mcp_${owner}_${String(i).padStart(2, "0")}`;
      names.push(serverId);
      await scene.addServer(ownerId, serverId);
      await scene.append(ownerId, serverId);
    }
  }
  await scene.clock.advance((KEPT_DAYS + 1) * DAY_MS);
  let calls = 0;
  const cleanUp = scene.createJob((documents) => {
    const counted =
      <Args extends unknown[], T>(method: (...args: Args) => T) =>
      (...args: Args) => {
        calls++;
        return method(...args);
      };
    const { find, findOne, deleteMany, replaceOne } = documents;
    return {
      ...documents,
      find: counted(find),
      findOne: counted(findOne),
      deleteMany: counted(deleteMany),
      replaceOne: counted(replaceOne),
    };
  });
  const visited: number[] = [];
  for (let finished = false; !finished; ) {
    calls = 0;
    const report = await cleanUp();
    expect(calls).toBeLessThan(1_000);
    visited.push(report.serversVisited);
    finished = report.roundFinished;
  }
  expect(visited.length).toBeGreaterThan(1);
  expect(visited.reduce((sum, n) => sum + n, 0)).toBe(names.length);
  for (const serverId of names) expect(scene.eventsOf(serverId)).toEqual([]);
});

test("of two runs at once one works, the other says that it did not", async () => {
  const scene = createScene();
  await scene.addServer("user-1", "mcp_1");
  await scene.append("user-1", "mcp_1", 3);
  await scene.clock.advance((KEPT_DAYS + 1) * DAY_MS);
  for (let round = 0; round < 2; round++) {
    const reports = await Promise.all([scene.createJob()(), scene.createJob()(), scene.createJob()()]);
    expect(reports.filter(({ skipped }) => !skipped)).toHaveLength(1);
  }
  expect(scene.eventsOf("mcp_1")).toEqual([]);
});

test("a run that died is followed by the next once its lease has ended", async () => {
  const scene = createScene();
  await scene.addServer("user-1", "mcp_1");
  let entered = () => {};
  const begun = new Promise<void>((resolve) => {
    entered = resolve;
  });
  const dead = scene.createJob((documents) => ({
    ...documents,
    deleteMany: () => {
      entered();
      return new Promise(() => {});
    },
  }));
  void dead();
  await begun;
  expect((await scene.createJob()()).skipped).toBe(true);
  await scene.clock.advance(600_000);
  expect(await scene.createJob()()).toMatchObject({ skipped: false, roundFinished: true });
});

test("a server that cannot be cleaned up does not keep the others from it", async () => {
  const scene = createScene();
  for (const serverId of ["mcp_1", "mcp_2", "mcp_3"]) {
    await scene.addServer("user-1", serverId);
    await scene.append("user-1", serverId);
  }
  await scene.clock.advance((KEPT_DAYS + 1) * DAY_MS);
  const cleanUp = scene.createJob((documents) => ({
    ...documents,
    findOne: async (collection, filter) => {
      if (filter._id === "kept:mcp_2") throw new StorageUnavailable("mongodb://user:hunter2@db");
      return documents.findOne(collection, filter);
    },
  }));
  expect(await cleanUp()).toMatchObject({ serversVisited: 3, eventsRemoved: 2, failures: 1, roundFinished: true });
  expect(scene.lines.map((line) => line.event)).toContain("clean_up_failed");
});

test("a store that is down ends the run soon, and the next one goes on behind it", async () => {
  const scene = createScene();
  for (let i = 0; i < 12; i++) await scene.addServer("user-1", `mcp_${String(i).padStart(2, "0")}`);
  let down = true;
  const cleanUp = scene.createJob((documents) => ({
    ...documents,
    findOne: async (collection, filter) => {
      if (down && String(filter._id).startsWith("kept:")) throw new StorageUnavailable("no answer");
      return documents.findOne(collection, filter);
    },
  }));
  expect(await cleanUp()).toMatchObject({ serversVisited: 5, failures: 5, roundFinished: false });
  down = false;
  expect(await cleanUp()).toMatchObject({ serversVisited: 7, failures: 0, roundFinished: true });
  expect(await cleanUp()).toMatchObject({ serversVisited: 12, roundFinished: true });
});
