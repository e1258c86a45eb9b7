import { StorageUnavailable } from "../../core/errors.ts";
import { searchRequest } from "../contract.ts";
import type { PopularRow } from "./popularity-book.ts";
import type { PopularityObject } from "./popularity-object.ts";
import type { PopularityStats, PopularityStore, PopularQuery } from "./popularity-store.ts";

/** One for all: what three callers asked is to be seen wherever they are. */
const OBJECT_NAME = "popular";

/** The counts in a Durable Object. `objectName` is another's only where several must not meet. */
export function createDurablePopularityStore(
  namespace: DurableObjectNamespace<PopularityObject>,
  objectName = OBJECT_NAME,
): PopularityStore {
  // A stub belongs to the request that made it: one for each call.
  const open = () => namespace.getByName(objectName);
  return {
    add: (batch) => answered<void>(() => open().add(batch)),
    async top(limit) {
      const rows = await answered<readonly PopularRow[]>(() => open().top(limit));
      return rows.flatMap((row) => readRow(row) ?? []);
    },
    describe: () => answered<PopularityStats>(() => open().describe()),
  };
}

/** Null where another version of this Worker wrote what this one does not understand. */
export function readRow({ key, request, score }: PopularRow): PopularQuery | null {
  const parsed = searchRequest.safeParse(JSON.parse(request));
  return parsed.success ? { key, request: parsed.data, score } : null;
}

async function answered<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw new StorageUnavailable("the counts of popular queries did not answer", { cause });
  }
}
