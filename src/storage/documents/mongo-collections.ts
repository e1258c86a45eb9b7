import { sha256, toHex } from "../../core/crypto.ts";
import type { Collection } from "./documents.ts";

/**
 * The system collections, and which of their fields are unique beside `_id`. A collection that stands here is known
 * without asking the database; one that does not is looked up when it is first written to.
 */
const SYSTEM_UNIQUE_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["servers", ["serverId"]],
  ["server_owners", []],
  ["owners", []],
  ["server_places", []],
  ["removed_servers", []],
  ["execution_logs", []],
  ["agents", []],
  ["agent_bindings", []],
  ["agent_index", []],
  ["runs", []],
  ["run_sums", []],
  ["keys", []],
  ["server_versions", []],
  ["deployments", []],
  ["webhook_deliveries", []],
  ["idempotency_keys", []],
  ["job_states", []],
  ["search_providers", []],
]);

/** Collections in which other programs keep records too, whose `_id` may be an ObjectId. */
const SHARED_WITH_OTHERS: ReadonlySet<string> = new Set(["servers"]);

/** What the adapters keep for themselves: which fields are unique, who is writing which unique value, what was migrated. */
export const UNIQUE_FIELDS_COLLECTION = "orchestrix_unique_fields";
export const LOCKS_COLLECTION = "orchestrix_locks";
export const MIGRATIONS_COLLECTION = "orchestrix_migrations";

const OWNED_PREFIX = "data_";
const RESERVED_PREFIXES = [OWNED_PREFIX, "orchestrix_", "system."] as const;

/** Enough that no two names of any owners ever share a hash. */
const HASH_CHARS = 40;

/** For people who look at the database; the hash alone tells collections apart. */
const READABLE_CHARS = 40;

/** MongoDB takes 255 bytes for a database's name, a dot and a collection's; databases take up to 64 of them. */
const NAME_MAX_BYTES = 190;

/**
 * The name of a collection in the database. A system one keeps its own; an owned one is `data_<hash>_<its name>`, the
 * hash made of owner and name.
 * @throws TypeError for a name that no database takes, or that is kept for other uses.
 */
export async function mongoNameOf(collection: Collection): Promise<string> {
  if (collection.kind === "owned") {
    const { ownerId, name } = collection;
    if (!ownerId.isWellFormed() || !name.isWellFormed()) throw new TypeError("collection: not valid Unicode");
    const hash = toHex(await sha256(JSON.stringify([ownerId, name]))).slice(0, HASH_CHARS);
    return `${OWNED_PREFIX}${hash}_${name.replaceAll(/[^A-Za-z0-9-]+/g, "_").slice(0, READABLE_CHARS)}`;
  }
  const { name } = collection;
  const bytes = new TextEncoder().encode(name).length;
  if (name === "" || /[$\0]/.test(name) || !name.isWellFormed() || bytes > NAME_MAX_BYTES) {
    throw new TypeError("collection: not a name that a database takes");
  }
  if (RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix))) throw new TypeError("collection: a reserved name");
  return name;
}

/** The unique fields of a system collection; null for every other one, whose fields the database knows. */
export function systemUniqueFields(mongoName: string): readonly string[] | null {
  return SYSTEM_UNIQUE_FIELDS.get(mongoName) ?? null;
}

export function holdsForeignIds(mongoName: string): boolean {
  return SHARED_WITH_OTHERS.has(mongoName);
}
