import type { Actor, Call, Scope } from "../core/actor.ts";
import type { TraceHeaders } from "../core/trace-context.ts";
import type { RunOrder } from "./execution/executor.ts";

/** Who calls, as rules and limits see it. */
export function callerOf(actor: Actor, address: string): RunOrder["caller"] {
  return { kind: actor.kind, id: actor.kind === "anonymous" ? address : actor.id };
}

/** A graph acts for its owner whoever calls it, and may do no more than its tools need. What it calls is behind its span. */
export function callAsOwner(call: Call, agentId: string, ownerId: string, trace: TraceHeaders): Call {
  return {
    actor: { kind: "key", id: agentId, ownerId, scopes: SEARCH_ALONE },
    requestId: call.requestId,
    origin: call.origin,
    trace: () => trace,
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  };
}

const SEARCH_ALONE: ReadonlySet<Scope> = new Set(["search"]);

/**
 * A graph that nobody has deployed makes no token that a deployed agent takes. One issuer for all tests of an owner, so
 * that a test of one graph takes what a test of another made. No agent's id holds a colon.
 */
export function testIssuer(ownerId: string): string {
  return `test:${ownerId}`;
}
