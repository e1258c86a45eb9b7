import { DurableObject } from "cloudflare:workers";
import type { Db, MongoClient } from "mongodb";
import { loadConfig } from "../../config/config.ts";
import { systemClock } from "../../core/clock.ts";
import { StorageUnavailable } from "../../core/errors.ts";
import { createIdSource, systemRandom } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import type { Documents, DuplicateKey, SharedValues } from "./documents.ts";
import { createDriverActions, refuseLargeAnswer } from "./driver-actions.ts";
import { DRIVER_OPTIONS } from "./limits.ts";
import { migrateDatabase } from "./migrate.ts";
import { createMongoDocuments } from "./mongo-documents.ts";
import type { DriverCall, DriverReply } from "./mongo-driver.ts";
import { createSerialWrites } from "./serial-writes.ts";
import { createUniqueGuards } from "./unique-guards.ts";
import { createUniqueIndexes } from "./unique-indexes.ts";
import type { Uniqueness } from "./uniqueness.ts";

interface Connected {
  readonly documents: Documents;
}

/**
 * Holds the one client of the `mongodb` driver: sockets outlive the requests that use them only here. Operations run
 * whole within the object, so that one of several commands costs its caller one call. Calls and replies are JSON text.
 */
export class MongoDriverObject extends DurableObject {
  #connected: Promise<Connected> | undefined;

  /** What can be expected to go wrong is part of the reply: errors lose their kind on the way to the caller. */
  async call(callText: string): Promise<string> {
    try {
      const { documents } = await this.#connect();
      const reply = await perform(documents, JSON.parse(callText) as DriverCall);
      return refuseLargeAnswer(JSON.stringify(reply));
    } catch (error) {
      return JSON.stringify(replyOf(error));
    }
  }

  #connect(): Promise<Connected> {
    this.#connected ??= this.#open().catch((error: unknown) => {
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }

  async #open(): Promise<Connected> {
    const { MONGODB_URI, MONGODB_DATABASE } = loadConfig(this.env);
    if (MONGODB_URI === undefined) throw new StorageUnavailable("MONGODB_URI is not set");
    const mongo = await import("mongodb");
    const client = createClient(mongo, MONGODB_URI);
    const db = client.db(MONGODB_DATABASE);
    const ids = createIdSource(systemClock, systemRandom);
    const driver = createDriverActions({ connect: async () => ({ db, mongo }), clock: systemClock });
    const kit = { clock: systemClock, ids };
    try {
      const isFerretDb1 = await driver.run(asksFerretDb1);
      const actions = isFerretDb1 ? createSerialWrites({ ...kit, actions: driver }) : driver;
      const uniqueness: Uniqueness = isFerretDb1
        ? createUniqueGuards({ ...kit, actions })
        : createUniqueIndexes({ ...kit, actions, run: driver.run });
      this.ctx.waitUntil(migrate(db));
      return { documents: createMongoDocuments({ actions, uniqueness, ids }) };
    } catch (error) {
      await client.close().catch(() => {});
      throw error;
    }
  }
}

/** The driver's own words about a URI may repeat it, with its password. */
function createClient(mongo: Pick<typeof import("mongodb"), "MongoClient">, uri: string): MongoClient {
  try {
    return new mongo.MongoClient(uri, DRIVER_OPTIONS);
  } catch {
    throw new StorageUnavailable("MONGODB_URI is none that the driver takes");
  }
}

/** FerretDB before 2: its updates are not atomic, and its unique indexes see neither into lists nor missing fields. */
async function asksFerretDb1(db: Db): Promise<boolean> {
  const { ferretdbVersion } = await db.command({ buildInfo: 1 });
  return typeof ferretdbVersion === "string" && !/^v?[2-9]/.test(ferretdbVersion);
}

async function migrate(db: Db): Promise<void> {
  const failed = await migrateDatabase(db).catch(() => ["all"]);
  if (failed.length === 0) return;
  // biome-ignore lint/suspicious/noConsole: the platform's log is the console
  console.warn(JSON.stringify({ level: "warn", event: "indexes_not_made", indexes: failed }));
}

async function perform(documents: Documents, call: DriverCall): Promise<DriverReply> {
  switch (call.method) {
    case "ping":
      await documents.ping();
      return { kind: "done", value: null };
    case "insertOne": {
      const inserted = await documents.insertOne(call.collection, call.document, call.options);
      // The caller has the document.
      return inserted.ok ? { kind: "done", value: null } : inserted.error;
    }
    case "find":
      return { kind: "done", value: await documents.find(call.collection, call.query) };
    case "findOne":
      return { kind: "done", value: await documents.findOne(call.collection, call.filter) };
    case "updateOne":
      return resultReply(await documents.updateOne(call.collection, call.filter, call.update, call.options));
    case "updateMany":
      return resultReply(await documents.updateMany(call.collection, call.filter, call.update));
    case "replaceOne":
      return resultReply(await documents.replaceOne(call.collection, call.filter, call.replacement, call.options));
    case "deleteOne":
      return { kind: "done", value: await documents.deleteOne(call.collection, call.filter) };
    case "deleteMany":
      return { kind: "done", value: await documents.deleteMany(call.collection, call.filter) };
    case "uniqueFields":
      return { kind: "done", value: await documents.uniqueFields(call.collection) };
  }
}

function resultReply(result: Result<unknown, DuplicateKey | SharedValues>): DriverReply {
  return result.ok ? { kind: "done", value: result.value } : result.error;
}

function replyOf(error: unknown): DriverReply {
  if (error instanceof TypeError) return { kind: "refused", message: error.message };
  if (error instanceof RangeError) return { kind: "too_large", message: error.message };
  if (error instanceof StorageUnavailable) return { kind: "unavailable", message: error.message };
  throw error;
}
