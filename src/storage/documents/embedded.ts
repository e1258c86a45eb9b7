import { StorageUnavailable } from "../../core/errors.ts";
import type { IdSource } from "../../core/ids.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { refuse, refuseFields, refuseLimit, refuseUniqueFields } from "./checks.ts";
import type { Collection, Document, Documents, DuplicateKey, StoredDocument, UpdateCounts } from "./documents.ts";
import type { DocumentsObject } from "./embedded-object.ts";
import { checkRowSize } from "./embedded-rows.ts";
import type { Change, Reply } from "./embedded-store.ts";
import { WORK_MAX_STEPS } from "./limits.ts";
import { checkDocument, checkFilter, checkSort, checkUpdate } from "./operators.ts";

interface EmbeddedDocumentsDependencies {
  readonly namespace: DurableObjectNamespace<DocumentsObject>;
  /** Names documents that were given no `_id`. */
  readonly ids: IdSource;
}

/**
 * Documents in SQLite-backed Durable Objects, one for each partition; data that owners store under one name is one
 * partition. A document above the size of a row is a `RangeError` before anything is written.
 */
export function createEmbeddedDocuments({ namespace, ids }: EmbeddedDocumentsDependencies): Documents {
  /** The stub is made for each call: it must not outlive the request that it serves. */
  async function ask<T>(partition: string, call: (stub: DurableObjectStub<DocumentsObject>) => Promise<T>): Promise<T> {
    try {
      return await call(namespace.get(namespace.idFromName(partition)));
    } catch (cause) {
      throw new StorageUnavailable("the document store does not answer", { cause });
    }
  }

  async function change(
    collection: Collection,
    filter: Document,
    wanted: Change,
    upsert: boolean,
  ): Promise<Result<UpdateCounts, DuplicateKey>> {
    refuse("filter", checkFilter(filter));
    const upsertId = upsert ? ids.next(ID_PREFIX) : null;
    const reply = await ask(partitionOf(collection), async (stub) =>
      stub.change(collection.name, JSON.stringify(filter), JSON.stringify(wanted), upsertId, maxStepsOf(collection)),
    );
    return resultOf(reply);
  }

  async function remove(
    collection: Collection,
    filter: Document,
    many: boolean,
  ): Promise<{ readonly deletedCount: number }> {
    refuse("filter", checkFilter(filter));
    let deletedCount = 0;
    for (;;) {
      const reply = await ask(partitionOf(collection), async (stub) =>
        stub.remove(collection.name, JSON.stringify(filter), many, maxStepsOf(collection)),
      );
      const { count, hasMore } = readValue(reply);
      deletedCount += count;
      if (!hasMore) return { deletedCount };
    }
  }

  return {
    async insertOne(collection, document, options = {}) {
      refuse("document", checkDocument(document));
      const unique = options.unique ?? [];
      refuseUniqueFields(unique);
      const id = document._id === undefined ? ids.next(ID_PREFIX) : String(document._id);
      const { _id: _, ...fields } = document;
      const body = JSON.stringify({ _id: id, ...fields });
      checkRowSize(collection.name, id, body);
      const reply = await ask(partitionOf(collection), async (stub) =>
        stub.insert(collection.name, body, unique, maxStepsOf(collection)),
      );
      if (reply.kind === "shared_values") return err({ kind: "shared_values", fields: reply.fields });
      const result = resultOf(reply);
      return result.ok ? ok(parse(body)) : result;
    },
    async findOne(collection, filter) {
      refuse("filter", checkFilter(filter));
      const reply = await ask(partitionOf(collection), async (stub) =>
        stub.findOne(collection.name, JSON.stringify(filter), maxStepsOf(collection)),
      );
      const body = readValue(reply);
      return body === null ? null : parse(body);
    },
    async find(collection, { filter, sort, limit, fields }) {
      refuse("filter", checkFilter(filter));
      refuse("sort", sort === undefined ? [] : checkSort(sort));
      refuseFields(fields ?? []);
      refuseLimit(limit);
      const reply = await ask(partitionOf(collection), async (stub) =>
        stub.find(collection.name, JSON.stringify(filter), { sort, limit, fields }, maxStepsOf(collection)),
      );
      return readValue(reply).map(parse);
    },
    async updateOne(collection, filter, update, options = {}) {
      refuse("update", checkUpdate(update));
      return change(collection, filter, { kind: "update", update, many: false }, options.upsert ?? false);
    },
    async updateMany(collection, filter, update) {
      refuse("update", checkUpdate(update));
      return change(collection, filter, { kind: "update", update, many: true }, false);
    },
    async replaceOne(collection, filter, replacement, options = {}) {
      refuse("replacement", checkDocument(replacement));
      return change(collection, filter, { kind: "replace", replacement }, options.upsert ?? false);
    },
    deleteOne: (collection, filter) => remove(collection, filter, false),
    deleteMany: (collection, filter) => remove(collection, filter, true),
    uniqueFields: (collection) => ask(partitionOf(collection), async (stub) => stub.uniqueFields(collection.name)),
    ping: () => ask("ping", async (stub) => stub.ping()),
  };
}

const ID_PREFIX = "doc";

/** The name of the object that serves a collection. Parts are encoded, so that no owner can spell another's name. */
function partitionOf(collection: Collection): string {
  const parts =
    collection.kind === "system" ? ["system", collection.partition] : ["data", collection.ownerId, collection.name];
  if (!parts.every((part) => part.isWellFormed())) throw new TypeError("collection: not valid Unicode");
  return parts.map(encodeURIComponent).join(":");
}

/** Data of owners is as large as they like; our own collections are kept small, and must be cleaned up whatever comes. */
function maxStepsOf(collection: Collection): number {
  return collection.kind === "owned" ? WORK_MAX_STEPS : Number.POSITIVE_INFINITY;
}

/** Of what writes no document, so that none is a duplicate. */
function readValue<T>(reply: Reply<T>): T {
  const result = resultOf(reply);
  if (!result.ok) throw new Error("a duplicate where nothing was written");
  return result.value;
}

function resultOf<T>(reply: Reply<T>): Result<T, DuplicateKey> {
  switch (reply.kind) {
    case "done":
      return ok(reply.value);
    case "duplicate_key":
      return err({ kind: "duplicate_key", fields: reply.fields });
    case "refused":
      throw new TypeError(reply.message);
    case "too_large":
      throw new RangeError(reply.message);
  }
}

function parse(body: string): StoredDocument {
  return JSON.parse(body) as StoredDocument;
}
