import { DurableObject } from "cloudflare:workers";
import { createMetricsLedger, type StoredLedger } from "./metrics-ledger.ts";
import { METRICS_WRITE_BEHIND_MS } from "./metrics-limits.ts";
import type { MetricsBatch, MetricsSnapshot } from "./metrics-sink.ts";

const LEDGER_KEY = "ledger";

/**
 * The metrics of all isolates. Written behind the answers, at most once in `METRICS_WRITE_BEHIND_MS`; but what is read is
 * stored first, so that no counter that somebody saw ever runs backwards.
 */
export class MetricsObject extends DurableObject {
  readonly #ledger = createMetricsLedger(this.ctx.storage.kv.get<StoredLedger>(LEDGER_KEY));
  #unsaved = false;
  #pause: ReturnType<typeof setTimeout> | undefined;

  async flush(batch: MetricsBatch): Promise<void> {
    if (!this.#ledger.apply(batch, Date.now())) return;
    this.#unsaved = true;
    if (this.#pause === undefined) this.#saveBehind();
  }

  async read(): Promise<MetricsSnapshot> {
    const snapshot = this.#ledger.snapshot(Date.now());
    if (this.#unsaved) this.#save();
    await this.ctx.storage.sync();
    return snapshot;
  }

  #save(): void {
    this.#unsaved = false;
    // Unconfirmed, so that no isolate waits for the disk. A write that fails resets the object: nobody is left to tell.
    this.ctx.storage.put(LEDGER_KEY, this.#ledger.stored(), { allowUnconfirmed: true }).catch(() => {});
  }

  #saveBehind(): void {
    this.#save();
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      if (this.#unsaved) this.#saveBehind();
    }, METRICS_WRITE_BEHIND_MS);
  }
}
