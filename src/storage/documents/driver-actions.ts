import type { Document as BsonDocument, Filter as BsonFilter, Db } from "mongodb";
import type { Clock } from "../../core/clock.ts";
import { waitAtMost } from "../../core/deadline.ts";
import { StorageUnavailable } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import { DRIVER_OPERATION_TIMEOUT_MS, FIND_MAX_CHARS } from "./limits.ts";
import { faultOf, type MongoActions, projectionOf } from "./mongo-actions.ts";
import { readExtendedJson, withTextId } from "./mongo-values.ts";

/** The parts of the `mongodb` package that are needed at run time; it is loaded by the caller. */
export type MongoModule = Pick<typeof import("mongodb"), "ObjectId" | "BSON">;

/** The driver's commands on one database. `run` is for the ones that are no actions. */
export function createDriverActions(deps: {
  readonly connect: () => Promise<{ readonly db: Db; readonly mongo: MongoModule }>;
  readonly clock: Clock;
}): MongoActions & { readonly run: <T>(work: (db: Db) => Promise<T>) => Promise<T> } {
  let mongo: MongoModule | undefined;

  /** Ends in time, whatever the sockets do; what the driver threw comes out in the port's terms. */
  async function run<T>(work: (db: Db) => Promise<T>): Promise<T> {
    const outcome = await waitAtMost(deps.clock, DRIVER_OPERATION_TIMEOUT_MS, operate(work));
    if (outcome !== null) return outcome.value;
    throw new StorageUnavailable(`the database did not answer within ${DRIVER_OPERATION_TIMEOUT_MS} ms`);
  }

  async function operate<T>(work: (db: Db) => Promise<T>): Promise<T> {
    try {
      const connected = await deps.connect();
      mongo = connected.mongo;
      return await work(connected.db);
    } catch (error) {
      throw driverFault(error);
    }
  }

  function plain(document: BsonDocument): JsonObject {
    if (mongo === undefined) throw new Error("a document was read without a client");
    const { EJSON } = mongo.BSON;
    return withTextId(
      toPlain(document, (value) => JSON.parse(EJSON.stringify(value, { relaxed: false }))) as JsonObject,
    );
  }

  return {
    run,
    async find(name, { filter, sort, limit, fields }) {
      const found = await run((db) =>
        collectionOf(db, name)
          .find(filter as BsonFilter<BsonDocument>, {
            limit,
            // One batch, so that the answer is one round trip.
            batchSize: limit,
            ...(sort === undefined ? {} : { sort: Object.entries(sort) }),
            ...(fields === undefined ? {} : { projection: projectionOf(fields) }),
          })
          .toArray(),
      );
      return found.map(plain);
    },
    async insertOne(name, document) {
      await run((db) => collectionOf(db, name).insertOne({ ...document } as BsonDocument));
    },
    async updateOne(name, filter, update, upsert) {
      const { matchedCount, modifiedCount } = await run((db) =>
        collectionOf(db, name).updateOne(filter, update, { upsert }),
      );
      return { matchedCount, modifiedCount };
    },
    async updateMany(name, filter, update) {
      const { matchedCount, modifiedCount } = await run((db) => collectionOf(db, name).updateMany(filter, update));
      return { matchedCount, modifiedCount };
    },
    async replaceOne(name, filter, replacement, upsert) {
      const { matchedCount, modifiedCount } = await run((db) =>
        collectionOf(db, name).replaceOne(filter, { ...replacement }, { upsert }),
      );
      return { matchedCount, modifiedCount };
    },
    async deleteMany(name, filter) {
      return (await run((db) => collectionOf(db, name).deleteMany(filter))).deletedCount;
    },
    objectId(hex) {
      if (mongo === undefined) throw new Error("an ObjectId was made without a client");
      return new mongo.ObjectId(hex);
    },
    async takesObjectIds() {
      mongo ??= (await deps.connect()).mongo;
      return true;
    },
    async ping() {
      await run((db) => db.command({ ping: 1 }));
    },
  };
}

function collectionOf(db: Db, name: string) {
  return db.collection<BsonDocument>(name, { ignoreUndefined: true });
}

/** Values of BSON's own types go by way of Extended JSON. */
function toPlain(value: unknown, toExtendedJson: (value: unknown) => Json): Json {
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "object" || value === null) return (value ?? null) as Json;
  if (Array.isArray(value)) return value.map((item) => toPlain(item, toExtendedJson));
  if ("_bsontype" in value || value instanceof Date || value instanceof RegExp) {
    return readExtendedJson(toExtendedJson(value));
  }
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toPlain(inner, toExtendedJson)]));
}

/** @throws RangeError for what is too large to cross to the caller. */
export function refuseLargeAnswer(text: string): string {
  if (text.length <= FIND_MAX_CHARS) return text;
  throw new RangeError(`an answer takes at most ${FIND_MAX_CHARS} characters: lower the limit`);
}

function driverFault(error: unknown): Error {
  if (error instanceof StorageUnavailable) return error;
  // BSON's, for a document that outgrows the buffer it is written to.
  if (error instanceof RangeError) return new RangeError("a document is larger than the database takes");
  if (!(error instanceof Error)) return new StorageUnavailable("the database does not answer");
  const { code, keyPattern } = error as Error & { code?: unknown; keyPattern?: unknown };
  // Only a server's verdict has a number; what the driver says of sockets, pools and credentials has none or a name.
  if (typeof code !== "number")
    return new StorageUnavailable("the database does not answer", { cause: nameless(error) });
  return faultOf({ code, text: error.message, keyPattern: isJsonObject(keyPattern) ? keyPattern : undefined });
}

/** The driver's messages hold hosts and may hold a connection string: the kind of error says enough. */
function nameless(error: Error): Error {
  return new Error(error.name);
}
