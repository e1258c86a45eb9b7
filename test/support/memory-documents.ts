import { systemClock } from "../../src/core/clock.ts";
import { createIdSource, systemRandom } from "../../src/core/ids.ts";
import { err, ok } from "../../src/core/result.ts";
import { applyUpdate, UpdateMisfit } from "../../src/storage/documents/apply-update.ts";
import { refuseFields } from "../../src/storage/documents/checks.ts";
import { compareText, orderOf } from "../../src/storage/documents/compare.ts";
import type {
  Collection,
  Document,
  Documents,
  DuplicateKey,
  Filter,
  StoredDocument,
} from "../../src/storage/documents/documents.ts";
import { type CompileFilter, loadFilterCompiler } from "../../src/storage/documents/matcher.ts";
import { checkDocument, checkFilter, checkSort, checkUpdate } from "../../src/storage/documents/operators.ts";
import { uniqueKeysAt } from "../../src/storage/documents/unique-keys.ts";
import { demandedId, makeUpsert } from "../../src/storage/documents/upsert.ts";

/** The documents port in memory, with a look inside for assertions. */
export interface MemoryDocuments extends Documents {
  /** Every document of every collection, whatever its partition. */
  all(): readonly StoredDocument[];
  /** The documents of the collections of this name. */
  named(name: string): readonly StoredDocument[];
}

interface Held {
  readonly name: string;
  readonly documents: Map<string, StoredDocument>;
  readonly unique: Set<string>;
}

/** Reads and writes as the adapters do, by the same matcher and updates; each operation is whole once it begins. */
export function createMemoryDocuments(): MemoryDocuments {
  const ids = createIdSource(systemClock, systemRandom);
  const collections = new Map<string, Held>();

  function hold(collection: Collection): Held {
    const { kind, name } = collection;
    const key = JSON.stringify([kind, name, kind === "owned" ? collection.ownerId : ""]);
    const held = collections.get(key) ?? { name, documents: new Map(), unique: new Set<string>() };
    collections.set(key, held);
    return held;
  }

  function matching(held: Held, filter: Filter, compile: CompileFilter): StoredDocument[] {
    const test = compile(filter);
    const inOrder = [...held.documents.values()].sort((a, b) => compareText(a._id, b._id));
    return inOrder.filter((document) => test(document));
  }

  /** Writes the document, or names the unique fields that another one has taken. */
  function put(held: Held, document: Document, before?: StoredDocument): DuplicateKey | null {
    const others = [...held.documents.values()].filter((other) => other !== before);
    const taken = [...held.unique].filter((field) => {
      const mine = uniqueKeysAt(document, field);
      return others.some((other) => [...uniqueKeysAt(other, field)].some((key) => mine.has(key)));
    });
    if (others.some((other) => other._id === document._id)) taken.unshift("_id");
    if (taken.length > 0) return { kind: "duplicate_key", fields: taken };
    const stored = copy(document) as StoredDocument;
    held.documents.set(stored._id, stored);
    return null;
  }

  async function change(
    collection: Collection,
    filter: Filter,
    many: boolean,
    make: (before: StoredDocument, compile: CompileFilter) => Document,
    insert?: (compile: CompileFilter) => Document,
  ) {
    const compile = await loadFilterCompiler();
    const held = hold(collection);
    const found = matching(held, refuse(checkFilter, filter), compile).slice(0, many ? undefined : 1);
    const saved = new Map(held.documents);
    let modifiedCount = 0;
    for (const before of found) {
      const after = refuse(
        checkDocument,
        fitting(() => make(before, compile)),
      );
      if (JSON.stringify(after) === JSON.stringify(before)) continue;
      const duplicate = put(held, after, before);
      if (duplicate !== null) {
        restore(held, saved);
        return err(duplicate);
      }
      modifiedCount++;
    }
    if (found.length > 0 || insert === undefined) {
      return ok({ matchedCount: found.length, modifiedCount, upsertedId: null });
    }
    const document = refuse(
      checkDocument,
      fitting(() => insert(compile)),
    );
    const duplicate = put(held, document);
    return duplicate === null
      ? ok({ matchedCount: 0, modifiedCount: 0, upsertedId: String(document._id) })
      : err(duplicate);
  }

  async function remove(collection: Collection, filter: Filter, many: boolean) {
    const compile = await loadFilterCompiler();
    const held = hold(collection);
    const found = matching(held, refuse(checkFilter, filter), compile).slice(0, many ? undefined : 1);
    for (const document of found) held.documents.delete(document._id);
    return { deletedCount: found.length };
  }

  return {
    all: () => [...collections.values()].flatMap((held) => [...held.documents.values()]),
    named: (name) =>
      [...collections.values()].filter((held) => held.name === name).flatMap((held) => [...held.documents.values()]),
    async insertOne(collection, document, options = {}) {
      const stored = refuse(checkDocument, { _id: document._id ?? ids.next("doc"), ...document });
      const held = hold(collection);
      const declared = (options.unique ?? []).filter((field) => !held.unique.has(field));
      const shared = declared.filter((field) => isShared(held, field));
      if (shared.length > 0) return err({ kind: "shared_values", fields: shared });
      for (const field of declared) held.unique.add(field);
      const duplicate = put(held, stored);
      return duplicate === null ? ok(copy(stored) as StoredDocument) : err(duplicate);
    },
    async findOne(collection, filter) {
      const compile = await loadFilterCompiler();
      const [found] = matching(hold(collection), refuse(checkFilter, filter), compile);
      return found === undefined ? null : copy(found);
    },
    async find(collection, { filter, sort, limit, fields }) {
      refuseFields(fields ?? []);
      if (!Number.isSafeInteger(limit) || limit < 1) throw new TypeError("limit: a whole number from 1 is needed");
      const compile = await loadFilterCompiler();
      const found = matching(hold(collection), refuse(checkFilter, filter), compile);
      const order = orderOf(sort === undefined ? {} : refuse(checkSort, sort));
      const keys = new Map(found.map((document) => [document, order.keysOf(document)] as const));
      found.sort((a, b) => order.compare(keys.get(a) ?? [], keys.get(b) ?? []));
      const wanted = fields === undefined ? null : new Set(["_id", ...fields]);
      const pick = (document: StoredDocument) =>
        Object.fromEntries(Object.entries(document).filter(([name]) => wanted?.has(name) ?? true)) as StoredDocument;
      return found.slice(0, limit).map((document) => copy(pick(document)));
    },
    async updateOne(collection, filter, update, { upsert = false } = {}) {
      refuse(checkUpdate, update);
      return change(
        collection,
        filter,
        false,
        (before, compile) => applyUpdate(before, update, false, compile),
        upsert ? (compile) => makeUpsert(filter, update, ids.next("doc"), compile) : undefined,
      );
    },
    async updateMany(collection, filter, update) {
      refuse(checkUpdate, update);
      return change(collection, filter, true, (before, compile) => applyUpdate(before, update, false, compile));
    },
    async replaceOne(collection, filter, replacement, { upsert = false } = {}) {
      const { _id, ...fields } = replacement;
      return change(
        collection,
        filter,
        false,
        (before) => {
          if (_id !== undefined && _id !== before._id) throw new TypeError("_id: a replacement keeps its own");
          return { _id: before._id, ...fields };
        },
        upsert ? () => ({ _id: _id ?? demandedId(filter) ?? ids.next("doc"), ...fields }) : undefined,
      );
    },
    deleteOne: (collection, filter) => remove(collection, filter, false),
    deleteMany: (collection, filter) => remove(collection, filter, true),
    uniqueFields: async (collection) => [...hold(collection).unique],
    async ping() {},
  };
}

/** Whether two documents that are there already have a value of the field in common. */
function isShared(held: Held, field: string): boolean {
  const keys = [...held.documents.values()].flatMap((document) => [...uniqueKeysAt(document, field)]);
  return new Set(keys).size < keys.length;
}

/** What does not fit is a TypeError to the port's callers. */
function fitting(make: () => Document): Document {
  try {
    return make();
  } catch (error) {
    throw error instanceof UpdateMisfit ? new TypeError(error.message) : error;
  }
}

function restore(held: Held, saved: ReadonlyMap<string, StoredDocument>): void {
  held.documents.clear();
  for (const [id, document] of saved) held.documents.set(id, document);
}

function refuse<T>(check: (value: unknown) => readonly { path: string; message: string }[], value: T): T {
  const [first] = check(value);
  if (first !== undefined) throw new TypeError(`${first.path}: ${first.message}`);
  return value;
}

function copy<T extends Document>(document: T): T {
  return JSON.parse(JSON.stringify(document)) as T;
}
