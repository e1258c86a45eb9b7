import { DurableObject } from "cloudflare:workers";
import type { Filter, SharedValues, UpdateCounts } from "./documents.ts";
import {
  type Change,
  createDocumentStore,
  type DocumentStore,
  type Removal,
  type Reply,
  type Wanted,
} from "./embedded-store.ts";
import { loadFilterCompiler } from "./matcher.ts";
import { planFilter } from "./plan.ts";
import { createWork } from "./work.ts";

/**
 * Holds one partition of the documents. Its callers have checked what they send; filters, updates and documents cross
 * as JSON text, which is cheaper to copy than objects and holds nothing but data. `maxSteps` bounds an operation's work.
 */
export class DocumentsObject extends DurableObject {
  #compile: Awaited<ReturnType<typeof loadFilterCompiler>> | undefined;
  readonly #store: DocumentStore = createDocumentStore(this.ctx.storage, (filter, work) => {
    if (this.#compile === undefined) throw new Error("the filter compiler is not loaded");
    return this.#compile(filter, work);
  });

  async ping(): Promise<void> {}

  async insert(
    collection: string,
    body: string,
    unique: readonly string[],
    maxSteps: number,
  ): Promise<Reply<null> | SharedValues> {
    return this.#store.insert(collection, body, unique, createWork(maxSteps));
  }

  async findOne(collection: string, filterText: string, maxSteps: number): Promise<Reply<string | null>> {
    const filter = await this.#prepare(filterText);
    return this.#store.findOne(collection, filter, createWork(maxSteps));
  }

  async find(collection: string, filterText: string, wanted: Wanted, maxSteps: number): Promise<Reply<string[]>> {
    const filter = await this.#prepare(filterText);
    return this.#store.find(collection, filter, wanted, createWork(maxSteps));
  }

  async change(
    collection: string,
    filterText: string,
    changeText: string,
    upsertId: string | null,
    maxSteps: number,
  ): Promise<Reply<UpdateCounts>> {
    const filter = await this.#prepare(filterText);
    const change = JSON.parse(changeText) as Change;
    if (change.kind === "update" && "$pull" in change.update) this.#compile = await loadFilterCompiler();
    return this.#store.change(collection, filter, change, upsertId, createWork(maxSteps));
  }

  async remove(collection: string, filterText: string, many: boolean, maxSteps: number): Promise<Reply<Removal>> {
    const filter = await this.#prepare(filterText);
    return this.#store.remove(collection, filter, many, createWork(maxSteps));
  }

  async uniqueFields(collection: string): Promise<string[]> {
    return [...this.#store.uniqueFields(collection)];
  }

  /** Everything that may wait happens here: the operation itself then runs in one go. */
  async #prepare(filterText: string): Promise<Filter> {
    const filter = JSON.parse(filterText) as Filter;
    if (this.#compile === undefined && !planFilter(filter, "", []).exact) this.#compile = await loadFilterCompiler();
    return filter;
  }
}
