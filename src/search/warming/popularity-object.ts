import { DurableObject } from "cloudflare:workers";
import { systemRandom } from "../../core/ids.ts";
import { createPopularityBook, type PopularRow } from "./popularity-book.ts";
import type { PopularityBatch, PopularityStats } from "./popularity-store.ts";

/** The counts of all isolates in one SQLite. Time is this object's own; an alarm forgets what nobody adds to any more. */
export class PopularityObject extends DurableObject {
  readonly #book = createPopularityBook({
    sql: {
      run: (statement, ...values) => this.ctx.storage.sql.exec(statement, ...values).toArray(),
      transaction: (work) => this.ctx.storage.transactionSync(work),
    },
    clock: { now: () => Date.now() },
    random: systemRandom,
  });
  #alarmAtMs: number | null = null;

  async add(batch: PopularityBatch): Promise<void> {
    await this.#book.add(batch);
    await this.#cleanUpAt(this.#book.saltEndsAt());
  }

  async top(limit: number): Promise<PopularRow[]> {
    return this.#book.top(limit);
  }

  async describe(): Promise<PopularityStats> {
    return this.#book.describe();
  }

  override async alarm(): Promise<void> {
    this.#alarmAtMs = null;
    await this.#cleanUpAt(this.#book.cleanUp());
  }

  async #cleanUpAt(atMs: number | null): Promise<void> {
    if (atMs === null || atMs === this.#alarmAtMs) return;
    await this.ctx.storage.setAlarm(atMs);
    this.#alarmAtMs = atMs;
  }
}
