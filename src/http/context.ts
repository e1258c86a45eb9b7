import type { Context } from "hono";
import type { Actor, Call } from "../core/actor.ts";
import type { AppError } from "../core/errors.ts";
import { type Json, ownProperty } from "../core/json.ts";
import type { TraceHeaders } from "../core/trace-context.ts";
import type { Admitted } from "./admission/contract.ts";

/** What the access log says of one request: one wide event, to which each part adds what it knows. */
export type WideEvent = Record<string, Json>;

export interface AppEnv {
  Variables: {
    requestId: string;
    origin: string;
    /** Whether `CF-Connecting-IP` is written by whoever stands in front, and by nobody else. */
    trustsForwardedAddress: boolean;
    event: WideEvent;
    /** Set by the guard of each route, before its handler. */
    actor: Actor;
    /** Set by the guard where the request counts against a limit. */
    admission?: Admitted;
    /** Whether the caller would still be let in. Set by the guard, for answers that go on for long. */
    mayContinue?: () => Promise<boolean>;
    /** How a failure looks on this route, where not as problem details. */
    problem?: (error: AppError) => Response;
  };
}

export type AppContext = Context<AppEnv>;

/** The part of a request that services see. */
export function callOf(c: AppContext): Call {
  const { raw } = c.req;
  return {
    actor: c.get("actor"),
    requestId: c.get("requestId"),
    origin: c.get("origin"),
    signal: () => raw.signal,
    trace: () => traceOf(c),
  };
}

function traceOf(c: AppContext): TraceHeaders | null {
  const traceparent = c.req.header("traceparent");
  return traceparent === undefined ? null : { traceparent, tracestate: c.req.header("tracestate") ?? null };
}

/**
 * Where the request comes from: as Cloudflare or another trusted proxy says it, else who opened the connection, as the
 * runtime says it. `unknown` where neither does.
 */
export function clientAddress(c: AppContext): string {
  return (c.get("trustsForwardedAddress") ? c.req.header("cf-connecting-ip") : peerAddress(c.req.raw)) ?? "unknown";
}

/** Who is counted: the key, or the address of a caller without one. */
export function callerOf(c: AppContext): string {
  const actor = c.get("actor");
  return actor.kind === "anonymous" ? `address:${clientAddress(c)}` : `key:${actor.id}`;
}

/** `address:port` or `[address]:port`, filled in by a runtime that no proxy stands in front of. */
function peerAddress(request: Request): string | undefined {
  const peer = "cf" in request ? ownProperty(request.cf, "clientIp") : undefined;
  return typeof peer === "string" ? peer.replace(/:\d+$/, "") : undefined;
}
