import { expect } from "vitest";
import type { Call } from "../../../src/core/actor.ts";
import type { Clock } from "../../../src/core/clock.ts";
import { parseTraceparent } from "../../../src/core/trace-context.ts";
import type { CreateAgent } from "../../../src/runtime/contract.ts";
import type { RecordedRequest } from "./faulty-server.ts";

export const CALL: Call = {
  actor: { kind: "admin", id: "admin" },
  requestId: "req_1",
  origin: "https://orchestrix.test",
};

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN_ID = "00f067aa0ba902b7";

/** The same call, of a caller who sent a trace. */
export const TRACED: Call = {
  ...CALL,
  trace: () => ({ traceparent: `00-${TRACE_ID}-${SPAN_ID}-01`, tracestate: " vendor=1 , other=2" }),
};

/** Expects that each request is a child of the traced call's span, under a span of its own, beside its state. */
export function expectTraced(requests: readonly Pick<RecordedRequest, "headers">[]): void {
  const places = requests.map(({ headers }) => parseTraceparent(String(headers.traceparent)));
  for (const place of places) expect(place).toMatchObject({ traceId: TRACE_ID, sampled: true });
  expect(new Set([SPAN_ID, ...places.map((place) => place?.spanId)]).size).toBe(requests.length + 1);
  expect(new Set(requests.map(({ headers }) => headers.tracestate))).toEqual(new Set(["vendor=1,other=2"]));
}

export function agentOf(metadata: Partial<CreateAgent["metadata"]> = {}, name = "Echo"): CreateAgent {
  return {
    name,
    description: "",
    tools: [{ toolId: "input", name: "input", config: {} }],
    executionOrder: ["input"],
    inputSchema: { type: "object" },
    metadata: {
      createdBy: "orchestrix",
      serverId: "mcp_1",
      createdAt: "2026-02-13T10:30:00.000Z",
      ownerId: "user-123",
      version: 1,
      access: "public",
      policy: {},
      ...metadata,
    },
  };
}

/** Time that passes so many times faster than it does: pauses of a fifth of a second take hundredths. */
export function createFastClock(factor = 20): Clock {
  const start = Date.now();
  return {
    now: () => start + (Date.now() - start) * factor,
    after(ms, action) {
      const timer = setTimeout(action, ms / factor);
      return () => clearTimeout(timer);
    },
  };
}

/** Chance without chance. */
export function fixedRandom(length: number): Uint8Array {
  return new Uint8Array(length).fill(128);
}
