import type { Clock } from "../../core/clock.ts";
import type { Fetch } from "../../core/fetch.ts";
import type { IdSource } from "../../core/ids.ts";
import { isJsonObject, type Json, type JsonObject, withoutUndefined } from "../../core/json.ts";
import { createDataApiClient } from "./data-api-client.ts";
import type { Documents } from "./documents.ts";
import { DATA_API_PAGE_DOCUMENTS } from "./limits.ts";
import { DuplicateKeyFault, type MongoActions, projectionOf, RefusedFault, type WriteCounts } from "./mongo-actions.ts";
import { LOCKS_COLLECTION, MIGRATIONS_COLLECTION } from "./mongo-collections.ts";
import { createMongoDocuments } from "./mongo-documents.ts";
import { withTextId } from "./mongo-values.ts";
import { createUniqueGuards } from "./unique-guards.ts";

export interface DataApiOptions {
  /** What `/action/<name>` is appended to. */
  readonly baseUrl: string;
  /** For `basic`, `user:password`. None is sent where there is none. */
  readonly apiKey: string | undefined;
  readonly auth: "api-key" | "bearer" | "basic";
  readonly dataSource?: string | undefined;
  readonly database: string;
  readonly fetch: Fetch;
  /** Names documents that were given no `_id`. */
  readonly ids: IdSource;
  readonly clock: Clock;
}

/**
 * Documents in MongoDB by way of a Data API gateway. It cannot make indexes, so unique fields are guarded by locks, see
 * `unique-guards.ts`; where the database has an index all the same, its verdict counts too. Records with ObjectIds are
 * found by `_id` where the gateway reads Extended JSON, and by their other fields everywhere.
 */
export function createDataApiDocuments(options: DataApiOptions): Documents {
  const { ids, clock } = options;
  const actions = createDataApiActions(options);
  const uniqueness = createUniqueGuards({ actions, clock, ids });
  return createMongoDocuments({ actions, uniqueness, ids });
}

function createDataApiActions(options: DataApiOptions): MongoActions {
  const client = createDataApiClient(options);
  const { dataSource, database } = options;
  /** The answer alone is kept: a request that asks may go away, and must not leave the others waiting. */
  let readsExtendedJson: boolean | undefined;

  async function act<T>(
    action: string,
    collection: string,
    body: Readonly<Record<string, unknown>>,
    read: (answer: JsonObject) => T | null,
  ): Promise<T> {
    return client.call(action, { ...withoutUndefined({ dataSource, database, collection }), ...body }, read);
  }

  const find: MongoActions["find"] = async (name, { filter, sort, limit, fields }) => {
    const projection = fields === undefined ? undefined : projectionOf(fields);
    const found: JsonObject[] = [];
    for (;;) {
      const page = Math.min(limit - found.length, DATA_API_PAGE_DOCUMENTS);
      const body = { filter, sort, projection, limit: page, ...(found.length === 0 ? {} : { skip: found.length }) };
      const documents = await act("find", name, body, readDocuments);
      found.push(...documents);
      if (documents.length < page || found.length >= limit) return found.slice(0, limit);
    }
  };

  /** Whether the probe, a document with the number 1, is found by that number in Extended JSON. */
  async function findsProbe(): Promise<boolean> {
    try {
      const filter = { _id: PROBE_ID, one: { $numberInt: "1" } };
      return (await find(MIGRATIONS_COLLECTION, { filter, limit: 1 })).length === 1;
    } catch (error) {
      // A gateway that reads plain JSON hands the name to the database, which knows no such operator.
      if (error instanceof RefusedFault) return false;
      throw error;
    }
  }

  async function probeExtendedJson(): Promise<boolean> {
    if (await findsProbe()) return true;
    await act("updateOne", MIGRATIONS_COLLECTION, WRITE_PROBE, readCounts).catch((error: unknown) => {
      // Another Worker wrote it at this moment.
      if (!(error instanceof DuplicateKeyFault)) throw error;
    });
    return findsProbe();
  }

  return {
    find,
    async insertOne(name, document) {
      await act("insertOne", name, { document }, readInserted);
    },
    updateOne: (name, filter, update, upsert) => act("updateOne", name, { filter, update, upsert }, readCounts),
    updateMany: (name, filter, update) => act("updateMany", name, { filter, update, upsert: false }, readCounts),
    replaceOne: (name, filter, replacement, upsert) =>
      act("replaceOne", name, { filter, replacement, upsert }, readCounts),
    deleteMany: (name, filter) => act("deleteMany", name, { filter }, (answer) => numberAt(answer, "deletedCount")),
    objectId: (hex) => ({ $oid: hex }),
    async takesObjectIds() {
      readsExtendedJson ??= await probeExtendedJson();
      return readsExtendedJson;
    },
    async ping() {
      await find(LOCKS_COLLECTION, { filter: { _id: "ping" }, limit: 1 });
    },
  };
}

const PROBE_ID = "extended_json";
const WRITE_PROBE = { filter: { _id: PROBE_ID }, update: { $set: { one: 1 } }, upsert: true };

function readDocuments({ documents }: JsonObject): readonly JsonObject[] | null {
  if (!Array.isArray(documents) || !documents.every((document: Json) => isJsonObject(document))) return null;
  return documents.map(withTextId);
}

/** Anything else may be a fault, and the document not there. */
function readInserted({ insertedId = null }: JsonObject): true | null {
  return insertedId === null ? null : true;
}

function readCounts(answer: JsonObject): WriteCounts | null {
  const matchedCount = numberAt(answer, "matchedCount");
  const modifiedCount = numberAt(answer, "modifiedCount");
  return matchedCount === null || modifiedCount === null ? null : { matchedCount, modifiedCount };
}

function numberAt(answer: JsonObject, name: string): number | null {
  const value = answer[name];
  return typeof value === "number" ? value : null;
}
