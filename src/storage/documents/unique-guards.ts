import type { Clock } from "../../core/clock.ts";
import type { IdSource } from "../../core/ids.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import { err, type Result } from "../../core/result.ts";
import type { DuplicateKey } from "./documents.ts";
import {
  DECLARE_MAX_DOCUMENTS,
  UNIQUE_FIELDS_CACHE_MAX,
  UNIQUE_FIELDS_CACHE_MS,
  WALK_PAGE_DOCUMENTS,
} from "./limits.ts";
import { DuplicateKeyFault, type MongoActions, type ServerQuery } from "./mongo-actions.ts";
import { systemUniqueFields, UNIQUE_FIELDS_COLLECTION } from "./mongo-collections.ts";
import { uniqueKeysAt, uniqueValuesAt } from "./unique-keys.ts";
import { createLocks } from "./unique-locks.ts";
import type { Uniqueness } from "./uniqueness.ts";

/**
 * Uniqueness without an index: a writer locks the values that it is about to write, looks whether another document has
 * one of them, writes, and lets go. The documents themselves are the only truth, so nothing is left to clean when one
 * goes or a writer crashes, and documents that others wrote count.
 *
 * Every adapter that guards does so by the same locks. What does not take part: programs of others, and a Worker that
 * has not yet heard of a field, declared by another one less than UNIQUE_FIELDS_CACHE_MS ago.
 */
export function createUniqueGuards(deps: {
  readonly actions: MongoActions;
  readonly clock: Clock;
  readonly ids: IdSource;
}): Uniqueness {
  const { actions, clock } = deps;
  const locks = createLocks(deps);
  const known = new Map<string, { readonly fields: readonly string[]; readonly until: number }>();

  function remember(name: string, fields: readonly string[]): readonly string[] {
    const oldest = known.size >= UNIQUE_FIELDS_CACHE_MAX ? known.keys().next().value : undefined;
    if (oldest !== undefined) known.delete(oldest);
    known.set(name, { fields, until: clock.now() + UNIQUE_FIELDS_CACHE_MS });
    return fields;
  }

  async function guardedFields(name: string): Promise<readonly string[]> {
    const fixed = systemUniqueFields(name);
    if (fixed !== null) return fixed;
    const cached = known.get(name);
    if (cached !== undefined && cached.until > clock.now()) return cached.fields;
    return remember(name, await readDeclaredFields(actions, name));
  }

  async function firstSharing(name: string, field: string): Promise<boolean> {
    const seen = new Set<string>();
    let count = 0;
    for await (const document of walk(actions, name, {}, [field])) {
      if (++count > DECLARE_MAX_DOCUMENTS) {
        throw new RangeError(`more than ${DECLARE_MAX_DOCUMENTS} documents: only an index can make ${field} unique`);
      }
      for (const key of uniqueKeysAt(document, field)) {
        if (seen.has(key)) return true;
        seen.add(key);
      }
    }
    return false;
  }

  /** The fields of which another document has one of this one's values. */
  async function takenFields(
    name: string,
    fields: readonly string[],
    document: JsonObject,
  ): Promise<readonly string[]> {
    const taken = await Promise.all(
      fields.map(async (field) => {
        const mine = uniqueKeysAt(document, field);
        for await (const other of walk(actions, name, havingOneOf(document, field), [field])) {
          if (other._id !== document._id && [...uniqueKeysAt(other, field)].some((key) => mine.has(key))) return true;
        }
        return false;
      }),
    );
    return fields.filter((_, i) => taken[i]);
  }

  return {
    fields: guardedFields,
    guardedFields,

    async declare(name, fields) {
      if (fields.length === 0) return [];
      const before = await guardedFields(name);
      const added = [...new Set(fields)].filter((field) => !before.includes(field));
      if (added.length === 0) return [];
      // First said, then checked: whoever writes meanwhile guards the field already.
      await writeDeclaredFields(actions, name, added, true);
      const shared = await Promise.all(added.map((field) => firstSharing(name, field))).catch(
        async (error: unknown) => {
          // What could not be checked is not declared. Where this fails too, it stays so: nothing else undoes it.
          await writeDeclaredFields(actions, name, added, false).catch(() => {});
          throw error;
        },
      );
      if (shared.includes(true)) await writeDeclaredFields(actions, name, added, false);
      else remember(name, [...before, ...added]);
      return added.filter((_, i) => shared[i]);
    },

    async guard<T>(
      name: string,
      fields: readonly string[],
      document: JsonObject,
      write: () => Promise<Result<T, DuplicateKey>>,
    ) {
      if (fields.length === 0) return write();
      const keys = fields.flatMap((field) =>
        [...uniqueKeysAt(document, field)].map((value) => JSON.stringify([name, field, value])),
      );
      const look = async (): Promise<Result<T, DuplicateKey> | null> => {
        const taken = await takenFields(name, fields, document);
        return taken.length === 0 ? null : err({ kind: "duplicate_key", fields: taken });
      };
      return locks.hold(keys, look, async () => (await look()) ?? write());
    },
  };
}

/** Finds every document that has one of the values, and few others. */
function havingOneOf(document: JsonObject, field: string): ServerQuery {
  return { [field]: { $in: [...uniqueValuesAt(document, field).values()] } };
}

async function* walk(
  actions: MongoActions,
  name: string,
  filter: ServerQuery,
  paths: readonly string[],
): AsyncIterable<JsonObject> {
  const fields = [...new Set(paths.map((path) => path.split(".")[0] ?? path))];
  let after: Json | undefined;
  for (;;) {
    const beyond = after === undefined ? filter : { $and: [filter, { _id: { $gt: after } }] };
    const page = await actions.find(name, { filter: beyond, sort: { _id: 1 }, limit: WALK_PAGE_DOCUMENTS, fields });
    yield* page;
    after = page.at(-1)?._id;
    if (page.length < WALK_PAGE_DOCUMENTS) return;
  }
}

/** The fields that writers without indexes have declared. */
export async function readDeclaredFields(actions: MongoActions, name: string): Promise<readonly string[]> {
  const [found] = await actions.find(UNIQUE_FIELDS_COLLECTION, { filter: { _id: name }, limit: 1 });
  const fields = found?.fields;
  return isJsonObject(fields) ? Object.values(fields).filter((field) => typeof field === "string") : [];
}

async function writeDeclaredFields(
  actions: MongoActions,
  name: string,
  fields: readonly string[],
  declared: boolean,
): Promise<void> {
  const entries = fields.map((field) => [`fields.${nameOf(field)}`, declared ? field : ""] as const);
  const update = { [declared ? "$set" : "$unset"]: Object.fromEntries(entries) };
  try {
    await actions.updateOne(UNIQUE_FIELDS_COLLECTION, { _id: name }, update, declared);
  } catch (error) {
    // Two first declarations at once: one inserted the document, the other now finds it.
    if (!(error instanceof DuplicateKeyFault)) throw error;
    await actions.updateOne(UNIQUE_FIELDS_COLLECTION, { _id: name }, update, declared);
  }
}

/** The path as the name of a field: no dot, no dollar, no other path's. */
function nameOf(path: string): string {
  return `f${encodeURIComponent(path).replaceAll(".", "%2E")}`;
}
