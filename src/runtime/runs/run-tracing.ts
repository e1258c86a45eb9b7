import type { TraceHeaders } from "../../core/trace-context.ts";
import type { RunTrace } from "../contract.ts";

/** A run's place in a distributed trace. Ids are made when somebody reads them: of most runs nobody does. */
export interface RunSpan extends TraceHeaders {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits: the parent of what the run calls. */
  readonly spanId: string;
  /** The caller's span; null where there was none. */
  readonly parentSpanId: string | null;
  readonly sampled: boolean;
  /** Both are what is passed on to what the run calls. The state is the caller's, bounded; null where it sent none. */
  readonly traceparent: string;
  readonly tracestate: string | null;
}

/** Distributed tracing of runs. Costs little where nobody collects. */
export interface RunTracing {
  /** `trace` as the caller sent it: anything that is none counts as absent. */
  startRun(trace: TraceHeaders | null): RunSpan;
  /** Behind the answer; never fails, may lose spans under load. */
  exportRun(trace: () => RunTrace, span: RunSpan): void;
}
