import { expect, test } from "vitest";
import { StorageUnavailable } from "../../../src/core/errors.ts";
import { secrets } from "../../../src/storage/documents/collections.ts";
import type { Documents } from "../../../src/storage/documents/documents.ts";
import { createMemoryDocuments } from "../../support/memory-documents.ts";
import { callOf, createScene, KEY, OTHER_KEY } from "./secret-scene.ts";

const VALUE = "correct-horse-battery-staple";

/** What the row of a secret holds, changed as somebody with the database in hand could. */
async function tamper(documents: Documents, _id: string, set: Record<string, any>) {
  const changed = await documents.updateOne(secrets("any"), { _id }, { $set: set });
  expect(changed).toMatchObject({ ok: true, value: { matchedCount: 1 } });
}

async function sealedOf(documents: Documents, _id: string) {
  const row = await documents.findOne(secrets("any"), { _id });
  return { sealed: row?.sealed ?? null, keyId: row?.keyId ?? null };
}

/** The in-memory store meets all owners' rows in one place, whatever the partition. */
const rowId = (ownerId: string, name: string) => `${ownerId}:${name}`;

test.each([
  ["a word", VALUE],
  ["one character", "x"],
  ["spaces and line breaks", "  -----BEGIN KEY-----\r\nabc\n-----END KEY-----\n"],
  ["a byte order mark at its start", "\ufeffvalue"],
  ["NUL and other control characters", "a\u0000b\u001bc"],
  ["something that looks like a reference", "{{secrets.OTHER}}"],
  ["as many characters as may be", "€".repeat(16_384)],
])("%s comes back as it was stored", async (_what, value) => {
  const scene = createScene();
  await scene.store("ada", "API_KEY", value);
  expect(await scene.read("ada", "API_KEY")).toEqual({ API_KEY: value });
});

test("only the names that exist come back, each once", async () => {
  const scene = createScene();
  await scene.store("ada", "A", "1");
  await scene.store("ada", "B", "2");
  expect(await scene.read("ada", "A", "MISSING", "B", "A")).toEqual({ A: "1", B: "2" });
  expect(await scene.read("ada")).toEqual({});
});

test.each(["__proto__", "constructor", "prototype", "", "a.b", "a:b", "$where", "A ", "x".repeat(65)])(
  "the name %j is never looked up",
  async (name) => {
    let finds = 0;
    const documents = createMemoryDocuments();
    const find: Documents["find"] = (...args) => {
      finds++;
      return documents.find(...args);
    };
    const scene = createScene({ documents: { ...documents, find } });
    expect((await scene.service.readValues("ada", [name])).size).toBe(0);
    expect(finds).toBe(0);
  },
);

test("many names are one query", async () => {
  let finds = 0;
  const documents = createMemoryDocuments();
  const find: Documents["find"] = (...args) => {
    finds++;
    return documents.find(...args);
  };
  const names = Array.from({ length: 20 }, (_, i) => `NAME_${i}`);
  const writer = createScene({ documents });
  for (const name of names) await writer.store("ada", name, `value of ${name}`);
  const reader = createScene({ documents: { ...documents, find } });
  expect(Object.keys(await reader.read("ada", ...names))).toHaveLength(20);
  expect(finds).toBe(1);
});

test("more names than one query takes all come back", async () => {
  const scene = createScene({ quota: 250 });
  const names = Array.from({ length: 230 }, (_, i) => `N${i}`);
  for (const name of names) await scene.store("ada", name, name.toLowerCase());
  await scene.clock.advance(60_000);
  const values = await scene.read("ada", ...names);
  expect(names.filter((name) => values[name] !== name.toLowerCase())).toEqual([]);
});

test("an owner reads nothing of another's, even where one name holds the other", async () => {
  const scene = createScene();
  await scene.store("ada", "TOKEN", "ada's");
  await scene.store("ada:TOKEN", "X", "of somebody called ada:TOKEN");
  await scene.store("ada%3ATOKEN", "X", "of somebody called ada%3ATOKEN");
  expect(await scene.read("bob", "TOKEN", "X")).toEqual({});
  expect(await scene.read("ada", "TOKEN", "X")).toEqual({ TOKEN: "ada's" });
  expect(await scene.read("ada:TOKEN", "TOKEN", "X")).toEqual({ X: "of somebody called ada:TOKEN" });
  const listed = await scene.service.list(callOf("ada"), { limit: 100 });
  expect(listed).toMatchObject({ ok: true, value: { items: [{ name: "TOKEN" }] } });
});

test("what is stored and logged holds the plain text nowhere, nor its base64", async () => {
  const documents = createMemoryDocuments();
  const scene = createScene({ documents });
  await scene.store("ada", "API_KEY", VALUE);
  await scene.store("ada", "API_KEY", VALUE);
  await scene.read("ada", "API_KEY");
  await tamper(documents, rowId("ada", "API_KEY"), { version: 7 });
  await createScene({ documents, encryptionKey: OTHER_KEY }).read("ada", "API_KEY");
  const kept = JSON.stringify([documents.all(), scene.logs]);
  expect(documents.named("secrets")).toHaveLength(1);
  expect(kept).not.toContain(VALUE);
  expect(kept).not.toContain(btoa(VALUE).slice(0, -4));
  expect(kept).not.toContain(KEY.slice(0, 20));
});

test("two secrets of one value look different, and so does one value stored twice", async () => {
  const documents = createMemoryDocuments();
  const scene = createScene({ documents });
  await scene.store("ada", "A", VALUE);
  await scene.store("ada", "B", VALUE);
  const first = await sealedOf(documents, rowId("ada", "A"));
  expect(first.sealed).not.toBe((await sealedOf(documents, rowId("ada", "B"))).sealed);
  await scene.store("ada", "A", VALUE);
  expect((await sealedOf(documents, rowId("ada", "A"))).sealed).not.toBe(first.sealed);
});

test("sealed values that change places between an owner's names do not open", async () => {
  const documents = createMemoryDocuments();
  const scene = createScene({ documents });
  await scene.store("ada", "A", "1");
  await scene.store("ada", "B", "2");
  const [a, b] = [await sealedOf(documents, "ada:A"), await sealedOf(documents, "ada:B")];
  await tamper(documents, "ada:A", b);
  await tamper(documents, "ada:B", a);
  expect(await scene.read("ada", "A", "B")).toEqual({});
  expect(scene.logs.map((line) => JSON.parse(line))).toMatchObject([
    { event: "secret_unreadable", name: "A", reason: "is damaged, or was copied from another row" },
    { event: "secret_unreadable", name: "B", reason: "is damaged, or was copied from another row" },
  ]);
});

test("a sealed value copied to another owner's row of the same name does not open", async () => {
  const documents = createMemoryDocuments();
  const scene = createScene({ documents });
  await scene.store("ada", "TOKEN", VALUE);
  await scene.store("bob", "TOKEN", "bob's");
  await tamper(documents, "bob:TOKEN", await sealedOf(documents, "ada:TOKEN"));
  expect(await scene.read("bob", "TOKEN")).toEqual({});
  expect(await scene.read("ada", "TOKEN")).toEqual({ TOKEN: VALUE });
});

test("what was stored under another ENCRYPTION_KEY is missing, and the log says why", async () => {
  const documents = createMemoryDocuments();
  await createScene({ documents }).store("ada", "TOKEN", VALUE);
  const rekeyed = createScene({ documents, encryptionKey: OTHER_KEY });
  expect(await rekeyed.read("ada", "TOKEN")).toEqual({});
  expect(rekeyed.logs.map((line) => JSON.parse(line))).toMatchObject([
    { level: "warn", name: "TOKEN", reason: "was stored under another ENCRYPTION_KEY" },
  ]);
});

test("a value stored anew under the new key is there again", async () => {
  const documents = createMemoryDocuments();
  await createScene({ documents }).store("ada", "TOKEN", VALUE);
  const rekeyed = createScene({ documents, encryptionKey: OTHER_KEY });
  await rekeyed.store("ada", "TOKEN", "new");
  expect(await rekeyed.read("ada", "TOKEN")).toEqual({ TOKEN: "new" });
  expect(documents.named("secrets")).toMatchObject([{ version: 2 }]);
});

test("a key id claimed by hand does not make another key's value open", async () => {
  const documents = createMemoryDocuments();
  const scene = createScene({ documents });
  await createScene({ documents, encryptionKey: OTHER_KEY }).store("ada", "A", VALUE);
  await scene.store("ada", "B", "2");
  await tamper(documents, "ada:A", { keyId: (await sealedOf(documents, "ada:B")).keyId });
  expect(await scene.read("ada", "A", "B")).toEqual({ B: "2" });
});

test.each([
  ["cut off", { sealed: "AQ" }],
  ["no base64", { sealed: "?!" }],
  ["empty", { sealed: "" }],
  ["a number", { sealed: 7 }],
  ["an object", { sealed: { $numberInt: "1" } }],
  ["null", { sealed: null }],
  ["without a key id", { keyId: null }],
])("a row whose value is %s is missing, and the others are there", async (_what, damage) => {
  const documents = createMemoryDocuments();
  const scene = createScene({ documents });
  await scene.store("ada", "A", "1");
  await scene.store("ada", "B", "2");
  // Written past the port's checks, as by another program.
  const row = documents.all().find(({ _id }) => _id === "ada:A");
  const { _id, ...fields } = row ?? { _id: "" };
  const held = {
    ...documents,
    find: async () => [{ _id, ...fields, ...damage }, ...documents.named("secrets").slice(1)],
  };
  const reader = createScene({ documents: held });
  expect(await reader.read("ada", "A", "B")).toEqual({ B: "2" });
  expect(reader.logs.join()).toContain('"name":"A"');
  expect(reader.logs).toHaveLength(1);
});

test.each([
  ["its version is a text", { version: "3" }],
  ["its version is below one", { version: 0 }],
  ["its times are none", { createdAt: "yesterday" }],
])("a row is not shown where %s, and a put makes it whole", async (_what, damage) => {
  const documents = createMemoryDocuments();
  const scene = createScene({ documents });
  await scene.store("ada", "A", "1");
  await scene.store("ada", "B", "2");
  await tamper(documents, "ada:A", damage);
  expect(await scene.service.get(callOf("ada"), "A")).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
  const listed = await scene.service.list(callOf("ada"), { limit: 20 });
  expect(listed).toMatchObject({ ok: true, value: { items: [{ name: "B" }], nextCursor: null } });
  await scene.store("ada", "A", "whole");
  expect(await scene.read("ada", "A", "B")).toEqual({ A: "whole", B: "2" });
  expect(await scene.service.get(callOf("ada"), "A")).toMatchObject({ ok: true, value: { name: "A", version: 1 } });
  expect(documents.named("secrets")).toHaveLength(2);
});

test("a damaged row can be deleted", async () => {
  const documents = createMemoryDocuments();
  const scene = createScene({ documents });
  await scene.store("ada", "A", "1");
  await tamper(documents, "ada:A", { version: "3", sealed: "?" });
  expect(await scene.service.remove(callOf("ada"), "A")).toEqual({ ok: true, value: null });
  expect(documents.named("secrets")).toEqual([]);
});

test("without ENCRYPTION_KEY nothing is read, and the log says why", async () => {
  const documents = createMemoryDocuments();
  await createScene({ documents }).store("ada", "TOKEN", VALUE);
  const keyless = createScene({ documents, encryptionKey: null });
  expect(await keyless.read("ada", "TOKEN")).toEqual({});
  expect(keyless.logs.join()).toContain("no ENCRYPTION_KEY is set");
});

test("a store that does not answer is told, not taken for a missing secret", async () => {
  const documents = createMemoryDocuments();
  const find = () => Promise.reject(new StorageUnavailable("down"));
  const scene = createScene({ documents: { ...documents, find } });
  await expect(scene.read("ada", "TOKEN")).rejects.toThrow(StorageUnavailable);
});
