import type { Admission } from "../storage/shared-state/shared-state.ts";

/** draft-ietf-httpapi-ratelimit-headers-10: names are quoted strings, `t` counts seconds from now. */
export function rateLimitHeaders(admission: Admission): Readonly<Record<"RateLimit-Policy" | "RateLimit", string>> {
  const list = (write: (tier: Admission["tiers"][number]) => string) => admission.tiers.map(write).join(", ");
  return {
    "RateLimit-Policy": list((tier) => `"${tier.name}";q=${tier.limit};w=${tier.windowSeconds}`),
    RateLimit: list((tier) => `"${tier.name}";r=${tier.remaining};t=${tier.resetSeconds}`),
  };
}
