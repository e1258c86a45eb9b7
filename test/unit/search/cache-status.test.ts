import { expect, test } from "vitest";
import { type CacheTrace, formatCacheStatus } from "../../../src/search/cache/cache-status.ts";

test.each<[CacheTrace, string]>([
  [{ status: "l1", ttlSeconds: 276 }, "orchestrix-l1; hit; ttl=276"],
  [{ status: "l2", ttlSeconds: 376 }, "orchestrix-l2; hit; ttl=376, orchestrix-l1; fwd=uri-miss; stored"],
  [
    { status: "miss", stored: true },
    "orchestrix-l2; fwd=uri-miss; fwd-status=200; stored, orchestrix-l1; fwd=uri-miss; stored",
  ],
  [{ status: "miss", stored: false }, "orchestrix-l2; fwd=uri-miss; fwd-status=200, orchestrix-l1; fwd=uri-miss"],
  [
    { status: "bypass", stored: true },
    "orchestrix-l2; fwd=request; fwd-status=200; stored, orchestrix-l1; fwd=request; stored",
  ],
  [{ status: "coalesced" }, "orchestrix-l1; fwd=uri-miss; collapsed"],
  [{ status: "stale", ttlSeconds: -30, level: "l2", why: "refresh" }, "orchestrix-l2; hit; ttl=-30; detail=SWR"],
  [{ status: "stale", ttlSeconds: -90, level: "l1", why: "error" }, "orchestrix-l1; hit; ttl=-90; detail=SIE"],
])("%j is written as %s", (trace, header) => {
  expect(formatCacheStatus(trace)).toBe(header);
});
