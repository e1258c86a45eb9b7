import type { Fetch } from "../../core/fetch.ts";
import type { RandomBytes } from "../../core/ids.ts";
import { childTraceparent } from "../../core/trace-context.ts";

/**
 * A fetch whose every request is a child of the caller's span; the same fetch where there is none. A `traceparent` that
 * the provider sets itself stays.
 *
 * Providers are third parties that the caller did not choose. A `traceparent` tells them random ids, by which an operator
 * finds a search in a provider's logs. A `tracestate` may hold anything that tracing vendors wrote for each other, which
 * W3C Trace Context (6.2, privacy) lets a service withhold: it is not passed on.
 */
export function fetchBehind(traceparent: string | null, fetch: Fetch, random: RandomBytes): Fetch {
  if (traceparent === null) return fetch;
  return (url, init) => {
    const headers = new Headers(init.headers);
    const child = headers.has("traceparent") ? null : childTraceparent(traceparent, random);
    if (child === null) return fetch(url, init);
    headers.set("traceparent", child);
    return fetch(url, { ...init, headers });
  };
}
