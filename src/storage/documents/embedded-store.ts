import type { JsonObject } from "../../core/json.ts";
import { prepareUpdate, UpdateMisfit } from "./apply-update.ts";
import type { DuplicateKey, Filter, SharedValues, Sort, Update, UpdateCounts } from "./documents.ts";
import { createPick, type Found, sortBodies, takeBodies } from "./embedded-bodies.ts";
import { createRows, DocumentTooLarge, type Row } from "./embedded-rows.ts";
import {
  FIND_MAX_CHARS,
  READ_STEPS,
  REMOVE_MAX_DOCUMENTS,
  REMOVE_MAX_STEPS,
  UNIQUE_VALUE_STEPS,
  WRITE_STEPS,
} from "./limits.ts";
import type { CompileFilter, Matches } from "./matcher.ts";
import { planFilter } from "./plan.ts";
import { createProjection } from "./projection.ts";
import { demandedId, makeUpsert, refuseFaults } from "./upsert.ts";
import { stepsOf, TooMuchWork, type Work } from "./work.ts";

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

export interface Removal {
  readonly count: number;
  /** There may be more matches: to be removed in the next go. */
  readonly hasMore: boolean;
}

/**
 * The operations on one partition, over checked filters, updates and documents. Each is synchronous and whole: when it
 * does not come to `done`, nothing was written. Documents go in and out as JSON text. What takes more than `work`
 * allows is `too_large`.
 */
export interface DocumentStore {
  insert(collection: string, body: string, unique: readonly string[], work: Work): Reply<null> | SharedValues;
  findOne(collection: string, filter: Filter, work: Work): Reply<string | null>;
  find(collection: string, filter: Filter, wanted: Wanted, work: Work): Reply<string[]>;
  /** `upsertId` is the `_id` for an upsert whose filter demands none; null where there is to be no upsert. */
  change(collection: string, filter: Filter, change: Change, upsertId: string | null, work: Work): Reply<UpdateCounts>;
  /** Of many matches, removes the first ones in order of `_id`: as many as may go at once. */
  remove(collection: string, filter: Filter, many: boolean, work: Work): Reply<Removal>;
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

interface Reading {
  readonly limit?: number;
  readonly descending?: boolean;
  /** Absent: all. */
  readonly fields?: readonly string[] | undefined;
}

export function createDocumentStore(storage: DurableObjectStorage, compile: CompileFilter): DocumentStore {
  const rows = createRows(storage.sql);

  function transact<T, F = never>(action: () => Reply<T> | F): Reply<T> | F {
    return replying(() => {
      try {
        return storage.transactionSync(action);
      } catch (error) {
        rows.forget();
        throw error;
      }
    });
  }

  function* matches(collection: string, filter: Filter, work: Work, reading: Reading = {}): Iterable<Found> {
    const { limit, descending, fields } = reading;
    const { exact, ...plan } = planFilter(filter, collection, rows.uniqueFields(collection));
    const query = { collection, ...plan, descending: descending ?? false };
    const bounded = limit === undefined ? query : { ...query, limit };
    const projection = exact && fields !== undefined ? createProjection(fields) : null;
    if (projection !== null) return yield* rows.scan({ ...bounded, projection });
    const pick = fields === undefined ? null : createPick(fields);
    const found = exact ? rows.scan(bounded) : filtered(rows.scan(query), compile(filter, work), limit, work);
    for (const { id, body } of found) yield { id, body: pick === null ? body : pick(body) };
  }

  function first(collection: string, filter: Filter, work: Work): Found | undefined {
    for (const found of matches(collection, filter, work, { limit: 1 })) return found;
    return undefined;
  }

  /** The matches to write to: read to the end before anything is written, their bodies only where there is one. */
  function* targets(collection: string, filter: Filter, reading: Reading, work: Work): Iterable<Found> {
    const isOne = reading.limit === 1;
    const ids = isOne ? [null] : Array.from(matches(collection, filter, work, reading), (found) => found.id);
    for (const id of ids) {
      const found = first(collection, id === null ? filter : { _id: id }, work);
      if (found !== undefined) yield found;
    }
  }

  function insert(collection: string, body: string, unique: readonly string[], work: Work): Reply<null> | SharedValues {
    return transact<null, SharedValues>(() => {
      const shared = rows.declareUnique(collection, unique, work);
      if (shared.length > 0) return { kind: "shared_values", fields: shared };
      const taken = rows.put(collection, JSON.parse(body), work);
      return taken.length > 0 ? { kind: "duplicate_key", fields: taken } : { kind: "done", value: null };
    });
  }

  function find(collection: string, filter: Filter, { sort, limit, fields }: Wanted, work: Work): Reply<string[]> {
    const [firstKey, direction] = Object.entries(sort ?? { _id: 1 as const })[0] ?? ["_id", 1];
    return replying(() => {
      const bodies =
        firstKey === "_id"
          ? takeBodies(matches(collection, filter, work, { limit, descending: direction === -1, fields }))
          : sortBodies(matches(collection, filter, work), sort ?? {}, limit, fields, work);
      if (bodies !== null) return { kind: "done", value: bodies };
      return { kind: "too_large", message: `an answer takes at most ${FIND_MAX_CHARS} characters: lower the limit` };
    });
  }

  function store(collection: string, document: JsonObject, work: Work, before?: JsonObject): void {
    const taken = rows.put(collection, document, work, before);
    if (taken.length > 0) throw new Undo({ kind: "duplicate_key", fields: taken });
  }

  function change(
    collection: string,
    filter: Filter,
    wanted: Change,
    upsertId: string | null,
    work: Work,
  ): Reply<UpdateCounts> {
    return transact<UpdateCounts>(() => {
      const changed = prepareChange(wanted, compile, work);
      let matchedCount = 0;
      let modifiedCount = 0;
      const reading = wanted.kind === "update" && wanted.many ? {} : { limit: 1 };
      for (const found of targets(collection, filter, reading, work)) {
        work.spend(WRITE_STEPS + stepsOf(found.body.length));
        const before = parse(found);
        const after = changed(before);
        matchedCount++;
        const text = JSON.stringify(after);
        work.spend(stepsOf(text.length));
        if (text === JSON.stringify(before)) continue;
        store(collection, after, work, before);
        modifiedCount++;
      }
      if (matchedCount > 0 || upsertId === null) {
        return { kind: "done", value: { matchedCount, modifiedCount, upsertedId: null } };
      }
      const document = upserted(filter, wanted, upsertId, compile);
      store(collection, document, work);
      return { kind: "done", value: { matchedCount, modifiedCount, upsertedId: String(document._id) } };
    });
  }

  function remove(collection: string, filter: Filter, many: boolean, work: Work): Reply<Removal> {
    return transact<Removal>(() => {
      const limit = many ? REMOVE_MAX_DOCUMENTS : 1;
      let count = 0;
      let steps = 0;
      for (const found of targets(collection, filter, { limit }, work)) {
        const values = rows.remove(collection, parse(found));
        count++;
        steps += stepsOf(found.body.length) + values * UNIQUE_VALUE_STEPS;
        if (steps >= REMOVE_MAX_STEPS) break;
      }
      return { kind: "done", value: { count, hasMore: many && (count === limit || steps >= REMOVE_MAX_STEPS) } };
    });
  }

  return {
    insert,
    findOne: (collection, filter, work) =>
      replying(() => ({ kind: "done", value: first(collection, filter, work)?.body ?? null })),
    find,
    change,
    remove,
    uniqueFields: (collection) => rows.uniqueFields(collection),
  };
}

function parse(row: Found | Row): JsonObject {
  return JSON.parse(row.body) as JsonObject;
}

function* filtered(found: Iterable<Found>, isMatch: Matches, limit: number | undefined, work: Work): Iterable<Found> {
  let left = limit ?? Number.POSITIVE_INFINITY;
  for (const row of found) {
    work.spend(READ_STEPS + stepsOf(row.body.length));
    if (!isMatch(parse(row))) continue;
    yield row;
    if (--left <= 0) return;
  }
}

function replying<T, F = never>(action: () => Reply<T> | F): Reply<T> | F {
  try {
    return action();
  } catch (error) {
    if (error instanceof Undo) return error.reply;
    if (error instanceof UpdateMisfit) return { kind: "refused", message: error.message };
    if (error instanceof DocumentTooLarge || error instanceof TooMuchWork) {
      return { kind: "too_large", message: error.message };
    }
    throw error;
  }
}

function prepareChange(change: Change, compile: CompileFilter, work: Work): (before: JsonObject) => JsonObject {
  if (change.kind === "update") {
    const update = prepareUpdate(change.update, compile, work);
    return (before) => update(before, false);
  }
  const { replacement } = change;
  const id = replacement._id;
  return (before) => {
    if (id !== undefined && id !== before._id) throw new UpdateMisfit("_id: a replacement keeps the one it replaces");
    return withId(String(before._id), replacement);
  };
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
