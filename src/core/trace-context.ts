import { toHex } from "./crypto.ts";
import type { RandomBytes } from "./ids.ts";

/** One place in a trace, as W3C Trace Context names it: 32 and 16 hex digits in lower case, neither all zeros. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  /** Whether whoever is before it may have recorded it, and whoever is behind it should. */
  readonly sampled: boolean;
}

/** One place in a trace as headers write it. Those of a caller are as they came: whoever passes them on judges them. */
export interface TraceHeaders {
  readonly traceparent: string;
  readonly tracestate: string | null;
}

/** `00-<32>-<16>-<2>`: the whole of version 00, and what every later version begins with. */
const VERSION_00_CHARS = 55;
/** A later version may have more fields; this many characters are no header of a tracing system any more. */
const TRACEPARENT_MAX_CHARS = 512;
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?=-|$)/;
const FLAG_SAMPLED = 1;

/** Null where the header is absent or wrong, which is the same to a receiver: it begins a trace of its own. */
export function parseTraceparent(header: string | null | undefined): TraceContext | null {
  if (header === null || header === undefined || header.length > TRACEPARENT_MAX_CHARS) return null;
  const [whole, traceId, spanId, flags] = TRACEPARENT.exec(header) ?? [];
  if (whole === undefined || traceId === undefined || spanId === undefined || flags === undefined) return null;
  if (header.startsWith("00") && header.length !== VERSION_00_CHARS) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & FLAG_SAMPLED) === FLAG_SAMPLED };
}

/** In version 00, the one that every receiver knows. Flags that it does not define are not passed on. */
export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/** A new trace where there is no parent, and the decision about it; otherwise the next span of the parent's. */
export function continueTrace(parent: TraceContext | null, random: RandomBytes, sampledAtRoot: boolean): TraceContext {
  if (parent === null) {
    const bytes = random(TRACE_ID_BYTES + SPAN_ID_BYTES);
    const traceId = toHex(notAllZero(bytes.subarray(0, TRACE_ID_BYTES)));
    return { traceId, spanId: toHex(notAllZero(bytes.subarray(TRACE_ID_BYTES))), sampled: sampledAtRoot };
  }
  const [spanId = ""] = newSpanIds(1, random);
  return { traceId: parent.traceId, spanId, sampled: parent.sampled };
}

/** A `traceparent` for a request made on behalf of this one; null where it is wrong. */
export function childTraceparent(traceparent: string, random: RandomBytes): string | null {
  const parent = parseTraceparent(traceparent);
  return parent === null ? null : formatTraceparent(continueTrace(parent, random, parent.sampled));
}

export function newSpanIds(count: number, random: RandomBytes): readonly string[] {
  const bytes = random(count * SPAN_ID_BYTES);
  return Array.from({ length: count }, (_, i) =>
    toHex(notAllZero(bytes.subarray(i * SPAN_ID_BYTES, (i + 1) * SPAN_ID_BYTES))),
  );
}

function notAllZero(bytes: Uint8Array): Uint8Array {
  if (bytes.every((byte) => byte === 0)) bytes[bytes.length - 1] = 1;
  return bytes;
}

/** The specification: at least this many have to be passed on. */
const TRACESTATE_MAX_CHARS = 512;
const TRACESTATE_MAX_MEMBERS = 32;
/** The specification: where something has to go, members longer than this go first. */
const TRACESTATE_LONG_MEMBER_CHARS = 128;
/** What a server takes of one header at most; not worth a look above that. */
const TRACESTATE_READ_MAX_CHARS = 8_192;
const TRACESTATE_MEMBER =
  /^[a-z0-9][a-z0-9_*/@-]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * A `tracestate` as it may be passed on, beside a `traceparent` that was right; null where there is nothing to pass on.
 * One that is wrong anywhere is dropped whole, one that is too long loses members.
 */
export function boundTracestate(header: string | null | undefined): string | null {
  if (header === null || header === undefined || header.length > TRACESTATE_READ_MAX_CHARS) return null;
  const members = header
    .split(",")
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((member) => member !== "");
  if (members.length === 0 || members.length > TRACESTATE_MAX_MEMBERS) return null;
  if (!members.every((member) => TRACESTATE_MEMBER.test(member))) return null;
  return dropSurplus(members).join(",") || null;
}

function dropSurplus(members: readonly string[]): readonly string[] {
  let left = members.reduce((sum, { length }) => sum + length + 1, -1) - TRACESTATE_MAX_CHARS;
  const kept: string[] = [];
  for (const member of members.toReversed()) {
    if (left > 0 && member.length > TRACESTATE_LONG_MEMBER_CHARS) left -= member.length + 1;
    else kept.unshift(member);
  }
  while (left > 0) left -= (kept.pop()?.length ?? left) + 1;
  return kept;
}
