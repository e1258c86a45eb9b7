import { StorageUnavailable } from "../../core/errors.ts";
import type { IndexHit, IndexPartition, SearchIndex } from "../index/search-index.ts";
import type { RawResult } from "../quality/results.ts";
import type { SearchProvider } from "./provider.ts";
import { failed } from "./upstream.ts";

export const INDEX_PROVIDER = "index";

/**
 * The embedded index as the last of the providers: always there, and a makeshift for the web. It knows hosts, but not
 * when or where a page was written: topic, time range, country and language mean nothing to it.
 */
export function createIndexProvider(index: SearchIndex): SearchProvider {
  return {
    name: INDEX_PROVIDER,
    configured: true,
    degraded: true,
    personal: true,
    async search(request, { ownerId }) {
      const { query: text, includeDomains, excludeDomains, maxResults: limit } = request;
      const ask = (partition: IndexPartition) =>
        index.query(partition, { text, includeDomains, excludeDomains, limit });
      try {
        const lists = await Promise.all([
          ownerId === null ? [] : ask({ kind: "owner", ownerId }),
          ask({ kind: "public" }),
        ]);
        return { ok: true, httpStatus: null, results: interleave(lists).map(toRawResult), answer: null };
      } catch (error) {
        if (error instanceof StorageUnavailable) return failed("server_error", null);
        throw error;
      }
    },
  };
}

/** The best of each list, then the second best of each: scores of different indexes do not compare. */
function interleave<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, rank) => lists.flatMap((list) => list.slice(rank, rank + 1))).flat();
}

function toRawResult({ title, url, content, publishedDate }: IndexHit): RawResult {
  return { title, url, content, publishedDate, score: null, rawContent: null };
}
