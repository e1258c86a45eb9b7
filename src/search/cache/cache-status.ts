/** What the caches did for one answer. `ttlSeconds` is what is left of a hit's freshness, below 0 for a stale one. */
export type CacheTrace =
  | { readonly status: "l1" | "l2"; readonly ttlSeconds: number }
  | {
      readonly status: "stale";
      readonly ttlSeconds: number;
      readonly level: "l1" | "l2";
      /** `error`: every provider failed. `refresh`: a new answer is on its way. */
      readonly why: "refresh" | "error";
    }
  | { readonly status: "coalesced" }
  /** `stored`: the answer was kept for the next who asks. */
  | { readonly status: "miss" | "bypass"; readonly stored: boolean };

/** `Cache-Status` (RFC 9211), the cache nearest to the origin first. */
export function formatCacheStatus(trace: CacheTrace): string {
  switch (trace.status) {
    case "l1":
      return `orchestrix-l1; hit; ttl=${trace.ttlSeconds}`;
    case "l2":
      return `orchestrix-l2; hit; ttl=${trace.ttlSeconds}, orchestrix-l1; fwd=uri-miss; stored`;
    case "stale": {
      const detail = trace.why === "refresh" ? "SWR" : "SIE";
      return `orchestrix-${trace.level}; hit; ttl=${trace.ttlSeconds}; detail=${detail}`;
    }
    case "coalesced":
      return "orchestrix-l1; fwd=uri-miss; collapsed";
    case "bypass": {
      const kept = trace.stored ? "; stored" : "";
      return `orchestrix-l2; fwd=request; fwd-status=200${kept}, orchestrix-l1; fwd=request${kept}`;
    }
    case "miss": {
      const kept = trace.stored ? "; stored" : "";
      return `orchestrix-l2; fwd=uri-miss; fwd-status=200${kept}, orchestrix-l1; fwd=uri-miss${kept}`;
    }
  }
}
