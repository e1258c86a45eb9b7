import { DurableObject } from "cloudflare:workers";
import { createIndexStore, type IndexBounds } from "./index-store.ts";
import type { IndexHit, IndexQuery, IndexWrite, IndexWriteOutcome } from "./search-index.ts";

/** One partition of the full-text index in its own SQLite: an owner's documents, or what earlier searches brought. */
export class SearchIndexObject extends DurableObject {
  readonly #store = createIndexStore({
    run: (statement, ...values) => this.ctx.storage.sql.exec(statement, ...values).toArray(),
    transaction: (work) => this.ctx.storage.transactionSync(work),
  });

  async put(documents: readonly IndexWrite[], bounds: IndexBounds, nowMs: number): Promise<IndexWriteOutcome> {
    return this.#store.put(documents, bounds, nowMs);
  }

  async remove(id: string): Promise<boolean> {
    return this.#store.remove(id);
  }

  async query(query: IndexQuery): Promise<IndexHit[]> {
    return this.#store.query(query);
  }
}
