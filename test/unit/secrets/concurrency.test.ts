import { expect, test } from "vitest";
import type { Documents } from "../../../src/storage/documents/documents.ts";
import { createMemoryDocuments } from "../../support/memory-documents.ts";
import { callOf, createScene, shuffled } from "./secret-scene.ts";

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);
const names = (count: number) => Array.from({ length: count }, (_, i) => `NAME_${i}`);

test.each(SEEDS)(
  "of 50 creates at once over two isolates as many succeed as there is room for (order %i)",
  async (seed) => {
    const documents = createMemoryDocuments();
    const isolates = [0, 1].map((i) => createScene({ documents: shuffled(documents, seed * 2 + i), quota: 20 }));
    const puts = await Promise.all(
      names(50).map(async (name, i) => {
        const put = await isolates[i % 2]?.service.put(callOf("ada"), name, { value: `value of ${name}` });
        return { name, put };
      }),
    );
    const stored = puts.filter(({ put }) => put?.ok).map(({ name }) => name);
    const refused = puts.filter(({ put }) => put?.ok === false && put.error.code === "FORBIDDEN");
    expect([stored.length, refused.length]).toEqual([20, 30]);
    expect(documents.named("secrets")).toHaveLength(20);
    const values = await createScene({ documents }).read("ada", ...names(50));
    expect(values).toEqual(Object.fromEntries(stored.map((name) => [name, `value of ${name}`])));
  },
);

test.each(SEEDS)("50 creates at once into room for exactly 50 all succeed (order %i)", async (seed) => {
  const scene = createScene({ documents: shuffled(createMemoryDocuments(), seed), quota: 50 });
  await Promise.all(names(50).map((name) => scene.store("ada", name, name)));
  expect(Object.keys(await scene.read("ada", ...names(50)))).toHaveLength(50);
});

test.each(SEEDS)(
  "50 puts of one name at once create it once, and one of the values stands whole (order %i)",
  async (seed) => {
    const documents = createMemoryDocuments();
    const scene = createScene({ documents: shuffled(documents, seed), quota: 1 });
    const values = names(50).map((name) => name.repeat(100));
    const puts = await Promise.all(values.map((value) => scene.service.put(callOf("ada"), "TOKEN", { value })));
    expect(puts.filter((put) => put.ok && put.value.created)).toHaveLength(1);
    expect(puts.filter((put) => put.ok && !put.value.created)).toHaveLength(49);
    expect(values).toContain((await scene.read("ada", "TOKEN")).TOKEN);
    expect(documents.named("secrets")).toMatchObject([{ version: 50 }]);
  },
);

test.each(SEEDS)(
  "creates, changes and deletions at once never pass the quota nor lose what stands (order %i)",
  async (seed) => {
    const inner = createMemoryDocuments();
    let most = 0;
    const insertOne: Documents["insertOne"] = async (...args) => {
      const inserted = await inner.insertOne(...args);
      most = Math.max(most, inner.named("secrets").length);
      return inserted;
    };
    const scene = createScene({ documents: shuffled({ ...inner, insertOne }, seed), quota: 10 });
    for (const name of names(10)) await scene.store("ada", name, `first of ${name}`);
    const outcomes = await Promise.all([
      ...names(5).map((name) => scene.service.remove(callOf("ada"), name)),
      ...names(10)
        .slice(5)
        .map((name) => scene.service.put(callOf("ada"), name, { value: `second of ${name}` })),
      ...names(40)
        .slice(10)
        .map((name) => scene.service.put(callOf("ada"), name, { value: `first of ${name}` })),
    ]);
    expect(most).toBe(10);
    const stored = outcomes.slice(10).flatMap((outcome, i) => (outcome.ok ? [`NAME_${i + 10}`] : []));
    expect(await scene.read("ada", ...names(40))).toEqual(
      Object.fromEntries([
        ...names(10)
          .slice(5)
          .map((name) => [name, `second of ${name}`]),
        ...stored.map((name) => [name, `first of ${name}`]),
      ]),
    );
  },
);

test.each(SEEDS)(
  "puts and deletions of one name at once all end, with the secret whole or gone (order %i)",
  async (seed) => {
    const documents = createMemoryDocuments();
    const scene = createScene({ documents: shuffled(documents, seed), quota: 1 });
    const outcomes = await Promise.all(
      names(30).map((value, i) =>
        i % 3 === 0
          ? scene.service.remove(callOf("ada"), "TOKEN")
          : scene.service.put(callOf("ada"), "TOKEN", { value }),
      ),
    );
    const codes = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error.code]));
    expect(new Set([...codes, "NOT_FOUND"])).toEqual(new Set(["NOT_FOUND"]));
    const { TOKEN } = await scene.read("ada", "TOKEN");
    expect([undefined, ...names(30)]).toContain(TOKEN);
    expect(documents.named("secrets")).toHaveLength(TOKEN === undefined ? 0 : 1);
  },
);

test("two isolates repair a damaged row at once, and neither's put is lost", async () => {
  for (const seed of SEEDS) {
    const documents = createMemoryDocuments();
    const scene = createScene({ documents: shuffled(documents, seed), quota: 1 });
    await scene.store("ada", "TOKEN", "old");
    await documents.updateOne({ kind: "system", name: "secrets", partition: "any" }, {}, { $set: { version: "x" } });
    await Promise.all([scene.store("ada", "TOKEN", "one"), scene.store("ada", "TOKEN", "two")]);
    expect(documents.named("secrets")).toMatchObject([{ version: 2 }]);
    expect(["one", "two"]).toContain((await scene.read("ada", "TOKEN")).TOKEN);
  }
});

test("a deleted secret makes room for another", async () => {
  const scene = createScene({ quota: 2 });
  await scene.store("ada", "A", "1");
  await scene.store("ada", "B", "2");
  expect(await scene.service.put(callOf("ada"), "C", { value: "3" })).toMatchObject({
    ok: false,
    error: { code: "FORBIDDEN", detail: "this owner has 2 secrets, and may have no more: delete one first" },
  });
  await scene.service.remove(callOf("ada"), "A");
  await scene.store("ada", "C", "3");
  expect(await scene.read("ada", "A", "B", "C")).toEqual({ B: "2", C: "3" });
});

test("a full quota hinders no change of what is there, and no other owner", async () => {
  const scene = createScene({ quota: 1 });
  await scene.store("ada", "A", "1");
  await scene.store("ada", "A", "2");
  await scene.store("bob", "A", "bob's");
  expect(await scene.read("ada", "A")).toEqual({ A: "2" });
});

test("a quota that was lowered holds for what is created from then on, also at once", async () => {
  const documents = createMemoryDocuments();
  const before = createScene({ documents, quota: 40 });
  for (const name of names(20)) await before.store("ada", name, name);
  const after = createScene({ documents: shuffled(documents, 1), quota: 10 });
  const create = (name: string) => after.service.put(callOf("ada"), name, { value: name });
  expect(await create("NEW")).toMatchObject({ ok: false, error: { code: "FORBIDDEN" } });
  for (const name of names(11)) await after.service.remove(callOf("ada"), name);
  const made = await Promise.all(names(8).map((name) => create(`NEW_${name}`)));
  expect(made.filter(({ ok }) => ok)).toHaveLength(1);
  expect(documents.named("secrets")).toHaveLength(10);
});
