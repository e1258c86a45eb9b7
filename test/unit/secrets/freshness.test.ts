import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import type { Documents } from "../../../src/storage/documents/documents.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createMemoryDocuments } from "../../support/memory-documents.ts";
import { callOf, createScene } from "./secret-scene.ts";

/** Two isolates over one store, with a count of the queries of the second. */
function createPair() {
  const documents = createMemoryDocuments();
  const clock = createFakeClock();
  let queries = 0;
  const find: Documents["find"] = (...args) => {
    queries++;
    return documents.find(...args);
  };
  const here = createScene({ documents: { ...documents, find }, clock });
  const there = createScene({ documents, clock });
  return { documents, clock, here, there, queries: () => queries };
}

test("what was read a moment ago is not asked for again", async () => {
  const { here, there, queries } = createPair();
  await there.store("ada", "TOKEN", "1");
  await here.read("ada", "TOKEN");
  expect(await here.read("ada", "TOKEN")).toEqual({ TOKEN: "1" });
  expect(queries()).toBe(1);
});

test("only what is not remembered is asked for", async () => {
  const { here, there, clock } = createPair();
  await there.store("ada", "A", "1");
  await here.read("ada", "A");
  await there.store("ada", "B", "2");
  await clock.advance(1_000);
  expect(await here.read("ada", "A", "B")).toEqual({ A: "1", B: "2" });
});

test("a change holds at once in the isolate that made it", async () => {
  const { here } = createPair();
  await here.store("ada", "TOKEN", "old");
  await here.read("ada", "TOKEN");
  await here.store("ada", "TOKEN", "new");
  expect(await here.read("ada", "TOKEN")).toEqual({ TOKEN: "new" });
});

test("a deletion holds at once in the isolate that made it", async () => {
  const { here } = createPair();
  await here.store("ada", "TOKEN", "old");
  await here.read("ada", "TOKEN");
  await here.service.remove(callOf("ada"), "TOKEN");
  expect(await here.read("ada", "TOKEN")).toEqual({});
});

test("a change holds in every other isolate within ten seconds, however often it is read meanwhile", async () => {
  const { here, there, clock } = createPair();
  await there.store("ada", "TOKEN", "old");
  await here.read("ada", "TOKEN");
  await there.store("ada", "TOKEN", "new");
  for (let second = 0; second < 9; second++) {
    await here.read("ada", "TOKEN");
    await clock.advance(1_000);
  }
  expect(await here.read("ada", "TOKEN")).toEqual({ TOKEN: "new" });
});

test("a deletion holds in every other isolate within ten seconds, however often it is read meanwhile", async () => {
  const { here, there, clock } = createPair();
  await there.store("ada", "TOKEN", "old");
  await here.read("ada", "TOKEN");
  await there.service.remove(callOf("ada"), "TOKEN");
  for (let second = 0; second < 9; second++) {
    await here.read("ada", "TOKEN");
    await clock.advance(1_000);
  }
  expect(await here.read("ada", "TOKEN")).toEqual({});
});

test("a secret that was missing is there as soon as another isolate has stored it", async () => {
  const { here, there } = createPair();
  expect(await here.read("ada", "TOKEN")).toEqual({});
  await there.store("ada", "TOKEN", "1");
  expect(await here.read("ada", "TOKEN")).toEqual({ TOKEN: "1" });
});

test("a read that a change overtakes does not bring the old value back", async () => {
  const documents = createMemoryDocuments();
  const gate = Promise.withResolvers<void>();
  let isHeld = false;
  const find: Documents["find"] = async (...args) => {
    const rows = await documents.find(...args);
    if (isHeld) await gate.promise;
    return rows;
  };
  const scene = createScene({ documents: { ...documents, find } });
  await scene.store("ada", "TOKEN", "old");
  isHeld = true;
  const late = scene.read("ada", "TOKEN");
  await scene.clock.advance(0);
  isHeld = false;
  await scene.store("ada", "TOKEN", "new");
  gate.resolve();
  await late;
  expect(await scene.read("ada", "TOKEN")).toEqual({ TOKEN: "new" });
});

test("a slow answer is not trusted for longer than a quick one", async () => {
  const documents = createMemoryDocuments();
  const clock = createFakeClock();
  const gate = Promise.withResolvers<void>();
  const find: Documents["find"] = async (...args) => {
    const rows = await documents.find(...args);
    await gate.promise;
    return rows;
  };
  const there = createScene({ documents, clock });
  const here = createScene({ documents: { ...documents, find }, clock });
  await there.store("ada", "TOKEN", "old");
  const slow = here.read("ada", "TOKEN");
  await clock.advance(8_000);
  await there.store("ada", "TOKEN", "new");
  gate.resolve();
  await slow;
  expect(await here.read("ada", "TOKEN")).toEqual({ TOKEN: "new" });
});

test.each(["put", "remove"] as const)("a %s whose answer was lost holds at once all the same", async (action) => {
  const documents = createMemoryDocuments();
  let isLosing = false;
  const losing =
    <Args extends unknown[], T>(method: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      const answer = await method(...args);
      if (isLosing) throw new StorageUnavailable("the answer was lost");
      return answer;
    };
  const { updateOne, deleteOne } = documents;
  const scene = createScene({
    documents: { ...documents, updateOne: losing(updateOne), deleteOne: losing(deleteOne) },
  });
  await scene.store("ada", "TOKEN", "old");
  await scene.read("ada", "TOKEN");
  isLosing = true;
  const { service } = scene;
  const lost =
    action === "put" ? service.put(callOf("ada"), "TOKEN", { value: "new" }) : service.remove(callOf("ada"), "TOKEN");
  await expect(lost).rejects.toThrow(StorageUnavailable);
  expect(await scene.read("ada", "TOKEN")).toEqual(action === "put" ? { TOKEN: "new" } : {});
});

test("long values are right too, though they are read anew each time", async () => {
  const { here, there, queries } = createPair();
  const value = "k".repeat(16_384);
  await there.store("ada", "PEM", value);
  await here.read("ada", "PEM");
  expect(await here.read("ada", "PEM")).toEqual({ PEM: value });
  expect(queries()).toBe(2);
});
