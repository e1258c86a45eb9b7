import type { Collection, Document, Documents, Filter } from "../../../src/storage/documents/documents.ts";

export type MakeDocuments = () => Documents | Promise<Documents>;

/** What a server cannot do that the port promises: the suite leaves it out there, and says so in its tests' names. */
export interface ServerLacks {
  /** It refuses a list within a list. */
  readonly nestedLists?: boolean;
  /** It counts a replacement by the same as a change. */
  readonly sameReplacement?: boolean;
  /** It cannot search for fields with a quote or a backslash in their names. */
  readonly quotedNames?: boolean;
}

/** A collection that no other test has, so that suites may share one store. */
export function freshCollection(): Collection {
  const unique = crypto.randomUUID();
  return { kind: "owned", name: `things-${unique}`, ownerId: `owner-${unique}` };
}

export async function insertAll(documents: Documents, collection: Collection, all: readonly Document[]): Promise<void> {
  for (const document of all) {
    const inserted = await documents.insertOne(collection, document);
    if (!inserted.ok) throw new Error(`not inserted: ${inserted.error.fields.join(", ")}`);
  }
}

export async function idsOf(documents: Documents, collection: Collection, filter: Filter): Promise<string[]> {
  const found = await documents.find(collection, { filter, limit: 100 });
  return found.map((document) => document._id);
}
