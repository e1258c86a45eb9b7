/** Which documents a question or a write is about: an owner's own, or what earlier searches brought. */
export type IndexPartition = { readonly kind: "owner"; readonly ownerId: string } | { readonly kind: "public" };

/** Checked and cleaned before it comes here. */
export interface IndexDocument {
  readonly id: string;
  readonly url: string;
  readonly title: string;
  readonly content: string;
  readonly publishedDate: string | null;
}

/** `id` null: the one of the document with the same URL identity, or `newId` where there is none. */
export interface IndexWrite extends Omit<IndexDocument, "id"> {
  readonly id: string | null;
  readonly newId: string;
}

export interface IndexQuery {
  /** As typed; whatever it holds is data. */
  readonly text: string;
  /** Lower case; a domain stands for its subdomains too. An empty list includes every host. */
  readonly includeDomains: readonly string[];
  readonly excludeDomains: readonly string[];
  readonly limit: number;
}

/** A document found, best first in its list. `content` is the piece of it that matched. */
export type IndexHit = IndexDocument;

export type IndexWriteOutcome =
  | { readonly ok: true; readonly ids: readonly string[] }
  /** Nothing was stored: the partition would hold more documents than this. */
  | { readonly ok: false; readonly limit: number };

/** The embedded full-text index. Every method throws `StorageUnavailable` when it does not answer. */
export interface SearchIndex {
  /**
   * Stores all of the documents or none. One with a known id, or a known URL identity, replaces what it was; ids come
   * back in the order of the documents. A full owner partition refuses, the public one forgets its oldest.
   */
  put(partition: IndexPartition, documents: readonly IndexWrite[]): Promise<IndexWriteOutcome>;
  /** False where there was none. The very next query no longer finds it. */
  remove(partition: IndexPartition, id: string): Promise<boolean>;
  query(partition: IndexPartition, query: IndexQuery): Promise<readonly IndexHit[]>;
}
