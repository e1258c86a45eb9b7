import { expect, test } from "vitest";
import { freshCollection, idsOf, insertAll, type MakeDocuments } from "./harness.ts";

const PARALLEL = 100;

export function describeUniqueness(makeStore: MakeDocuments): void {
  test("an _id is taken once", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [{ _id: "x", a: 1 }]);
    const again = await documents.insertOne(collection, { _id: "x", a: 2 });
    expect(again).toEqual({ ok: false, error: { kind: "duplicate_key", fields: ["_id"] } });
    expect(await documents.findOne(collection, { _id: "x" })).toEqual({ _id: "x", a: 1 });
  });

  test("a unique field is taken once, and free again after a delete", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    const unique = ["email"];
    expect((await documents.insertOne(collection, { _id: "1", email: "a@b.c" }, { unique })).ok).toBe(true);
    const again = await documents.insertOne(collection, { _id: "2", email: "a@b.c" }, { unique });
    expect(again).toEqual({ ok: false, error: { kind: "duplicate_key", fields: ["email"] } });
    await documents.deleteOne(collection, { _id: "1" });
    expect((await documents.insertOne(collection, { _id: "2", email: "a@b.c" }, { unique })).ok).toBe(true);
  });

  test("a field once unique stays so for writes that do not name it", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await documents.insertOne(collection, { _id: "1", email: "a@b.c" }, { unique: ["email"] });
    await documents.insertOne(collection, { _id: "2", email: "d@e.f" });
    const duplicate = { ok: false, error: { kind: "duplicate_key", fields: ["email"] } };
    expect(await documents.insertOne(collection, { _id: "3", email: "a@b.c" })).toEqual(duplicate);
    expect(await documents.updateOne(collection, { _id: "2" }, { $set: { email: "a@b.c" } })).toEqual(duplicate);
    expect(await documents.replaceOne(collection, { _id: "2" }, { email: "a@b.c" })).toEqual(duplicate);
    const upsert = await documents.updateOne(
      collection,
      { _id: "4", email: "a@b.c" },
      { $set: { x: 1 } },
      { upsert: true },
    );
    expect(upsert).toEqual(duplicate);
    expect(await documents.findOne(collection, { _id: "2" })).toEqual({ _id: "2", email: "d@e.f" });
  });

  test("a changed value frees the old one", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await documents.insertOne(collection, { _id: "1", email: "old@b.c" }, { unique: ["email"] });
    await documents.updateOne(collection, { _id: "1" }, { $set: { email: "new@b.c" } });
    expect((await documents.insertOne(collection, { _id: "2", email: "old@b.c" })).ok).toBe(true);
    expect((await documents.insertOne(collection, { _id: "3", email: "new@b.c" })).ok).toBe(false);
  });

  test("a missing unique field counts as null, once", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    expect((await documents.insertOne(collection, { _id: "1" }, { unique: ["email"] })).ok).toBe(true);
    expect((await documents.insertOne(collection, { _id: "2", email: null })).ok).toBe(false);
    expect((await documents.insertOne(collection, { _id: "3" })).ok).toBe(false);
  });

  test("unique fields are named, of each collection its own", async () => {
    const documents = await makeStore();
    const [collection, other] = [freshCollection(), freshCollection()];
    expect(await documents.uniqueFields(collection)).toEqual([]);
    await documents.insertOne(collection, { _id: "1", email: "a" }, { unique: ["email", "user.name"] });
    await documents.insertOne(collection, { _id: "2", email: "b", user: { name: "b" } });
    await insertAll(documents, other, [{ _id: "1" }]);
    expect([...(await documents.uniqueFields(collection))].sort()).toEqual(["email", "user.name"]);
    expect(await documents.uniqueFields(other)).toEqual([]);
  });

  test("values of other types are other values", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    for (const [id, code] of Object.entries({ n: 1, t: "1", b: true, z: "true", o: { a: 1 } })) {
      expect((await documents.insertOne(collection, { _id: id, code }, { unique: ["code"] })).ok).toBe(true);
    }
    expect(await idsOf(documents, collection, { code: 1 })).toEqual(["n"]);
    expect(await idsOf(documents, collection, { code: "1" })).toEqual(["t"]);
    expect(await idsOf(documents, collection, { code: { a: 1 } })).toEqual(["o"]);
  });

  test("a unique list shares no element with another document's", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    expect(
      (await documents.insertOne(collection, { _id: "1", codes: ["a", "b", "a"] }, { unique: ["codes"] })).ok,
    ).toBe(true);
    expect((await documents.insertOne(collection, { _id: "2", codes: ["c", "b"] })).ok).toBe(false);
    expect((await documents.insertOne(collection, { _id: "3", codes: "c" })).ok).toBe(true);
    expect(await idsOf(documents, collection, { codes: "b" })).toEqual(["1"]);
  });

  test("a unique dotted path", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    expect((await documents.insertOne(collection, { user: { name: "a" } }, { unique: ["user.name"] })).ok).toBe(true);
    expect((await documents.insertOne(collection, { user: { name: "a" } })).ok).toBe(false);
    expect((await documents.insertOne(collection, { user: { name: "b" } })).ok).toBe(true);
  });

  test("a field that documents share already cannot be made unique: nothing is declared or inserted", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [
      { _id: "1", email: "same" },
      { _id: "2", email: "same" },
    ]);
    const declared = await documents.insertOne(collection, { _id: "3", email: "other" }, { unique: ["email"] });
    expect(declared).toEqual({ ok: false, error: { kind: "shared_values", fields: ["email"] } });
    expect(await idsOf(documents, collection, {})).toEqual(["1", "2"]);
    expect((await documents.insertOne(collection, { _id: "4", email: "same" })).ok).toBe(true);
  });

  test("documents without the field share that, and the same insert can be made once they differ", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [
      { _id: "1", name: "a" },
      { _id: "2", name: "b", email: null },
    ]);
    const insert = () =>
      documents.insertOne(collection, { _id: "3", name: "c", email: "c" }, { unique: ["name", "email"] });
    const shared = { ok: false, error: { kind: "shared_values", fields: ["email"] } };
    expect(await insert()).toEqual(shared);
    expect(await insert()).toEqual(shared);
    await documents.updateOne(collection, { _id: "2" }, { $set: { email: "b" } });
    expect((await insert()).ok).toBe(true);
    const taken = await documents.insertOne(collection, { _id: "4", name: "d", email: "c" });
    expect(taken).toEqual({ ok: false, error: { kind: "duplicate_key", fields: ["email"] } });
  });

  test("declaring a field on documents that differ holds from then on", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [
      { _id: "1", email: "a" },
      { _id: "2", email: "b" },
    ]);
    expect((await documents.insertOne(collection, { _id: "3", email: "c" }, { unique: ["email"] })).ok).toBe(true);
    expect((await documents.insertOne(collection, { _id: "4", email: "b" })).ok).toBe(false);
  });

  test("of many inserts of one _id at once, one wins", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    const results = await Promise.all(
      Array.from({ length: PARALLEL }, (_, n) => documents.insertOne(collection, { _id: "x", n })),
    );
    const winners = results.filter((result) => result.ok);
    expect(winners).toHaveLength(1);
    expect(winners[0]).toEqual({ ok: true, value: await documents.findOne(collection, { _id: "x" }) });
  });

  test("of many inserts of one unique value at once, one wins", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    const results = await Promise.all(
      Array.from({ length: PARALLEL }, () => documents.insertOne(collection, { email: "a" }, { unique: ["email"] })),
    );
    expect(results.filter((result) => result.ok)).toHaveLength(1);
    expect(await idsOf(documents, collection, {})).toHaveLength(1);
  });

  test("of many conditional claims at once, one modifies", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    await insertAll(documents, collection, [{ _id: "x", deployment: { state: "draft" } }]);
    const claims = await Promise.all(
      Array.from({ length: PARALLEL }, (_, n) =>
        documents.updateOne(
          collection,
          { _id: "x", "deployment.state": { $in: ["draft", "failed"] } },
          { $set: { "deployment.state": "deploying", claim: n } },
        ),
      ),
    );
    expect(claims.filter((claim) => claim.ok && claim.value.modifiedCount === 1)).toHaveLength(1);
  });

  test("of many upserts at once, one inserts and every increment counts", async () => {
    const documents = await makeStore();
    const collection = freshCollection();
    const upserts = await Promise.all(
      Array.from({ length: PARALLEL }, () =>
        documents.updateOne(
          collection,
          { _id: "x" },
          { $inc: { n: 1 }, $setOnInsert: { first: true } },
          { upsert: true },
        ),
      ),
    );
    expect(upserts.filter((upsert) => upsert.ok && upsert.value.upsertedId === "x")).toHaveLength(1);
    const refused = upserts.filter((upsert) => !upsert.ok).length;
    expect(await documents.findOne(collection, { _id: "x" })).toEqual({ _id: "x", n: PARALLEL - refused, first: true });
  });
}
