import type { Clock } from "../../core/clock.ts";
import { unlessUnavailable } from "../../core/errors.ts";
import type { IdSource } from "../../core/ids.ts";
import type { Defer } from "../../core/logger.ts";
import { createRecent } from "../../core/recent.ts";
import type { Found } from "../chain/orchestrator.ts";
import { REMEMBER_BURST_PAGES, REMEMBER_LATELY_PAGES, REMEMBER_PAGES_PER_SECOND } from "../limits.ts";
import type { IndexWrite, SearchIndex } from "./search-index.ts";

/**
 * Puts what the web answered into the index that all share, so that it can answer when the web does not. After the
 * answers have left, one write at a time: what comes meanwhile goes with the next one. Indexing a page costs more than
 * fetching it, so pages that were put lately, and those above REMEMBER_PAGES_PER_SECOND, are left out.
 */
export function createRememberer(deps: {
  readonly index: SearchIndex;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly defer: Defer;
}): (found: Found) => void {
  const { index, ids, clock, defer } = deps;
  const lately = createRecent<true>(REMEMBER_LATELY_PAGES);
  let allowance = REMEMBER_BURST_PAGES;
  let allowedAt = clock.now();
  let waiting: IndexWrite[] = [];
  let writing = false;

  function mayWrite(url: string): boolean {
    if (allowance < 1 || lately.get(url)) return false;
    allowance--;
    lately.set(url, true);
    return true;
  }

  async function writeAll(): Promise<void> {
    writing = true;
    try {
      while (waiting.length > 0) {
        const writes = waiting;
        waiting = [];
        // Pages that are lost to the index come again with a later search.
        await unlessUnavailable(index.put({ kind: "public" }, writes), null);
      }
    } finally {
      writing = false;
    }
  }

  return function remember({ results }) {
    const now = clock.now();
    const earned = ((now - allowedAt) * REMEMBER_PAGES_PER_SECOND) / 1_000;
    allowance = Math.min(REMEMBER_BURST_PAGES, allowance + earned);
    allowedAt = now;
    for (const { url, title, content, publishedDate } of results) {
      if (!mayWrite(url)) continue;
      waiting.push({ id: null, newId: ids.next("page"), url, title, content, publishedDate });
    }
    if (!writing && waiting.length > 0) defer("search_index_results", writeAll());
  };
}
