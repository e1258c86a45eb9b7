import type { Clock } from "../../core/clock.ts";
import { StorageUnavailable } from "../../core/errors.ts";
import { INDEX_MAX_DOCUMENTS, PUBLIC_INDEX_MAX_ROWS } from "../limits.ts";
import type { SearchIndexObject } from "./index-object.ts";
import type { IndexBounds } from "./index-store.ts";
import type { IndexHit, IndexPartition, IndexWriteOutcome, SearchIndex } from "./search-index.ts";

/** The index in Durable Objects, one for each partition, so that owners neither meet nor wait for each other. */
export function createDurableSearchIndex(
  namespace: DurableObjectNamespace<SearchIndexObject>,
  clock: Clock,
): SearchIndex {
  // A stub belongs to the request that made it: one for each call.
  const open = (partition: IndexPartition) => namespace.getByName(objectName(partition));
  return {
    put: (partition, documents) =>
      answered<IndexWriteOutcome>(open(partition).put(documents, boundsOf(partition), clock.now())),
    remove: (partition, id) => answered<boolean>(open(partition).remove(id)),
    query: (partition, query) => answered<readonly IndexHit[]>(open(partition).query(query)),
  };
}

/** No owner is called like the public partition: theirs have a prefix. */
export function objectName(partition: IndexPartition): string {
  return partition.kind === "owner" ? `owner:${partition.ownerId}` : "public";
}

export function boundsOf(partition: IndexPartition): IndexBounds {
  return partition.kind === "owner"
    ? { maxDocuments: INDEX_MAX_DOCUMENTS, whenFull: "refuse" }
    : { maxDocuments: PUBLIC_INDEX_MAX_ROWS, whenFull: "forget_oldest" };
}

async function answered<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw new StorageUnavailable("the search index did not answer", { cause });
  }
}
