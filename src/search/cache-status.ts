/** What the caches did for one answer. `ttlSeconds` is what is left of a hit's freshness. */
export interface CacheTrace {
  readonly status: "miss" | "l1" | "l2" | "bypass";
  readonly ttlSeconds: number;
  /** A fresh answer was kept for the next who asks. */
  readonly stored: boolean;
}

/** `Cache-Status` (RFC 9211), the cache nearest to the origin first. */
export function formatCacheStatus({ status, ttlSeconds, stored }: CacheTrace): string {
  const kept = stored ? "; stored" : "";
  switch (status) {
    case "l1":
      return `orchestrix-l1; hit; ttl=${ttlSeconds}`;
    case "l2":
      return `orchestrix-l2; hit; ttl=${ttlSeconds}, orchestrix-l1; fwd=uri-miss; stored`;
    case "bypass":
      return `orchestrix-l2; fwd=request; fwd-status=200${kept}, orchestrix-l1; fwd=request${kept}`;
    case "miss":
      return `orchestrix-l2; fwd=uri-miss; fwd-status=200${kept}, orchestrix-l1; fwd=uri-miss${kept}`;
  }
}
