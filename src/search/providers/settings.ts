import * as z from "zod";
import { type Clock, isoTime } from "../../core/clock.ts";
import { withoutUndefined } from "../../core/json.ts";
import { searchProviders } from "../../storage/documents/collections.ts";
import type { Documents, StoredDocument } from "../../storage/documents/documents.ts";
import { type CustomDefinition, customDefinition } from "./custom-definition.ts";
import { INDEX_PRIORITY, PRIORITY_MIN, PROVIDER_RECORDS_MAX } from "./provider-limits.ts";

/** What an operator has set. Undefined: the provider's default holds. */
export interface ProviderChange {
  readonly enabled?: boolean | undefined;
  readonly priority?: number | undefined;
}

/** A registered provider's own part of its record. */
export interface CustomRecord {
  /** Canonical text: what the headers are sealed for, so that they never go to another address. */
  readonly text: string;
  readonly definition: CustomDefinition;
  readonly headerNames: readonly string[];
  /** Null where it has no headers. */
  readonly sealedHeaders: string | null;
}

export interface ProviderRecord extends ProviderChange {
  readonly name: string;
  /** Null for a built-in one. */
  readonly custom: CustomRecord | null;
}

export interface ProviderRecords {
  readonly records: readonly ProviderRecord[];
  /** Names of records that no version of ours wrote: they count for nothing. */
  readonly unreadable: readonly string[];
}

/** The providers' records in the documents store. Every method throws `StorageUnavailable` where it does not answer. */
export interface ProviderSettings {
  read(): Promise<ProviderRecords>;
  setBuiltIn(name: string, change: ProviderChange): Promise<void>;
  /** False where no such provider is registered. */
  setCustom(name: string, change: ProviderChange): Promise<boolean>;
  /** False where the name is taken. */
  add(record: ProviderRecord & { readonly custom: CustomRecord }): Promise<boolean>;
  /** False where no such provider is registered. */
  remove(name: string): Promise<boolean>;
}

export function createProviderSettings(documents: Documents, clock: Clock): ProviderSettings {
  const collection = searchProviders();

  function updateOf({ enabled, priority }: ProviderChange) {
    return { $set: withoutUndefined({ enabled, priority, updatedAt: isoTime(clock.now()) }) };
  }

  return {
    async read() {
      const stored = await documents.find(collection, { filter: {}, limit: PROVIDER_RECORDS_MAX });
      const read = stored.map(readRecord);
      return {
        records: read.filter((record) => record !== null),
        unreadable: stored.filter((_, i) => read[i] === null).map(({ _id }) => _id),
      };
    },

    async setBuiltIn(name, change) {
      const write = () => documents.updateOne(collection, { _id: name }, updateOf(change), { upsert: true });
      const written = await write();
      // Another one made the record in the same moment: now there is one to change.
      if (!written.ok) await write();
    },

    async setCustom(name, change) {
      const written = await documents.updateOne(collection, { _id: name, custom: true }, updateOf(change));
      return written.ok && written.value.matchedCount > 0;
    },

    async add({ name, enabled, priority, custom }) {
      const now = isoTime(clock.now());
      const inserted = await documents.insertOne(collection, {
        _id: name,
        custom: true,
        ...withoutUndefined({ enabled, priority }),
        // As text: names in it are the author's, and a document takes no dots and dollars in its own.
        definition: custom.text,
        headerNames: custom.headerNames,
        sealedHeaders: custom.sealedHeaders,
        createdAt: now,
        updatedAt: now,
      });
      return inserted.ok;
    },

    async remove(name) {
      const { deletedCount } = await documents.deleteOne(collection, { _id: name, custom: true });
      return deletedCount > 0;
    },
  };
}

const settingsSchema = z.object({
  _id: z.string(),
  enabled: z.boolean().optional(),
  priority: z.int().min(PRIORITY_MIN).max(INDEX_PRIORITY).optional(),
  custom: z.boolean().optional(),
});

const customSchema = z.object({
  definition: z.string(),
  headerNames: z.array(z.string()),
  sealedHeaders: z.string().nullable(),
});

/** A definition is checked again as when it was taken on: what stands in the store may be another's writing. */
function readRecord(stored: StoredDocument): ProviderRecord | null {
  const settings = settingsSchema.safeParse(stored);
  if (!settings.success) return null;
  const { _id: name, enabled, priority, custom: isCustom } = settings.data;
  if (isCustom !== true) return { name, enabled, priority, custom: null };
  const own = customSchema.safeParse(stored);
  const definition = own.success ? parseDefinition(own.data.definition) : null;
  if (!own.success || definition === null) return null;
  const { definition: text, headerNames, sealedHeaders } = own.data;
  return { name, enabled, priority, custom: { text, definition, headerNames, sealedHeaders } };
}

function parseDefinition(text: string): CustomDefinition | null {
  try {
    const parsed = customDefinition.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
