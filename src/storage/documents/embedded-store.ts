import type { JsonObject } from "../../core/json.ts";
import { applyUpdate, UpdateMisfit } from "./apply-update.ts";
import { compareBy } from "./compare.ts";
import type { DuplicateKey, Filter, SharedValues, Sort, Update, UpdateCounts } from "./documents.ts";
import { createRows, DocumentTooLarge, type Row } from "./embedded-rows.ts";
import { FIND_MAX_CHARS, SORT_SLACK_DOCUMENTS } from "./limits.ts";
import type { CompileFilter } from "./matcher.ts";
import { planFilter } from "./plan.ts";
import { createProjection } from "./projection.ts";
import { demandedId, makeUpsert, refuseFaults } from "./upsert.ts";

/** What an operation came to. `refused`: the caller's fault, to be thrown as TypeError; `too_large`: as RangeError. */
export type Reply<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "too_large"; readonly message: string }
  | DuplicateKey;

/** What to write into a match: an update, or a whole document in its place. */
export type Change =
  | { readonly kind: "update"; readonly update: Update; readonly many: boolean }
  | { readonly kind: "replace"; readonly replacement: JsonObject };

/** Of the matches, as `FindQuery` says. */
export interface Wanted {
  readonly sort: Sort | undefined;
  readonly limit: number;
  readonly fields: readonly string[] | undefined;
}

/**
 * The operations on one partition, over checked filters, updates and documents. Each is synchronous and whole: when it
 * does not come to `done`, nothing was written. Documents go in and out as JSON text.
 */
export interface DocumentStore {
  insert(collection: string, body: string, unique: readonly string[]): Reply<null> | SharedValues;
  findOne(collection: string, filter: Filter): string | null;
  find(collection: string, filter: Filter, wanted: Wanted): Reply<string[]>;
  /** `upsertId` is the `_id` for an upsert whose filter demands none; null where there is to be no upsert. */
  change(collection: string, filter: Filter, change: Change, upsertId: string | null): Reply<UpdateCounts>;
  remove(collection: string, filter: Filter, many: boolean): number;
  uniqueFields(collection: string): readonly string[];
}

/** Carries a reply out of a transaction that is to be undone. */
class Undo extends Error {
  readonly reply: DuplicateKey;
  constructor(reply: DuplicateKey) {
    super(reply.kind);
    this.reply = reply;
  }
}

interface Found {
  readonly id: string;
  readonly body: string;
}

interface Reading {
  readonly limit?: number;
  readonly descending?: boolean;
  /** Absent: all. */
  readonly fields?: readonly string[] | undefined;
}

export function createDocumentStore(storage: DurableObjectStorage, compile: CompileFilter): DocumentStore {
  const rows = createRows(storage.sql);

  function transact<T, F = never>(action: () => Reply<T> | F): Reply<T> | F {
    try {
      return storage.transactionSync(action);
    } catch (error) {
      rows.forget();
      if (error instanceof Undo) return error.reply;
      if (error instanceof UpdateMisfit) return { kind: "refused", message: error.message };
      if (error instanceof DocumentTooLarge) return { kind: "too_large", message: error.message };
      throw error;
    }
  }

  function* matches(collection: string, filter: Filter, { limit, descending, fields }: Reading = {}): Iterable<Found> {
    const { exact, ...plan } = planFilter(filter, collection, rows.uniqueFields(collection));
    const query = { collection, ...plan, descending: descending ?? false };
    const bounded = limit === undefined ? query : { ...query, limit };
    const projection = exact && fields !== undefined ? createProjection(fields) : null;
    if (projection !== null) return yield* rows.scan({ ...bounded, projection });
    const pick = fields === undefined ? null : createPick(fields);
    const found = exact ? rows.scan(bounded) : filtered(rows.scan(query), filter, limit);
    for (const { id, body } of found) yield { id, body: pick === null ? body : pick(body) };
  }

  function* filtered(found: Iterable<Found>, filter: Filter, limit: number | undefined): Iterable<Found> {
    const isMatch = compile(filter);
    let left = limit ?? Number.POSITIVE_INFINITY;
    for (const row of found) {
      if (!isMatch(parse(row))) continue;
      yield row;
      if (--left <= 0) return;
    }
  }

  function first(collection: string, filter: Filter): Found | undefined {
    for (const found of matches(collection, filter, { limit: 1 })) return found;
    return undefined;
  }

  /** The matches to write to: read to the end before anything is written, their bodies only where there is one. */
  function* targets(collection: string, filter: Filter, many: boolean): Iterable<JsonObject> {
    if (!many) {
      const found = first(collection, filter);
      if (found !== undefined) yield parse(found);
      return;
    }
    const ids = Array.from(matches(collection, filter), (found) => found.id);
    for (const id of ids) {
      const found = first(collection, { _id: id });
      if (found !== undefined) yield parse(found);
    }
  }

  function insert(collection: string, body: string, unique: readonly string[]): Reply<null> | SharedValues {
    return transact<null, SharedValues>(() => {
      const shared = rows.declareUnique(collection, unique);
      if (shared.length > 0) return { kind: "shared_values", fields: shared };
      const taken = rows.put(collection, JSON.parse(body));
      return taken.length > 0 ? { kind: "duplicate_key", fields: taken } : { kind: "done", value: null };
    });
  }

  function find(collection: string, filter: Filter, { sort, limit, fields }: Wanted): Reply<string[]> {
    const [firstKey, direction] = Object.entries(sort ?? { _id: 1 as const })[0] ?? ["_id", 1];
    const bodies =
      firstKey === "_id"
        ? takeBodies(matches(collection, filter, { limit, descending: direction === -1, fields }))
        : sortBodies(matches(collection, filter), sort ?? {}, limit, fields);
    if (bodies !== null) return { kind: "done", value: bodies };
    return { kind: "too_large", message: `an answer takes at most ${FIND_MAX_CHARS} characters: lower the limit` };
  }

  function store(collection: string, document: JsonObject, before?: JsonObject): void {
    const taken = rows.put(collection, document, before);
    if (taken.length > 0) throw new Undo({ kind: "duplicate_key", fields: taken });
  }

  function change(collection: string, filter: Filter, wanted: Change, upsertId: string | null): Reply<UpdateCounts> {
    return transact<UpdateCounts>(() => {
      let matchedCount = 0;
      let modifiedCount = 0;
      for (const before of targets(collection, filter, wanted.kind === "update" && wanted.many)) {
        const after = changed(before, wanted, compile);
        matchedCount++;
        if (JSON.stringify(after) === JSON.stringify(before)) continue;
        store(collection, after, before);
        modifiedCount++;
      }
      if (matchedCount > 0 || upsertId === null) {
        return { kind: "done", value: { matchedCount, modifiedCount, upsertedId: null } };
      }
      const document = upserted(filter, wanted, upsertId, compile);
      store(collection, document);
      return { kind: "done", value: { matchedCount, modifiedCount, upsertedId: String(document._id) } };
    });
  }

  function remove(collection: string, filter: Filter, many: boolean): number {
    return storage.transactionSync(() => {
      let count = 0;
      for (const document of targets(collection, filter, many)) {
        rows.remove(collection, document);
        count++;
      }
      return count;
    });
  }

  return {
    insert,
    findOne: (collection, filter) => first(collection, filter)?.body ?? null,
    find,
    change,
    remove,
    uniqueFields: (collection) => rows.uniqueFields(collection),
  };
}

function parse(row: Found | Row): JsonObject {
  return JSON.parse(row.body) as JsonObject;
}

function changed(before: JsonObject, change: Change, compile: CompileFilter): JsonObject {
  if (change.kind === "update") return applyUpdate(before, change.update, false, compile);
  const id = change.replacement._id;
  if (id !== undefined && id !== before._id) throw new UpdateMisfit("_id: a replacement keeps the one it replaces");
  return withId(String(before._id), change.replacement);
}

function upserted(filter: Filter, change: Change, newId: string, compile: CompileFilter): JsonObject {
  if (change.kind === "update") return makeUpsert(filter, change.update, newId, compile);
  const demanded = demandedId(filter);
  const given = change.replacement._id;
  if (demanded !== null && given !== undefined && given !== demanded) {
    throw new UpdateMisfit("_id: the filter and the replacement differ");
  }
  return refuseFaults({ ...change.replacement, _id: given ?? demanded ?? newId });
}

function withId(id: string, document: JsonObject): JsonObject {
  const { _id: _, ...fields } = document;
  return { _id: id, ...fields };
}

/** Leaves of a document what was asked for. */
function createPick(fields: readonly string[]): (body: string) => string {
  const names = new Set(["_id", ...fields]);
  return (body) => {
    const document = JSON.parse(body) as JsonObject;
    return JSON.stringify(Object.fromEntries(Object.entries(document).filter(([name]) => names.has(name))));
  };
}

/** Null when they are more than one answer may carry. */
function takeBodies(found: Iterable<Found>): string[] | null {
  const bodies: string[] = [];
  let chars = 0;
  for (const { body } of found) {
    chars += body.length;
    if (chars > FIND_MAX_CHARS) return null;
    bodies.push(body);
  }
  return bodies;
}

/** The best `limit` documents in the order asked; holds little more than those at any time. Null as above. */
function sortBodies(
  found: Iterable<Found>,
  sort: Sort,
  limit: number,
  fields: readonly string[] | undefined,
): string[] | null {
  const compare = compareBy(sort);
  let best: { readonly body: string; readonly document: JsonObject }[] = [];
  let chars = 0;
  const keepBest = () => {
    best = best.sort((a, b) => compare(a.document, b.document)).slice(0, limit);
    chars = best.reduce((sum, { body }) => sum + body.length, 0);
    return chars <= FIND_MAX_CHARS;
  };
  for (const { body } of found) {
    best.push({ body, document: JSON.parse(body) as JsonObject });
    chars += body.length;
    const full = best.length >= limit + SORT_SLACK_DOCUMENTS || chars > FIND_MAX_CHARS;
    if (full && !keepBest()) return null;
  }
  if (!keepBest()) return null;
  const pick = fields === undefined ? null : createPick(fields);
  return best.map(({ body }) => (pick === null ? body : pick(body)));
}
