import { StorageUnavailable } from "../../core/errors.ts";
import type { IdSource } from "../../core/ids.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { DuplicateKey, Filter, StoredDocument, Update, UpdateCounts } from "./documents.ts";
import { WALK_PAGE_DOCUMENTS, WRITE_MAX_ATTEMPTS } from "./limits.ts";
import { DuplicateKeyFault, type MongoActions, type ServerQuery, type WriteCounts } from "./mongo-actions.ts";
import {
  changed,
  differences,
  isComputed,
  refuseOtherId,
  touches,
  unchanged,
  upserted,
  type Wanted,
} from "./mongo-changes.ts";
import { joinAll } from "./mongo-filters.ts";
import { isObjectIdText } from "./mongo-ids.ts";
import { isOnlyId, type Place, pinned, pinsOne, queryOf } from "./mongo-place.ts";
import { uniqueKeysAt } from "./unique-keys.ts";
import type { Uniqueness } from "./uniqueness.ts";
import { demandedId } from "./upsert.ts";

/**
 * The port's writes out of a server's single commands. A write whose filter can match one document only is one command;
 * another looks for the first match by `_id` and then writes to that one, if it still matches.
 */
export interface MongoWrites {
  insert(place: Place, document: StoredDocument): Promise<Result<null, DuplicateKey>>;
  changeOne(place: Place, filter: Filter, wanted: Wanted, upsert: boolean): Promise<Result<UpdateCounts, DuplicateKey>>;
  /** Documents are changed one by one: what a duplicate stops has changed the ones before it. */
  updateMany(place: Place, filter: Filter, update: Update): Promise<Result<UpdateCounts, DuplicateKey>>;
  deleteOne(place: Place, filter: Filter): Promise<number>;
}

const NO_CHANGE: UpdateCounts = { matchedCount: 0, modifiedCount: 0, upsertedId: null };

export function createMongoWrites(deps: {
  readonly actions: MongoActions;
  readonly uniqueness: Uniqueness;
  readonly ids: IdSource;
}): MongoWrites {
  const { actions, uniqueness, ids } = deps;

  async function insert(place: Place, document: StoredDocument): Promise<Result<null, DuplicateKey>> {
    const fields = await uniqueness.guardedFields(place.name);
    return uniqueness.guard(place.name, fields, document, () =>
      named(place, document, fields, async () => {
        await actions.insertOne(place.name, document);
        return ok(null);
      }),
    );
  }

  /** Runs a write; of a duplicate whose fields the server did not name, finds them out. */
  async function named<T>(
    place: Place,
    document: JsonObject,
    fields: readonly string[],
    write: () => Promise<Result<T, DuplicateKey>>,
  ): Promise<Result<T, DuplicateKey>> {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof DuplicateKeyFault)) throw error;
      if (error.fields.length > 0) return err({ kind: "duplicate_key", fields: error.fields });
      const [same] = await actions.find(place.name, { filter: { _id: document._id }, limit: 1, fields: ["_id"] });
      return err({ kind: "duplicate_key", fields: same === undefined && fields.length > 0 ? fields : ["_id"] });
    }
  }

  async function findFirst(place: Place, filter: Filter, fields?: readonly string[]): Promise<JsonObject | null> {
    const query = await queryOf(place, filter);
    const read = { filter: query, sort: { _id: 1 as const }, limit: 1, ...(fields === undefined ? {} : { fields }) };
    return (await actions.find(place.name, read))[0] ?? null;
  }

  function send(place: Place, query: ServerQuery, wanted: Wanted, upsert: boolean): Promise<WriteCounts> {
    if (wanted.kind === "update") return actions.updateOne(place.name, query, wanted.update, upsert);
    const { _id: _, ...fields } = wanted.replacement;
    return actions.replaceOne(place.name, query, fields, upsert);
  }

  async function changeOne(place: Place, filter: Filter, wanted: Wanted, upsert: boolean) {
    const guarded = await uniqueness.guardedFields(place.name);
    const guards = guarded.some((field) => touches(wanted, field)) || (upsert && guarded.length > 0);
    if (guards || isComputed(wanted)) return changeComputed(place, filter, wanted, upsert, guarded);
    const id = demandedId(filter);
    const plain = wanted.kind === "update" || (wanted.replacement._id ?? id) === id;
    // An upsert of a text that could be an ObjectId would ask for either, and the server choose the new _id.
    if (plain && isOnlyId(filter) && isIdText(id) && !(upsert && isObjectIdText(id))) {
      const counts = await send(place, await queryOf(place, filter), wanted, upsert);
      return ok({ ...counts, upsertedId: upsert && counts.matchedCount === 0 ? id : null });
    }
    if (plain && !upsert && pinsOne(filter, place.unique)) {
      const counts = await send(place, await queryOf(place, filter), wanted, false);
      return ok({ ...counts, upsertedId: null });
    }
    return changeFirst(place, filter, wanted, upsert);
  }

  /** Writes to the first match by `_id`; looks again where that one changed meanwhile. */
  function changeFirst(place: Place, filter: Filter, wanted: Wanted, upsert: boolean) {
    return untilSettled(async () => {
      const found = await findFirst(place, filter, ["_id"]);
      if (found === null) return upsert ? insertUpsert(place, filter, wanted) : ok(NO_CHANGE);
      refuseOtherId(found, wanted);
      const counts = await send(place, await pinned(place, found, filter), wanted, false);
      return landed(counts);
    });
  }

  /** Null where another writer inserted a document meanwhile that the filter matches. */
  async function insertUpsert(place: Place, filter: Filter, wanted: Wanted) {
    const document = await upserted(filter, wanted, ids.next(ID_PREFIX));
    const inserted = await insert(place, document);
    if (inserted.ok) return ok({ ...NO_CHANGE, upsertedId: document._id });
    return (await findFirst(place, filter, ["_id"])) === null ? inserted : null;
  }

  /**
   * As `changeFirst`, but works out here what the document will be, to guard the unique values that it takes and to
   * write only what is to change. It starts again where one of the fields in question was written meanwhile.
   */
  function changeComputed(
    place: Place,
    filter: Filter,
    wanted: Wanted,
    upsert: boolean,
    guarded: readonly string[],
  ): Promise<Result<UpdateCounts, DuplicateKey>> {
    return untilSettled(async () => {
      const before = await findFirst(place, filter);
      if (before === null) return upsert ? insertUpsert(place, filter, wanted) : ok(NO_CHANGE);
      refuseOtherId(before, wanted);
      const after = await changed(before, wanted);
      const { update, names } = differences(before, after);
      if (names.length === 0) return ok({ ...NO_CHANGE, matchedCount: 1 });
      const isTaken = (field: string) => uniqueKeysAt(after, field).difference(uniqueKeysAt(before, field)).size > 0;
      const query = joinAll([await pinned(place, before, filter), unchanged(before, names)]);
      const change: Wanted = wanted.kind === "update" ? { kind: "update", update } : wanted;
      const written = await uniqueness.guard(place.name, guarded.filter(isTaken), after, () =>
        named(place, after, guarded, async () => ok(await send(place, query, change, false))),
      );
      return written.ok ? landed(written.value) : written;
    });
  }

  return {
    insert,
    changeOne,

    async updateMany(place, filter, update) {
      const wanted: Wanted = { kind: "update", update };
      const guarded = await uniqueness.guardedFields(place.name);
      const query = await queryOf(place, filter);
      if (!guarded.some((field) => touches(wanted, field)) && !isComputed(wanted)) {
        return ok({ ...(await actions.updateMany(place.name, query, update)), upsertedId: null });
      }
      let counts = NO_CHANGE;
      for await (const { _id } of walkIds(actions, place, query)) {
        const one: Filter = { $and: [{ _id: _id ?? null }, filter] };
        const written = await changeComputed(place, one, wanted, false, guarded);
        if (!written.ok) return written;
        counts = sum(counts, written.value);
      }
      return ok(counts);
    },

    async deleteOne(place, filter) {
      if (pinsOne(filter, place.unique)) return actions.deleteMany(place.name, await queryOf(place, filter));
      return untilSettled(async () => {
        const found = await findFirst(place, filter, ["_id"]);
        if (found === null) return 0;
        const count = await actions.deleteMany(place.name, await pinned(place, found, filter));
        return count > 0 ? count : null;
      });
    },
  };
}

const ID_PREFIX = "doc";

function isIdText(id: string | null): id is string {
  return typeof id === "string" && id !== "";
}

/** Tries until an attempt was not overtaken by another writer, which it says by null. */
async function untilSettled<T>(attempt: () => Promise<T | null>): Promise<T> {
  for (let n = 0; n < WRITE_MAX_ATTEMPTS; n++) {
    const settled = await attempt();
    if (settled !== null) return settled;
  }
  throw new StorageUnavailable("the document changes too often to be written");
}

/** Null where the document did not match any more. */
function landed(counts: WriteCounts): Result<UpdateCounts, DuplicateKey> | null {
  return counts.matchedCount > 0 ? ok({ ...counts, upsertedId: null }) : null;
}

function sum(a: UpdateCounts, b: UpdateCounts): UpdateCounts {
  return {
    matchedCount: a.matchedCount + b.matchedCount,
    modifiedCount: a.modifiedCount + b.modifiedCount,
    upsertedId: null,
  };
}

async function* walkIds(actions: MongoActions, { name }: Place, filter: ServerQuery): AsyncIterable<JsonObject> {
  let after: Json | undefined;
  for (;;) {
    const beyond = after === undefined ? filter : { $and: [filter, { _id: { $gt: after } }] };
    const query = { filter: beyond, sort: { _id: 1 as const }, limit: WALK_PAGE_DOCUMENTS, fields: ["_id"] };
    const page = await actions.find(name, query);
    yield* page;
    after = page.at(-1)?._id;
    if (page.length < WALK_PAGE_DOCUMENTS) return;
  }
}
