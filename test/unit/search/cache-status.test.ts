import { expect, test } from "vitest";
import { type CacheTrace, formatCacheStatus } from "../../../src/search/cache-status.ts";

test.each<[CacheTrace, string]>([
  [{ status: "l1", ttlSeconds: 276, stored: false }, "orchestrix-l1; hit; ttl=276"],
  [
    { status: "l2", ttlSeconds: 376, stored: false },
    "orchestrix-l2; hit; ttl=376, orchestrix-l1; fwd=uri-miss; stored",
  ],
  [
    { status: "miss", ttlSeconds: 0, stored: true },
    "orchestrix-l2; fwd=uri-miss; fwd-status=200; stored, orchestrix-l1; fwd=uri-miss; stored",
  ],
  [
    { status: "miss", ttlSeconds: 0, stored: false },
    "orchestrix-l2; fwd=uri-miss; fwd-status=200, orchestrix-l1; fwd=uri-miss",
  ],
  [
    { status: "bypass", ttlSeconds: 0, stored: true },
    "orchestrix-l2; fwd=request; fwd-status=200; stored, orchestrix-l1; fwd=request; stored",
  ],
])("%j is written as %s", (trace, header) => {
  expect(formatCacheStatus(trace)).toBe(header);
});
