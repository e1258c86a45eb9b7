import { type Clock, sleep } from "../core/clock.ts";
import { waitAtMost } from "../core/deadline.ts";
import { StorageUnavailable } from "../core/errors.ts";
import type { Defer } from "../core/logger.ts";
import type { Metrics } from "../core/metrics.ts";
import { createOneAtATime } from "../core/one-at-a-time.ts";
import { createMetricsBuffer } from "./metrics-buffer.ts";
import { METRICS_FLUSH_GRACE_MS, METRICS_FLUSH_MS, METRICS_READ_TIMEOUT_MS } from "./metrics-limits.ts";
import { splitSeries } from "./metrics-series.ts";
import type { MetricsBatch, MetricsSink, MetricsSnapshot } from "./metrics-sink.ts";

export interface MetricsKit {
  readonly metrics: Metrics;
  /** To be called while a request runs: what was counted is handed on within seconds, behind the answers. */
  flushSoon(): void;
  /**
   * Everything counted so far, this isolate's own included.
   * @throws StorageUnavailable where the sink does not answer in time.
   */
  read(): Promise<MetricsSnapshot>;
}

/**
 * Counts in the isolate's memory and hands on to the sink. A batch is kept, unchanged, until the sink has confirmed it:
 * one that got lost comes again, and one whose confirmation got lost is known by its sequence and not counted twice.
 * `isolate` must be another for each isolate. With `flushEveryMs` 0 nothing waits, for tests.
 */
export function createMetrics(options: {
  readonly sink: MetricsSink;
  readonly clock: Clock;
  readonly defer: Defer;
  readonly isolate: string;
  readonly flushEveryMs?: number;
  readonly strict?: boolean;
}): MetricsKit {
  const { sink, clock, defer, isolate, flushEveryMs = METRICS_FLUSH_MS } = options;
  const buffer = createMetricsBuffer({ strict: options.strict ?? false });
  let sequence = 0;
  let unconfirmed: MetricsBatch | null = null;
  const beginFlush = createOneAtATime({ clock, defer }, "flush_metrics", flushEveryMs + METRICS_FLUSH_GRACE_MS);

  function nextBatch(): MetricsBatch | null {
    const contents = buffer.take();
    return contents === null ? null : { isolate, sequence: ++sequence, ...contents };
  }

  /** What came to nothing before goes first, alone. Several at once do no harm: a batch counts once. */
  async function flush(): Promise<void> {
    for (let left = unconfirmed === null ? 1 : 2; left > 0; left--) {
      const batch = unconfirmed ?? nextBatch();
      if (batch === null) return;
      unconfirmed = batch;
      await sink.flush(batch);
      if (unconfirmed === batch) unconfirmed = null;
    }
  }

  async function flushLater(): Promise<void> {
    if (flushEveryMs > 0) await sleep(clock, flushEveryMs);
    await flush();
  }

  return {
    metrics: buffer.metrics,
    flushSoon() {
      if (!buffer.hasNews() && unconfirmed === null) return;
      beginFlush(flushLater);
    },
    async read() {
      const reading = flush().then(() => sink.read());
      const outcome = await waitAtMost(clock, METRICS_READ_TIMEOUT_MS, reading);
      if (outcome !== null) return outcome.value;
      throw new StorageUnavailable("the metrics object does not answer in time");
    },
  };
}

/** A counter's values by the value of its one label. */
export function totalsByLabel(snapshot: MetricsSnapshot, metric: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    snapshot.counters.flatMap(({ series, value }) => {
      const { name, labels } = splitSeries(series);
      const label = /^\w+="([\w-]+)"$/.exec(labels)?.[1];
      return name === metric && label !== undefined ? [[label, value]] : [];
    }),
  );
}
