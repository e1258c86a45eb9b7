import type { Db } from "mongodb";
import type { Clock } from "../../core/clock.ts";
import { UNIQUE_FIELDS_CACHE_MAX, UNIQUE_FIELDS_CACHE_MS } from "./limits.ts";
import { DuplicateKeyFault, type MongoActions } from "./mongo-actions.ts";
import { systemUniqueFields } from "./mongo-collections.ts";
import { readDeclaredFields } from "./unique-guards.ts";
import type { Uniqueness } from "./uniqueness.ts";

/**
 * Uniqueness by the database's own unique indexes, which hold for every writer, whatever program it is. Fields that
 * Workers without indexes have declared get theirs when their collection is first written to, and so on every
 * UNIQUE_FIELDS_CACHE_MS; where documents share a value by then, that field stays without one.
 */
export function createUniqueIndexes(deps: {
  readonly actions: MongoActions;
  readonly run: <T>(work: (db: Db) => Promise<T>) => Promise<T>;
  readonly clock: Clock;
}): Uniqueness {
  const { actions, run, clock } = deps;
  const made = new Set<string>();
  const adoptedUntil = new Map<string, number>();

  /** False where documents share a value. */
  async function makeIndex(name: string, field: string): Promise<boolean> {
    try {
      await run((db) => db.collection(name).createIndex({ [field]: 1 }, { unique: true }));
    } catch (error) {
      if (error instanceof DuplicateKeyFault) return false;
      throw error;
    }
    if (made.size >= UNIQUE_FIELDS_CACHE_MAX) made.clear();
    made.add(keyOf(name, field));
    return true;
  }

  async function adopt(name: string): Promise<void> {
    if (systemUniqueFields(name) !== null || (adoptedUntil.get(name) ?? 0) > clock.now()) return;
    const declared = await readDeclaredFields(actions, name);
    await Promise.all(declared.filter((field) => !made.has(keyOf(name, field))).map((field) => makeIndex(name, field)));
    if (adoptedUntil.size >= UNIQUE_FIELDS_CACHE_MAX) adoptedUntil.clear();
    adoptedUntil.set(name, clock.now() + UNIQUE_FIELDS_CACHE_MS);
  }

  return {
    async fields(name) {
      await adopt(name);
      const indexes = await run((db) => db.collection(name).listIndexes().toArray().catch(noneOfNothing));
      return indexes.flatMap(({ key, unique }) => {
        const [field, ...more] = Object.keys(key);
        return unique === true && field !== undefined && field !== "_id" && more.length === 0 ? [field] : [];
      });
    },

    async guardedFields(name) {
      await adopt(name);
      return [];
    },

    async declare(name, fields) {
      const known = systemUniqueFields(name) ?? [];
      const added = [...new Set(fields)].filter((field) => !known.includes(field) && !made.has(keyOf(name, field)));
      const isMade = await Promise.all(added.map((field) => makeIndex(name, field)));
      const shared = added.filter((_, i) => !isMade[i]);
      if (shared.length === 0) return [];
      for (const field of added.filter((_, i) => isMade[i])) {
        made.delete(keyOf(name, field));
        await run((db) => db.collection(name).dropIndex(`${field}_1`));
      }
      return shared;
    },

    guard: (_name, _fields, _document, write) => write(),
  };
}

/** A collection that nothing was stored in yet does not exist. */
function noneOfNothing(error: unknown): { readonly key: object; readonly unique?: boolean }[] {
  if ((error as { code?: unknown }).code === NAMESPACE_NOT_FOUND) return [];
  throw error;
}

const NAMESPACE_NOT_FOUND = 26;

function keyOf(name: string, field: string): string {
  return JSON.stringify([name, field]);
}
