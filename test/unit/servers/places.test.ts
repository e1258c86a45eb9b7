import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { serverPlaces, servers } from "../../../src/storage/documents/collections.ts";
import type { Documents } from "../../../src/storage/documents/documents.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { ECHO_API } from "../../support/graphs.ts";
import { createMemoryDocuments } from "../../support/memory-documents.ts";
import { createMortal } from "../../support/run-crash-mortal.ts";
import { createServersProcess, lookAtPlaces } from "../../support/servers-process.ts";

const OWNER = "user-123";
const HELD_MS = 301_000;
const DAY_MS = 86_400_000;

function createScene(quota: number) {
  const clock = createFakeClock();
  const documents = createMemoryDocuments();
  return {
    clock,
    documents,
    start: (reached: Documents = documents) =>
      createServersProcess({ documents: reached, clock, quota, ownerId: OWNER }),
    look: () => lookAtPlaces(documents, OWNER),
    /** A record as an older version or another program wrote it. */
    addRecord: (serverId: string) => documents.insertOne(servers(OWNER), { ...ECHO_API, serverId, ownerId: OWNER }),
  };
}

/** Hands every call to `met` before it is made. */
function watched(documents: Documents, met: (call: string) => void | Promise<void>): Documents {
  return new Proxy(documents, {
    get(target, name: keyof Documents) {
      return async (...args: [{ name: string }, ...unknown[]]) => {
        await met(`${name} ${args[0]?.name}`);
        return (target[name] as (...args: unknown[]) => unknown)(...args);
      };
    },
  });
}

test("an owner gets as many servers as the quota says, and a deleted one's place again", async () => {
  const { start, look } = createScene(2);
  const process = start();
  expect((await process.create("one")).ok).toBe(true);
  expect((await process.create("two")).ok).toBe(true);
  expect(await process.create("three")).toMatchObject({ ok: false, error: { code: "FORBIDDEN" } });
  expect((await process.remove("one")).ok).toBe(true);
  expect((await process.create("three")).ok).toBe(true);
  expect(await process.create("four")).toMatchObject({ ok: false, error: { code: "FORBIDDEN" } });
  await process.settle();
  expect(await look()).toEqual({ counted: 2, records: 2, underWay: 0 });
});

test("servers that were there before anything was counted are in the count", async () => {
  const { start, look, addRecord } = createScene(48);
  for (let i = 0; i < 45; i++) await addRecord(`old-${String(i).padStart(2, "0")}`);
  const process = start();
  const made = await Promise.all(Array.from({ length: 8 }, () => process.create()));
  expect(made.filter(({ ok }) => ok)).toHaveLength(3);
  expect((await process.remove("old-00")).ok).toBe(true);
  expect((await process.create()).ok).toBe(true);
  await process.settle();
  expect(await look()).toEqual({ counted: 48, records: 48, underWay: 0 });
});

test("an old server can be deleted before anything was counted, and is counted no more", async () => {
  const { start, look, addRecord } = createScene(5);
  await addRecord("old-1");
  await addRecord("old-2");
  expect((await start().remove("old-1")).ok).toBe(true);
  expect(await look()).toEqual({ counted: 1, records: 1, underWay: 0 });
});

test("of creates at once, on several processes, exactly as many pass as there are places", async () => {
  const { start, look } = createScene(10);
  const processes = [start(), start(), start()];
  const made = await Promise.all(Array.from({ length: 30 }, (_, i) => processes[i % 3]?.create()));
  expect(made.filter((create) => create?.ok)).toHaveLength(10);
  for (const process of processes) await process.settle();
  expect(await look()).toEqual({ counted: 10, records: 10, underWay: 0 });
});

test("of creates of one id at once one passes, and the others keep no place", async () => {
  const { start, look } = createScene(10);
  const process = start();
  const made = await Promise.all(Array.from({ length: 6 }, () => process.create("same")));
  expect(made.filter(({ ok }) => ok)).toHaveLength(1);
  await process.settle();
  expect(await look()).toEqual({ counted: 1, records: 1, underWay: 0 });
});

test("deletes of one server at once free one place", async () => {
  const { start, look } = createScene(3);
  const process = start();
  for (const id of ["one", "two", "three"]) await process.create(id);
  const removed = await Promise.all([process.remove("one"), process.remove("one"), start().remove("one")]);
  expect(removed.filter(({ ok }) => ok)).toHaveLength(1);
  await process.settle();
  expect((await process.create("four")).ok).toBe(true);
  expect(await process.create("five")).toMatchObject({ ok: false });
  await process.settle();
  expect(await look()).toMatchObject({ counted: 3, records: 3 });
});

test.each(["ends", "goes on"])(
  "a delete that begins when another has just ended frees nothing more, if it %s",
  async (how) => {
    const scene = createScene(2);
    const process = scene.start();
    for (let round = 0; round < 3; round++) {
      expect((await process.create("same")).ok).toBe(true);
      await process.settle();
      let isLate = false;
      const late = scene.start(
        watched(scene.documents, async (call) => {
          if (isLate && how === "ends") await new Promise(() => {});
          if (isLate || call !== "updateOne server_places") return;
          isLate = true;
          expect((await process.remove("same")).ok).toBe(true);
        }),
      );
      const removed = late.remove("same");
      if (how === "goes on") expect(await removed).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
      await scene.clock.advance(HELD_MS);
    }
    await process.places.reconcile(OWNER);
    expect(await scene.look()).toEqual({ counted: 0, records: 0, underWay: 0 });
    const made = await Promise.all(Array.from({ length: 6 }, () => process.create()));
    expect(made.filter(({ ok }) => ok)).toHaveLength(2);
  },
);

test("a delete whose server was deleted and made anew meanwhile leaves the new one alone", async () => {
  const scene = createScene(2);
  const process = scene.start();
  await process.create("same");
  const late = scene.start(
    watched(scene.documents, async (call) => {
      if (call !== "deleteOne servers") return;
      expect((await process.remove("same")).ok).toBe(true);
      expect((await process.create("same")).ok).toBe(true);
    }),
  );
  expect(await late.remove("same")).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
  await process.settle();
  await scene.clock.advance(HELD_MS);
  await process.places.reconcile(OWNER);
  expect(await scene.look()).toEqual({ counted: 1, records: 1, underWay: 0 });
});

test("a delete of an older version that broke off is settled, whether it had counted its place free or not", async () => {
  const scene = createScene(5);
  const process = scene.start();
  await process.create("stays");
  await process.settle();
  const entry = { serverId: "gone", at: new Date(scene.clock.now()).toISOString(), leaving: true };
  const name = `place_${"0".repeat(26)}`;
  for (const places of [1, 2]) {
    const set = { [`underWay.${name}`]: entry, places };
    await scene.documents.updateOne(serverPlaces(OWNER), { _id: OWNER }, { $set: set });
    await scene.clock.advance(HELD_MS);
    await process.places.reconcile(OWNER);
    expect(await scene.look()).toEqual({ counted: 1, records: 1, underWay: 0 });
  }
});

test("while others are at work a delete that broke off waits to be counted, and the count is not too low", async () => {
  const scene = createScene(5);
  const process = scene.start();
  await process.create("one");
  await process.create("two");
  await process.settle();
  const dying = scene.start(
    watched(scene.documents, (call) => (call === "deleteOne server_owners" ? new Promise(() => {}) : undefined)),
  );
  void dying.remove("one");
  await scene.clock.advance(HELD_MS);
  const held = Promise.withResolvers<void>();
  const busy = scene.start(
    watched(scene.documents, (call) => (call === "insertOne servers" ? held.promise : undefined)),
  );
  const made = busy.create("three");
  await scene.clock.advance(1);
  await process.places.reconcile(OWNER);
  expect(await scene.look()).toEqual({ counted: 3, records: 1, underWay: 1 });
  held.resolve();
  expect((await made).ok).toBe(true);
  await busy.settle();
  await process.places.reconcile(OWNER);
  expect(await scene.look()).toEqual({ counted: 2, records: 2, underWay: 0 });
});

/** A process ends at each of its calls in turn, before or after it; then the clean-up looks at the owner. */
async function endAtEachCall(
  setUp: (process: ReturnType<typeof createServersProcess>) => Promise<unknown>,
  work: (process: ReturnType<typeof createServersProcess>) => Promise<unknown>,
) {
  let crashes = 0;
  for (const ends of ["before", "after"] as const) {
    for (let lastCall = 1; ; lastCall++) {
      const scene = createScene(5);
      const before = scene.start();
      await setUp(before);
      await before.settle();
      const mortal = createMortal(lastCall, ends);
      const dying = scene.start(mortal.documents(scene.documents));
      void work(dying).then(() => dying.settle());
      await scene.clock.advance(HELD_MS);
      if (!mortal.isDead()) break;
      crashes++;
      const { records, counted } = await scene.look();
      expect(Number(counted), `${ends} call ${lastCall}`).toBeGreaterThanOrEqual(counted === null ? 0 : records);
      const after = scene.start();
      await after.places.reconcile(OWNER);
      const rest = 5 - records;
      const more = await Promise.all(Array.from({ length: 7 }, () => after.create()));
      expect(more.filter(({ ok }) => ok).length, `${ends} call ${lastCall}`).toBe(rest);
      await after.settle();
      expect(await scene.look(), `${ends} call ${lastCall}`).toEqual({ counted: 5, records: 5, underWay: 0 });
    }
  }
  return crashes;
}

test("a create that ends at any of its calls, the owner's first or a later one, costs no place", async () => {
  const nothing = async () => {};
  expect(await endAtEachCall(nothing, (process) => process.create("new"))).toBeGreaterThan(10);
  const one = (process: ReturnType<typeof createServersProcess>) => process.create("one");
  expect(await endAtEachCall(one, (process) => process.create("new"))).toBeGreaterThan(6);
  expect(await endAtEachCall(one, one)).toBeGreaterThan(6);
});

test("a delete that ends at any of its calls frees the place if the server is gone, and else keeps it", async () => {
  const two = async (process: ReturnType<typeof createServersProcess>) => {
    await process.create("one");
    await process.create("two");
  };
  expect(await endAtEachCall(two, (process) => process.remove("one"))).toBeGreaterThan(8);
});

test("a create that died and its retry under the same id take one place", async () => {
  const scene = createScene(2);
  const mortal = createMortal(7, "before");
  const dying = scene.start(mortal.documents(scene.documents));
  void dying.create("same");
  await scene.clock.advance(30_000);
  expect(mortal.isDead()).toBe(true);
  const again = scene.start();
  expect((await again.create("same")).ok).toBe(true);
  expect(await again.create("other")).toMatchObject({ ok: false });
  await scene.clock.advance(HELD_MS);
  // Nobody cleaned up: whoever finds no room looks for what broke off.
  expect((await again.create("other")).ok).toBe(true);
  await again.settle();
  expect(await scene.look()).toEqual({ counted: 2, records: 2, underWay: 0 });
});

test("a create or delete whose store took too long leaves everything as it was", async () => {
  const scene = createScene(5);
  await scene.start().create("kept");
  const slow = scene.start(
    watched(scene.documents, async (call) => {
      if (call === "insertOne server_owners" || call === "updateOne server_places") await scene.clock.advance(61_000);
    }),
  );
  await expect(slow.create("late")).rejects.toThrow(StorageUnavailable);
  await expect(slow.remove("kept")).rejects.toThrow(StorageUnavailable);
  await scene.clock.advance(HELD_MS);
  await scene.start().places.reconcile(OWNER);
  expect(await scene.look()).toEqual({ counted: 1, records: 1, underWay: 0 });
});

test("a take whose answer was lost counts once", async () => {
  const scene = createScene(5);
  await scene.start().create("first");
  let isLost = true;
  const documents: Documents = {
    ...scene.documents,
    async updateOne(collection, ...rest) {
      const updated = await scene.documents.updateOne(collection, ...rest);
      // The adapter sends it once more, and the answer is the second one's.
      if (!isLost || collection.name !== "server_places") return updated;
      isLost = false;
      return scene.documents.updateOne(collection, ...rest);
    },
  };
  const process = scene.start(documents);
  expect((await process.create("second")).ok).toBe(true);
  await process.settle();
  expect(await scene.look()).toEqual({ counted: 2, records: 2, underWay: 0 });
});

test("what other programs write and remove is counted within a day, or when the owner would be refused", async () => {
  const scene = createScene(3);
  const process = scene.start();
  await process.create("one");
  await process.settle();
  await scene.addRecord("foreign-1");
  await scene.addRecord("foreign-2");
  expect((await process.places.reconcile(OWNER)).calls).toBe(1);
  await scene.clock.advance(DAY_MS + 1);
  await process.places.reconcile(OWNER);
  expect(await scene.look()).toMatchObject({ counted: 3, records: 3 });
  await scene.documents.deleteOne(servers(OWNER), { serverId: "foreign-1" });
  expect(await process.create("two")).toMatchObject({ ok: false });
  await scene.clock.advance(60_001);
  expect((await process.create("two")).ok).toBe(true);
  expect(await process.create("three")).toMatchObject({ ok: false });
});

test("a count that a create or delete has crossed is dropped", async () => {
  const scene = createScene(10);
  const process = scene.start();
  for (const id of ["a", "b", "c"]) await process.create(id);
  await process.settle();
  await scene.clock.advance(DAY_MS + 1);
  let crossed = false;
  const counting = scene.start(
    watched(scene.documents, async (call) => {
      if (crossed || call !== "updateOne server_places") return;
      crossed = true;
      await process.remove("a");
    }),
  );
  await counting.places.reconcile(OWNER);
  expect(crossed).toBe(true);
  expect(await scene.look()).toEqual({ counted: 2, records: 2, underWay: 0 });
});

test("a create waits for three calls of the store; a fourth goes on behind its answer", async () => {
  const scene = createScene(10);
  const first = scene.start();
  await first.create("first");
  await first.settle();
  const calls: string[] = [];
  const process = scene.start(
    watched(scene.documents, (call) => {
      calls.push(call);
      return calls.length === 4 ? new Promise(() => {}) : undefined;
    }),
  );
  expect((await process.create("second")).ok).toBe(true);
  expect(calls).toEqual([
    "updateOne server_places",
    "insertOne server_owners",
    "insertOne servers",
    "updateOne server_places",
  ]);
});

/** A store that does not take the record itself. */
function refusing(documents: Documents, error: Error): Documents {
  return watched(documents, (call) => {
    if (call === "insertOne servers") throw error;
  });
}

test.each([new TypeError("not valid Unicode"), new RangeError("too large")])(
  "a create whose record the store refuses keeps neither its place nor its id: %s",
  async (error) => {
    const { start, look, documents } = createScene(2);
    const process = start();
    expect((await process.create("first")).ok).toBe(true);
    await process.settle();
    const refused = start(refusing(documents, error));
    for (const serverId of ["foo", "foo", "bar"]) await expect(refused.create(serverId)).rejects.toThrow(error);
    expect(await look()).toEqual({ counted: 1, records: 1, underWay: 0 });
    expect(documents.named("server_owners").map(({ _id }) => _id)).toEqual(["first"]);
    expect((await process.create("foo")).ok).toBe(true);
  },
);

test("a create that another of the same id came to meanwhile leaves it the id", async () => {
  const { start, look, documents } = createScene(5);
  const other = start();
  const refused = start(
    watched(documents, async (call) => {
      if (call !== "insertOne servers") return;
      expect((await other.create("foo")).ok).toBe(true);
      throw new TypeError("not valid Unicode");
    }),
  );
  await expect(refused.create("foo")).rejects.toThrow(TypeError);
  await other.settle();
  expect(documents.named("server_owners").map(({ _id }) => _id)).toEqual(["foo"]);
  expect(await look()).toEqual({ counted: 1, records: 1, underWay: 0 });
});

test("a refused create under the id of a server that is there leaves that one its id", async () => {
  const { start, look, documents } = createScene(5);
  const process = start();
  expect((await process.create("foo")).ok).toBe(true);
  await process.settle();
  const refused = start(refusing(documents, new TypeError("refused")));
  expect(await refused.create("foo")).toMatchObject({ ok: false, error: { code: "DUPLICATE" } });
  expect(documents.named("server_owners").map(({ _id }) => _id)).toEqual(["foo"]);
  expect(await look()).toEqual({ counted: 1, records: 1, underWay: 0 });
});

test("a refused create leaves the id to one of the same owner that took it before", async () => {
  const { start, look, documents } = createScene(5);
  const refused = start(refusing(documents, new TypeError("refused")));
  const first = start(
    watched(documents, async (call) => {
      if (call === "insertOne servers") await expect(refused.create("foo")).rejects.toThrow(TypeError);
    }),
  );
  expect((await first.create("foo")).ok).toBe(true);
  await first.settle();
  expect(documents.named("server_owners").map(({ _id }) => _id)).toEqual(["foo"]);
  expect(await look()).toEqual({ counted: 1, records: 1, underWay: 0 });
});

test("a create whose store did not answer holds its place and its id: the record may stand", async () => {
  const { start, look, documents } = createScene(5);
  await expect(start(refusing(documents, new StorageUnavailable("no answer"))).create("foo")).rejects.toThrow();
  expect(documents.named("server_owners").map(({ _id }) => _id)).toEqual(["foo"]);
  expect(await look()).toEqual({ counted: 1, records: 0, underWay: 1 });
});
