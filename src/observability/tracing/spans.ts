import type { RandomBytes } from "../../core/ids.ts";
import { newSpanIds } from "../../core/trace-context.ts";
import type { RunTrace, StepTrace } from "../../runtime/contract.ts";
import type { RunSpan } from "../../runtime/runs/run-tracing.ts";
import { ATTRIBUTE_MAX_CHARS } from "./limits.ts";

type AttributeValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  /** 64 bits, which JSON carries as text. */
  | { readonly intValue: string };

interface Attribute {
  readonly key: string;
  readonly value: AttributeValue;
}

/** A span as OTLP/JSON writes it: ids in hex, enums as numbers, 64-bit integers as text. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  /** The trace flags of W3C Trace Context. */
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number; readonly message?: string };
}

const SPAN_KIND_INTERNAL = 1;
const SPAN_KIND_SERVER = 2;
const STATUS_OK = 1;
const STATUS_ERROR = 2;
const FLAG_SAMPLED = 1;

/** A run and its steps; what steps took in and gave out is not in them. */
export function toSpans(trace: RunTrace, span: RunSpan, random: RandomBytes): readonly OtlpSpan[] {
  const { traceId, spanId } = span;
  const stepIds = newSpanIds(trace.steps.length, random);
  const steps = trace.steps.map((step, i) => ({
    traceId,
    spanId: stepIds[i] ?? "",
    parentSpanId: spanId,
    ...toStepSpan(step),
  }));
  return [toRootSpan(trace, span), ...steps];
}

function toRootSpan(trace: RunTrace, span: RunSpan): OtlpSpan {
  const { traceId, spanId, parentSpanId, tracestate } = span;
  const { outcome, error } = trace;
  return {
    traceId,
    spanId,
    ...(parentSpanId === null ? {} : { parentSpanId }),
    ...(tracestate === null ? {} : { traceState: tracestate }),
    flags: FLAG_SAMPLED,
    name: `run ${trace.serverId}`,
    kind: SPAN_KIND_SERVER,
    ...timesOf(trace),
    attributes: attributesOf({
      "orchestrix.run.id": trace.runId,
      "orchestrix.agent.id": trace.agentId,
      "orchestrix.server.id": trace.serverId,
      "orchestrix.server.version": trace.version,
      "orchestrix.request.id": trace.requestId,
      "orchestrix.run.trigger": trace.trigger,
      "orchestrix.run.dry_run": trace.dryRun,
      "orchestrix.run.outcome": outcome,
      "http.response.status_code": trace.status,
    }),
    status: outcome === "ok" ? { code: STATUS_OK } : errorStatus(error),
  };
}

function toStepSpan(step: StepTrace) {
  const { name, toolId, status, error } = step;
  return {
    flags: FLAG_SAMPLED,
    name: `${name} ${toolId}`,
    kind: SPAN_KIND_INTERNAL,
    ...timesOf(step),
    attributes: attributesOf({
      "orchestrix.step.id": toolId,
      "orchestrix.step.tool": name,
      "orchestrix.step.status": status,
      "orchestrix.step.attempts": step.attempts,
      "orchestrix.step.output_bytes": step.outputBytes,
      "orchestrix.step.rule": step.rule,
    }),
    status: stepStatus(status, error),
  };
}

function stepStatus(status: StepTrace["status"], error: string | null): OtlpSpan["status"] {
  if (status === "ok") return { code: STATUS_OK };
  return status === "skipped" || status === "cancelled" ? {} : errorStatus(error);
}

function errorStatus(error: string | null): OtlpSpan["status"] {
  return { code: STATUS_ERROR, ...(error === null ? {} : { message: bound(error) }) };
}

const NANOS_PER_MS = 1_000_000;

/** @throws RangeError where the times are none. */
function timesOf({ startedAt, durationMs }: { readonly startedAt: string; readonly durationMs: number }) {
  const start = BigInt(Date.parse(startedAt)) * BigInt(NANOS_PER_MS);
  // A clock that was put back must not end a span before its start.
  const end = start + BigInt(Math.round(Math.max(0, durationMs) * NANOS_PER_MS));
  return { startTimeUnixNano: String(start), endTimeUnixNano: String(end) };
}

export function attributesOf(values: Readonly<Record<string, string | number | boolean | null>>): readonly Attribute[] {
  return Object.entries(values).flatMap(([key, value]) => (value === null ? [] : [{ key, value: toValue(value) }]));
}

function toValue(value: string | number | boolean): AttributeValue {
  if (typeof value === "boolean") return { boolValue: value };
  return typeof value === "number" ? { intValue: String(Math.trunc(value)) } : { stringValue: bound(value) };
}

function bound(text: string): string {
  return text.slice(0, ATTRIBUTE_MAX_CHARS).toWellFormed();
}
