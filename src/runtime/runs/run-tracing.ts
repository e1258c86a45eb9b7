import type { RunTrace } from "../contract.ts";

/** A run's place in a distributed trace. */
export interface RunSpan {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits: the parent of what the run calls. */
  readonly spanId: string;
  /** The caller's span; null where there was none. */
  readonly parentSpanId: string | null;
  readonly sampled: boolean;
  /** What is passed on to what the run calls. */
  readonly traceparent: string;
}

/** Distributed tracing of runs. Costs little where nobody collects. */
export interface RunTracing {
  /** `traceparent` as the caller sent it: anything that is none counts as absent. */
  startRun(traceparent: string | null): RunSpan;
  /** Behind the answer; never fails, may lose spans under load. */
  exportRun(trace: RunTrace, span: RunSpan): void;
}
