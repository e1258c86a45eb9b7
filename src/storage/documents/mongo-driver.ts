import { systemClock } from "../../core/clock.ts";
import { waitAtMost } from "../../core/deadline.ts";
import { StorageUnavailable } from "../../core/errors.ts";
import type { IdSource } from "../../core/ids.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { refuse, refuseFields, refuseLimit, refuseUniqueFields } from "./checks.ts";
import type {
  Collection,
  Document,
  Documents,
  DuplicateKey,
  Filter,
  FindQuery,
  InsertOptions,
  SharedValues,
  StoredDocument,
  Update,
  UpdateCounts,
} from "./documents.ts";
import { DRIVER_CALL_TIMEOUT_MS, DRIVER_OBJECTS } from "./limits.ts";
import type { MongoDriverObject } from "./mongo-object.ts";
import { checkDocument, checkFilter, checkSort, checkUpdate } from "./operators.ts";

interface UpsertOption {
  readonly upsert?: boolean;
}

/** One operation of the port, as it crosses to the object. */
export type DriverCall =
  | { readonly method: "ping" }
  | {
      readonly method: "insertOne";
      readonly collection: Collection;
      readonly document: Document;
      readonly options: InsertOptions;
    }
  | { readonly method: "uniqueFields"; readonly collection: Collection }
  | { readonly method: "find"; readonly collection: Collection; readonly query: FindQuery }
  | {
      readonly method: "findOne" | "deleteOne" | "deleteMany";
      readonly collection: Collection;
      readonly filter: Filter;
    }
  | {
      readonly method: "updateOne" | "updateMany";
      readonly collection: Collection;
      readonly filter: Filter;
      readonly update: Update;
      readonly options: UpsertOption;
    }
  | {
      readonly method: "replaceOne";
      readonly collection: Collection;
      readonly filter: Filter;
      readonly replacement: Document;
      readonly options: UpsertOption;
    };

export type DriverReply =
  | { readonly kind: "done"; readonly value: unknown }
  | { readonly kind: "refused" | "too_large" | "unavailable"; readonly message: string }
  | DuplicateKey
  | SharedValues;

/**
 * Documents in MongoDB by way of its driver, which lives in Durable Objects. There are DRIVER_OBJECTS of them, chosen by
 * partition: one runs on a single thread, and each more is a few more connections to the database.
 */
export function createMongoDriverDocuments(deps: {
  readonly namespace: DurableObjectNamespace<MongoDriverObject>;
  /** Names documents that were given no `_id`. */
  readonly ids: IdSource;
}): Documents {
  const { namespace, ids } = deps;

  /** The stub is made for each call: it must not outlive the request that it serves. */
  async function ask<T>(call: DriverCall): Promise<Result<T, DuplicateKey | SharedValues>> {
    const name = objectNameOf(call.method === "ping" ? null : call.collection);
    let text: string;
    try {
      const asked = async () => namespace.get(namespace.idFromName(name)).call(JSON.stringify(call));
      const outcome = await waitAtMost(systemClock, DRIVER_CALL_TIMEOUT_MS, asked());
      if (outcome === null) throw new Error("timeout");
      text = outcome.value;
    } catch (cause) {
      throw new StorageUnavailable("the document store does not answer", { cause });
    }
    return resultOf(JSON.parse(text) as DriverReply);
  }

  async function askPlain<T>(call: DriverCall): Promise<T> {
    const result = await ask<T>(call);
    if (!result.ok) throw new StorageUnavailable(UNFITTING);
    return result.value;
  }

  async function askChange(call: DriverCall): Promise<Result<UpdateCounts, DuplicateKey>> {
    const result = await ask<UpdateCounts>(call);
    if (result.ok) return result;
    if (result.error.kind === "shared_values") throw new StorageUnavailable(UNFITTING);
    return err(result.error);
  }

  return {
    async insertOne(collection, document, options = {}) {
      refuse("document", checkDocument(document));
      refuseUniqueFields(options.unique ?? []);
      const named = document._id === undefined ? { _id: ids.next("doc"), ...document } : document;
      const inserted = await ask<null>({ method: "insertOne", collection, document: named, options });
      return inserted.ok ? ok(JSON.parse(JSON.stringify(named)) as StoredDocument) : inserted;
    },
    async findOne(collection, filter) {
      refuse("filter", checkFilter(filter));
      return askPlain({ method: "findOne", collection, filter });
    },
    async find(collection, query) {
      refuse("filter", checkFilter(query.filter));
      refuse("sort", query.sort === undefined ? [] : checkSort(query.sort));
      refuseFields(query.fields ?? []);
      refuseLimit(query.limit);
      return askPlain({ method: "find", collection, query });
    },
    async updateOne(collection, filter, update, options = {}) {
      refuse("filter", checkFilter(filter));
      refuse("update", checkUpdate(update));
      return askChange({ method: "updateOne", collection, filter, update, options });
    },
    async updateMany(collection, filter, update) {
      refuse("filter", checkFilter(filter));
      refuse("update", checkUpdate(update));
      return askChange({ method: "updateMany", collection, filter, update, options: {} });
    },
    async replaceOne(collection, filter, replacement, options = {}) {
      refuse("filter", checkFilter(filter));
      refuse("replacement", checkDocument(replacement));
      return askChange({ method: "replaceOne", collection, filter, replacement, options });
    },
    async deleteOne(collection, filter) {
      refuse("filter", checkFilter(filter));
      return askPlain({ method: "deleteOne", collection, filter });
    },
    async deleteMany(collection, filter) {
      refuse("filter", checkFilter(filter));
      return askPlain({ method: "deleteMany", collection, filter });
    },
    uniqueFields: (collection) => askPlain({ method: "uniqueFields", collection }),
    async ping() {
      await askPlain({ method: "ping" });
    },
  };
}

const UNFITTING = "the document store gave an answer that does not fit";

/** The same object for the same partition, so that what it remembers of a collection holds for its callers. */
function objectNameOf(collection: Collection | null): string {
  if (collection === null) return "driver-0";
  const text =
    collection.kind === "system" ? collection.partition : JSON.stringify([collection.ownerId, collection.name]);
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) >>> 0;
  return `driver-${hash % DRIVER_OBJECTS}`;
}

function resultOf<T>(reply: DriverReply): Result<T, DuplicateKey | SharedValues> {
  switch (reply.kind) {
    case "done":
      return ok(reply.value as T);
    case "duplicate_key":
    case "shared_values":
      return err(reply);
    case "refused":
      throw new TypeError(reply.message);
    case "too_large":
      throw new RangeError(reply.message);
    case "unavailable":
      throw new StorageUnavailable(reply.message);
  }
}
