import type { IdSource } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { refuse, refuseFields, refuseLimit, refuseUniqueFields } from "./checks.ts";
import { compareText } from "./compare.ts";
import type {
  Collection,
  Documents,
  DuplicateKey,
  Filter,
  FindQuery,
  SharedValues,
  Sort,
  StoredDocument,
} from "./documents.ts";
import { MONGO_DOCUMENT_MAX_CHARS } from "./limits.ts";
import { DuplicateKeyFault, type MongoActions, RefusedFault, type ServerQuery } from "./mongo-actions.ts";
import type { Wanted as WantedChange } from "./mongo-changes.ts";
import { holdsForeignIds, mongoNameOf, systemUniqueFields } from "./mongo-collections.ts";
import { FIRST_OBJECT_ID } from "./mongo-ids.ts";
import { type Place, pinsOne, queryOf } from "./mongo-place.ts";
import { createMongoWrites } from "./mongo-writes.ts";
import { checkDocument, checkFilter, checkSort, checkUpdate } from "./operators.ts";
import type { Uniqueness } from "./uniqueness.ts";

/** Of the matches, as `FindQuery` says. */
type Wanted = Pick<FindQuery, "limit" | "fields">;

/** The documents port on a MongoDB server, however its commands are sent. */
export function createMongoDocuments(deps: {
  readonly actions: MongoActions;
  readonly uniqueness: Uniqueness;
  /** Names documents that were given no `_id`. */
  readonly ids: IdSource;
}): Documents {
  const { actions, uniqueness, ids } = deps;
  const writes = createMongoWrites(deps);

  async function placeOf(collection: Collection): Promise<Place> {
    const name = await mongoNameOf(collection);
    return {
      name,
      unique: systemUniqueFields(name) ?? [],
      objectIds: async () => (holdsForeignIds(name) && (await actions.takesObjectIds()) ? actions.objectId : null),
    };
  }

  async function find(collection: Collection, filter: Filter, sort: Sort, wanted: Wanted) {
    const place = await placeOf(collection);
    const query = await queryOf(place, filter);
    const merged = sort._id !== undefined && Object.keys(sort)[0] === "_id" && !pinsOne(filter, place.unique);
    const mixed = merged && (await place.objectIds()) !== null;
    return mixed
      ? findByIdText(place.name, query, sort._id ?? 1, wanted)
      : actions.find(place.name, { filter: query, sort, ...wanted });
  }

  /** The server sorts all texts before all ObjectIds; here both count as text, so they are read apart and merged. */
  async function findByIdText(name: string, filter: ServerQuery, direction: 1 | -1, wanted: Wanted) {
    const kinds = [{ $gte: "" }, { $gte: actions.objectId(FIRST_OBJECT_ID) }];
    const found = await Promise.all(
      kinds.map((kind) =>
        actions.find(name, { filter: { $and: [filter, { _id: kind }] }, sort: { _id: direction }, ...wanted }),
      ),
    );
    const inOrder = found.flat().sort((a, b) => compareText(String(a._id), String(b._id)) * direction);
    return inOrder.slice(0, wanted.limit);
  }

  async function change(
    collection: Collection,
    filter: Filter,
    wanted: WantedChange,
    options: { readonly many?: boolean; readonly upsert?: boolean },
  ) {
    refuse("filter", checkFilter(filter));
    const place = await placeOf(collection);
    return portFaults(() =>
      options.many === true && wanted.kind === "update"
        ? writes.updateMany(place, filter, wanted.update)
        : writes.changeOne(place, filter, wanted, options.upsert ?? false),
    );
  }

  return {
    async insertOne(collection, document, options = {}) {
      refuse("document", checkDocument(document));
      const unique = options.unique ?? [];
      refuseUniqueFields(unique);
      const { _id: given, ...fields } = document;
      const stored: StoredDocument = { _id: given === undefined ? ids.next(ID_PREFIX) : String(given), ...fields };
      const body = refuseLarge(stored);
      const place = await placeOf(collection);
      return portFaults(async (): Promise<Result<StoredDocument, DuplicateKey | SharedValues>> => {
        const shared = await uniqueness.declare(place.name, unique);
        if (shared.length > 0) return err({ kind: "shared_values", fields: shared });
        const inserted = await writes.insert(place, stored);
        return inserted.ok ? ok(JSON.parse(body) as StoredDocument) : inserted;
      });
    },
    async findOne(collection, filter) {
      refuse("filter", checkFilter(filter));
      const [found] = await find(collection, filter, { _id: 1 }, { limit: 1 });
      return (found as StoredDocument | undefined) ?? null;
    },
    async find(collection, { filter, sort, limit, fields }) {
      refuse("filter", checkFilter(filter));
      refuse("sort", sort === undefined ? [] : checkSort(sort));
      refuseFields(fields ?? []);
      refuseLimit(limit);
      const order: Sort = sort === undefined || Object.keys(sort).length === 0 ? { _id: 1 } : sort;
      const wanted = { limit, ...(fields === undefined ? {} : { fields }) };
      return (await find(collection, filter, order, wanted)) as readonly StoredDocument[];
    },
    async updateOne(collection, filter, update, options = {}) {
      refuse("update", checkUpdate(update));
      return change(collection, filter, { kind: "update", update }, options);
    },
    async updateMany(collection, filter, update) {
      refuse("update", checkUpdate(update));
      return change(collection, filter, { kind: "update", update }, { many: true });
    },
    async replaceOne(collection, filter, replacement, options = {}) {
      refuse("replacement", checkDocument(replacement));
      refuseLarge(replacement);
      return change(collection, filter, { kind: "replace", replacement }, options);
    },
    async deleteOne(collection, filter) {
      refuse("filter", checkFilter(filter));
      return { deletedCount: await writes.deleteOne(await placeOf(collection), filter) };
    },
    async deleteMany(collection, filter) {
      refuse("filter", checkFilter(filter));
      const place = await placeOf(collection);
      return { deletedCount: await actions.deleteMany(place.name, await queryOf(place, filter)) };
    },
    uniqueFields: async (collection) => uniqueness.fields(await mongoNameOf(collection)),
    ping: () => actions.ping(),
  };
}

const ID_PREFIX = "doc";

async function portFaults<T, F>(work: () => Promise<Result<T, F>>): Promise<Result<T, DuplicateKey | F>> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RefusedFault)
      throw new TypeError(
        "the database refuses it: the update does not fit the document, or holds what it cannot store",
      );
    if (error instanceof DuplicateKeyFault) return err({ kind: "duplicate_key", fields: error.fields });
    throw error;
  }
}

/** The document's text. @throws RangeError where that is longer than the database takes. */
function refuseLarge(document: JsonObject): string {
  const body = JSON.stringify(document);
  if (body.length <= MONGO_DOCUMENT_MAX_CHARS) return body;
  throw new RangeError(`a document takes at most ${MONGO_DOCUMENT_MAX_CHARS} characters as JSON`);
}
