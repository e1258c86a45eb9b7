import * as mongo from "mongodb";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { createIdSource, systemRandom } from "../../src/core/ids.ts";
import { ownedData } from "../../src/storage/documents/collections.ts";
import { createDriverActions } from "../../src/storage/documents/driver-actions.ts";
import { migrateDatabase } from "../../src/storage/documents/migrate.ts";
import { mongoNameOf } from "../../src/storage/documents/mongo-collections.ts";
import { createMongoDocuments } from "../../src/storage/documents/mongo-documents.ts";
import { createUniqueIndexes } from "../../src/storage/documents/unique-indexes.ts";
import { openRawDatabase } from "./raw-database.ts";
import { dataApiInNode } from "./stores.ts";

async function indexNames(db: mongo.Db, collection: string): Promise<string[]> {
  const indexes = await db.collection(collection).listIndexes().toArray();
  return indexes.map(({ name }) => String(name)).sort();
}

describe("the migration", () => {
  test("makes the indexes of the system collections, twice and by two at once as well as once", async () => {
    const db = openRawDatabase(`migrate_${crypto.randomUUID().slice(0, 8)}`);
    expect(await Promise.all([migrateDatabase(db), migrateDatabase(db)])).toEqual([[], []]);
    expect(await migrateDatabase(db)).toEqual([]);
    expect(await indexNames(db, "servers")).toEqual(["_id_", "ownerId_1__id_1", "ownerId_1_serverId_1", "serverId_1"]);
    expect(await indexNames(db, "runs")).toEqual(["_id_", "agentId_1__id_1"]);
    await db.collection("servers").insertOne({ serverId: "a" });
    await expect(db.collection("servers").insertOne({ serverId: "a" })).rejects.toMatchObject({ code: 11_000 });
  });

  test("names what records of others stand against, makes the rest, and succeeds once they are gone", async () => {
    const db = openRawDatabase(`migrate_${crypto.randomUUID().slice(0, 8)}`);
    await db.collection("servers").insertMany([{ serverId: "same" }, { serverId: "same" }]);
    expect(await migrateDatabase(db)).toEqual(["servers.serverId"]);
    expect(await indexNames(db, "servers")).toEqual(["_id_", "ownerId_1__id_1", "ownerId_1_serverId_1"]);
    await db.collection("servers").deleteOne({ serverId: "same" });
    expect(await migrateDatabase(db)).toEqual([]);
    expect(await indexNames(db, "servers")).toContain("serverId_1");
  });
});

/** The driver's own way to keep fields unique, here without the detour through workerd. */
describe("unique indexes", () => {
  function openStore() {
    const { uri, database } = inject("mongodb");
    const client = new mongo.MongoClient(uri);
    onTestFinished(() => client.close());
    const db = client.db(database);
    const ids = createIdSource(systemClock, systemRandom);
    const actions = createDriverActions({ connect: async () => ({ db, mongo }), clock: systemClock });
    const uniqueness = createUniqueIndexes({ actions, run: actions.run, clock: systemClock });
    return { db, documents: createMongoDocuments({ actions, uniqueness, ids }) };
  }

  test("are made when a field is declared, and decide from then on", async () => {
    const { db, documents } = openStore();
    const collection = ownedData(`owner-${crypto.randomUUID()}`, "users");
    expect(await documents.uniqueFields(collection)).toEqual([]);
    expect((await documents.insertOne(collection, { _id: "1", email: "a" }, { unique: ["email"] })).ok).toBe(true);
    expect(await documents.uniqueFields(collection)).toEqual(["email"]);
    expect(await indexNames(db, await mongoNameOf(collection))).toEqual(["_id_", "email_1"]);
    expect((await documents.insertOne(collection, { _id: "2", email: "a" })).ok).toBe(false);
    expect((await documents.insertOne(collection, { _id: "2", email: "b" })).ok).toBe(true);
    expect((await documents.updateOne(collection, { _id: "2" }, { $set: { email: "a" } })).ok).toBe(false);
    expect((await documents.replaceOne(collection, { _id: "2" }, { email: "a" })).ok).toBe(false);
    expect(await documents.findOne(collection, { _id: "2" })).toEqual({ _id: "2", email: "b" });
  });

  test("are not made for fields that documents share, nor for the others of the same insert", async () => {
    const { db, documents } = openStore();
    const collection = ownedData(`owner-${crypto.randomUUID()}`, "users");
    await documents.insertOne(collection, { _id: "1", email: "same", name: "a" });
    await documents.insertOne(collection, { _id: "2", email: "same", name: "b" });
    const declared = await documents.insertOne(collection, { _id: "3", email: "c" }, { unique: ["name", "email"] });
    expect(declared).toEqual({ ok: false, error: { kind: "shared_values", fields: ["email"] } });
    expect(await indexNames(db, await mongoNameOf(collection))).toEqual(["_id_"]);
  });

  test("are made for what a Worker behind a gateway has declared", async () => {
    const { db, documents } = openStore();
    const collection = ownedData(`owner-${crypto.randomUUID()}`, "users");
    await dataApiInNode().insertOne(collection, { _id: "1", email: "a" }, { unique: ["email"] });
    expect((await documents.insertOne(collection, { _id: "2", email: "a" })).ok).toBe(false);
    expect(await indexNames(db, await mongoNameOf(collection))).toEqual(["_id_", "email_1"]);
  });

  test("count for a Worker behind a gateway that has not heard of the field", async () => {
    const { documents } = openStore();
    const collection = ownedData(`owner-${crypto.randomUUID()}`, "users");
    await documents.insertOne(collection, { _id: "1", email: "a" }, { unique: ["email"] });
    expect((await dataApiInNode().insertOne(collection, { _id: "2", email: "a" })).ok).toBe(false);
  });
});
