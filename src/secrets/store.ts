import * as z from "zod";
import { type Clock, isoTime } from "../core/clock.ts";
import type { RandomBytes } from "../core/ids.ts";
import { secrets } from "../storage/documents/collections.ts";
import type { Documents, StoredDocument } from "../storage/documents/documents.ts";
import { type SecretRecord, secretRecord } from "./contract.ts";
import { PUT_MAX_ATTEMPTS, SECRET_ROWS_AT_ONCE } from "./limits.ts";
import { chooseSlot, slotOf, slotText } from "./slots.ts";
import type { SealedSecret, SecretKey } from "./vault.ts";

/** What a put came to. `contended`: others were faster, time after time; nothing was written. */
export type PutOutcome =
  | { readonly kind: "created" | "replaced"; readonly record: SecretRecord }
  | { readonly kind: "quota_reached" }
  | { readonly kind: "contended" };

/** A row as a list meets it; null where no version of ours wrote what stands there. */
export interface ListedSecret {
  readonly name: string;
  readonly record: SecretRecord | null;
}

/** The rows of secrets. Every method throws `StorageUnavailable` where the store does not answer. */
export interface SecretStore {
  /**
   * Of several puts at once the last one stands, whole. A new name takes one of the owner's slots, which no two rows
   * share: however many are created at once, there are never more than `quota`, and none is taken back.
   */
  put(key: SecretKey, sealed: SealedSecret): Promise<PutOutcome>;
  find(key: SecretKey): Promise<SecretRecord | null>;
  /** In order of the names, those after `after`. Reads on as the caller does. */
  walk(ownerId: string, after?: string): AsyncIterable<ListedSecret>;
  /** False where there was none. */
  remove(key: SecretKey): Promise<boolean>;
  /** By name; one query. A row that no version of ours wrote is null. */
  readSealed(ownerId: string, names: readonly string[]): Promise<ReadonlyMap<string, SealedSecret | null>>;
}

export function createSecretStore(deps: {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Secrets that one owner may have. */
  readonly quota: number;
}): SecretStore {
  const { documents, clock, random, quota } = deps;

  async function* walkRows(ownerId: string, after = ""): AsyncGenerator<StoredDocument> {
    const prefix = idOf({ ownerId, name: "" });
    for (let from = `${prefix}${after}`; ; ) {
      const filter = { _id: { $gt: from, $lt: endOf(prefix) } };
      const rows = await documents.find(secrets(ownerId), { filter, limit: SECRET_ROWS_AT_ONCE });
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined || rows.length < SECRET_ROWS_AT_ONCE) return;
      from = last._id;
    }
  }

  /** Replaces the value of a row that is there. Null where there is none, or none that is sound. */
  async function replace(key: SecretKey, { sealed, keyId }: SealedSecret): Promise<SecretRecord | null> {
    const _id = idOf(key);
    const set = { sealed, keyId, updatedAt: isoTime(clock.now()) };
    const update = { $set: set, $inc: { version: 1 } };
    const written = await documents.updateOne(secrets(key.ownerId), { _id, version: { $gte: 1 } }, update);
    if (!written.ok || written.value.matchedCount === 0) return null;
    const row = await documents.findOne(secrets(key.ownerId), { _id });
    return row === null ? null : readRecord(row);
  }

  /** Creates the row, or makes room for it. Null where the put has to start again. */
  async function create(key: SecretKey, { sealed, keyId }: SealedSecret): Promise<PutOutcome | null> {
    const { ownerId, name } = key;
    const _id = idOf(key);
    const slots: (number | null)[] = [];
    let own: StoredDocument | undefined;
    for await (const row of walkRows(ownerId)) {
      slots.push(slotOf(row.slot));
      if (row._id === _id) own = row;
    }
    if (own !== undefined) {
      if (readRecord(own) === null) await removeDamaged(ownerId, own);
      return null;
    }
    const slot = chooseSlot(slots, quota, random);
    if (slot === null) return { kind: "quota_reached" };
    const now = isoTime(clock.now());
    const record = { name, version: 1, createdAt: now, updatedAt: now };
    const row = { _id, ownerId, slot: slotText(slot, ownerId), ...record, sealed, keyId };
    const inserted = await documents.insertOne(secrets(ownerId), row, { unique: ["slot"] });
    return inserted.ok ? { kind: "created", record } : null;
  }

  /** Unless it was written to since it was read: what is sealed differs every time. */
  async function removeDamaged(ownerId: string, { _id, sealed = null }: StoredDocument): Promise<void> {
    await documents.deleteOne(secrets(ownerId), { _id, sealed: { $eq: sealed } });
  }

  return {
    async put(key, sealed) {
      for (let attempt = 0; attempt < PUT_MAX_ATTEMPTS; attempt++) {
        const replaced = await replace(key, sealed);
        if (replaced !== null) return { kind: "replaced", record: replaced };
        const created = await create(key, sealed);
        if (created !== null) return created;
      }
      return { kind: "contended" };
    },

    async find(key) {
      const row = await documents.findOne(secrets(key.ownerId), { _id: idOf(key) });
      return row === null ? null : readRecord(row);
    },

    async *walk(ownerId, after) {
      for await (const row of walkRows(ownerId, after)) {
        yield { name: nameOf(row._id), record: readRecord(row) };
      }
    },

    async remove(key) {
      const { deletedCount } = await documents.deleteOne(secrets(key.ownerId), { _id: idOf(key) });
      return deletedCount > 0;
    },

    async readSealed(ownerId, names) {
      const ids = names.map((name) => idOf({ ownerId, name }));
      const rows = await documents.find(secrets(ownerId), { filter: { _id: { $in: ids } }, limit: ids.length });
      return new Map(rows.map((row) => [nameOf(row._id), readSealedRow(row)]));
    },
  };
}

const SEPARATOR = ":";
/** The character after the separator: what begins with a prefix sorts before the prefix that ends in this one. */
const AFTER_SEPARATOR = ";";

/** The owner is encoded, so that it holds no separator: an owner's rows are one range, and nobody else's are in it. */
function idOf({ ownerId, name }: SecretKey): string {
  return `${encodeURIComponent(ownerId)}${SEPARATOR}${name}`;
}

function endOf(prefix: string): string {
  return `${prefix.slice(0, -SEPARATOR.length)}${AFTER_SEPARATOR}`;
}

function nameOf(id: string): string {
  return id.slice(id.indexOf(SEPARATOR) + 1);
}

function readRecord(row: StoredDocument): SecretRecord | null {
  const parsed = secretRecord.safeParse({ ...row, name: nameOf(row._id) });
  return parsed.success ? parsed.data : null;
}

const sealedRow = z.object({ sealed: z.string(), keyId: z.string() });

function readSealedRow(row: StoredDocument): SealedSecret | null {
  const parsed = sealedRow.safeParse(row);
  return parsed.success ? parsed.data : null;
}
