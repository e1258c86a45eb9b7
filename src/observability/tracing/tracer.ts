import { type Clock, sleep } from "../../core/clock.ts";
import { toError } from "../../core/errors.ts";
import type { Fetch } from "../../core/fetch.ts";
import type { RandomBytes } from "../../core/ids.ts";
import type { Defer, Logger } from "../../core/logger.ts";
import type { Metrics } from "../../core/metrics.ts";
import {
  boundTracestate,
  continueTrace,
  formatTraceparent,
  parseTraceparent,
  type TraceContext,
  type TraceHeaders,
} from "../../core/trace-context.ts";
import type { RunTrace } from "../../runtime/contract.ts";
import type { RunSpan, RunTracing } from "../../runtime/runs/run-tracing.ts";
import {
  EXPORT_BACKOFF_MS,
  EXPORT_BUDGET_MS,
  EXPORT_GRACE_MS,
  EXPORT_JITTER_SHARE,
  EXPORT_PAUSE_MAX_MS,
  EXPORT_PAUSE_MS,
  EXPORT_RETRY_MAX_MS,
  EXPORT_TIMEOUT_MS,
  SPANS_FLUSH_COUNT,
  SPANS_FLUSH_MS,
  SPANS_PER_REQUEST,
  SPANS_QUEUE_MAX,
} from "./limits.ts";
import { createOtlpExporter, type ExportOutcome } from "./otlp-exporter.ts";
import { type OtlpSpan, toSpans } from "./spans.ts";

/** Spans that were not exported, by `reason`. */
export const SPANS_DROPPED_METRIC = "orchestrix_spans_dropped_total";

export interface Tracer extends RunTracing {
  /**
   * The span of a run that begins: of the caller's trace where its headers name one, which also decides whether the run
   * is exported; otherwise of a new one, which is exported where there is a collector.
   */
  startRun(trace: TraceHeaders | null): RunSpan;
  /**
   * Takes a run that has ended; it is sent with others, behind answers. To be called while a request runs. Never throws
   * and never waits. A run that is not sampled, or still runs, is left alone.
   */
  exportRun(traceOf: () => RunTrace, span: RunSpan): void;
}

export interface TracerOptions {
  /** The collector's root, such as `http://localhost:4318`; undefined where there is none. */
  readonly endpoint: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly version: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly defer: Defer;
  readonly random: RandomBytes;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * Spans wait in the isolate's memory and go out after SPANS_FLUSH_MS, or as soon as there are SPANS_FLUSH_COUNT, one
 * request at a time. A collector that fails is left alone for a while. What does not fit, or came to nothing twice, is
 * dropped and counted; a run never notices.
 */
export function createTracer(options: TracerOptions): Tracer {
  const { endpoint, clock, defer, random, metrics, log } = options;
  const exportSpans = endpoint === undefined ? null : createOtlpExporter({ ...options, endpoint });
  let queue: OtlpSpan[] = [];
  /** Until then a flush is on its way; it may die with its request, so its end alone does not say so. */
  let scheduledUntil = 0;
  let sendingUntil = 0;
  let pausedUntil = 0;

  function drop(reason: string, count: number): void {
    if (count > 0) metrics.count(SPANS_DROPPED_METRIC, { reason }, count);
  }

  function note(outcome: ExportOutcome, count: number): void {
    if (outcome.kind === "sent") {
      drop("rejected", outcome.rejected);
      return;
    }
    const { reason, status, retryAfterMs } = outcome;
    drop(reason, count);
    const pauseMs = Math.min(Math.max(retryAfterMs ?? 0, EXPORT_PAUSE_MS), EXPORT_PAUSE_MAX_MS);
    pausedUntil = clock.now() + pauseMs;
    log.warn("spans_not_exported", { reason, status, count, pauseMs });
  }

  async function send(spans: readonly OtlpSpan[], deliver: NonNullable<typeof exportSpans>): Promise<void> {
    const outcome = await deliver(spans);
    if (outcome.kind === "sent" || !outcome.isPassing) return note(outcome, spans.length);
    const waitMs = outcome.retryAfterMs ?? EXPORT_BACKOFF_MS * (1 + EXPORT_JITTER_SHARE * share(random));
    if (waitMs > EXPORT_RETRY_MAX_MS) return note(outcome, spans.length);
    await sleep(clock, waitMs);
    note(await deliver(spans), spans.length);
  }

  /** All that waits, request after request; what is left when the time is over goes with the next run's. */
  async function flush(): Promise<void> {
    const startedAt = clock.now();
    if (exportSpans === null || startedAt < sendingUntil || startedAt < pausedUntil) return;
    sendingUntil = startedAt + EXPORT_BUDGET_MS + 2 * EXPORT_TIMEOUT_MS + EXPORT_RETRY_MAX_MS + EXPORT_GRACE_MS;
    try {
      while (queue.length > 0 && clock.now() < startedAt + EXPORT_BUDGET_MS && clock.now() >= pausedUntil) {
        const spans = queue.slice(0, SPANS_PER_REQUEST);
        queue = queue.slice(SPANS_PER_REQUEST);
        await send(spans, exportSpans);
      }
    } finally {
      sendingUntil = 0;
    }
  }

  async function flushLater(): Promise<void> {
    await sleep(clock, SPANS_FLUSH_MS);
    scheduledUntil = 0;
    await flush();
  }

  function flushSoon(): void {
    const now = clock.now();
    if (now < sendingUntil || now < pausedUntil) return;
    if (queue.length >= SPANS_FLUSH_COUNT) defer("export_spans", flush());
    else if (now >= scheduledUntil) {
      scheduledUntil = now + SPANS_FLUSH_MS + EXPORT_GRACE_MS;
      defer("export_spans", flushLater());
    }
  }

  return {
    startRun: (trace) => new LazySpan(trace, random, exportSpans !== null),
    exportRun(traceOf, span) {
      if (exportSpans === null || !span.sampled) return;
      const trace = traceOf();
      if (trace.outcome === "running") return;
      const count = trace.steps.length + 1;
      try {
        // Half a run tells nobody anything.
        if (queue.length + count > SPANS_QUEUE_MAX) drop("queue_full", count);
        else queue.push(...toSpans(trace, span, random));
        flushSoon();
      } catch (error) {
        drop("invalid", count);
        log.error("spans_not_made", { runId: trace.runId, error: toError(error) });
      }
    },
  };
}

class LazySpan implements RunSpan {
  readonly sampled: boolean;
  readonly #trace: TraceHeaders | null;
  readonly #parent: TraceContext | null;
  readonly #random: RandomBytes;
  #context: TraceContext | null = null;

  constructor(trace: TraceHeaders | null, random: RandomBytes, sampledAtRoot: boolean) {
    this.#trace = trace;
    this.#parent = parseTraceparent(trace?.traceparent);
    this.#random = random;
    this.sampled = this.#parent?.sampled ?? sampledAtRoot;
  }

  get traceId(): string {
    return this.#made().traceId;
  }

  get spanId(): string {
    return this.#made().spanId;
  }

  get parentSpanId(): string | null {
    return this.#parent?.spanId ?? null;
  }

  get traceparent(): string {
    return formatTraceparent(this.#made());
  }

  get tracestate(): string | null {
    return this.#parent === null ? null : boundTracestate(this.#trace?.tracestate);
  }

  #made(): TraceContext {
    this.#context ??= continueTrace(this.#parent, this.#random, this.sampled);
    return this.#context;
  }
}

/** 0 to 1. */
function share(random: RandomBytes): number {
  return (random(1)[0] ?? 0) / 255;
}
