import { type Holding, isHeld, isHeldBy } from "./leases.ts";
import type { Claim } from "./shared-state.ts";

/** Who makes what is missing, by key: in memory, since a claim that is lost costs one more making and no harm. */
interface Claims {
  /** The holder may ask again, which prolongs its claim. */
  take(key: string, claim: Claim, nowMs: number): "held" | "busy";
  /** Without effect on another's claim. */
  end(key: string, token: string, nowMs: number): void;
}

/** Remembers at most `maxClaims`; the oldest are forgotten first. */
export function createClaims(maxClaims: number): Claims {
  const holdings = new Map<string, Holding>();

  function prune(nowMs: number): void {
    for (const [key, holding] of holdings) if (!isHeld(holding, nowMs)) holdings.delete(key);
    for (const key of holdings.keys()) {
      if (holdings.size < maxClaims) return;
      holdings.delete(key);
    }
  }

  return {
    take(key, { token, ttlMs }, nowMs) {
      const holding = holdings.get(key);
      if (isHeld(holding, nowMs) && holding.token !== token) return "busy";
      holdings.delete(key);
      if (holdings.size >= maxClaims) prune(nowMs);
      holdings.set(key, { token, expiresAtMs: nowMs + ttlMs });
      return "held";
    },
    end(key, token, nowMs) {
      if (isHeldBy(holdings.get(key), token, nowMs)) holdings.delete(key);
    },
  };
}
