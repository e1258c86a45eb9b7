import type { Fetch } from "./fetch.ts";
import type { RandomBytes } from "./ids.ts";
import { boundTracestate, childTraceparent, type TraceHeaders } from "./trace-context.ts";

/**
 * A fetch whose every request is a child of the caller's span; the same fetch where there is none. A `traceparent` that
 * a request has of its own stays, and no state is put beside it. Whoever asks a host that the caller did not choose
 * gives no state.
 */
export function fetchBehind(trace: TraceHeaders | null, fetch: Fetch, random: RandomBytes): Fetch {
  if (trace === null) return fetch;
  return (url, init) => {
    const headers = new Headers(init.headers);
    const child = headers.has("traceparent") ? null : childTraceparent(trace.traceparent, random);
    if (child === null) return fetch(url, init);
    headers.set("traceparent", child);
    const state = boundTracestate(trace.tracestate);
    if (state !== null) headers.set("tracestate", state);
    return fetch(url, { ...init, headers });
  };
}
