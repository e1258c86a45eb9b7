import type { Admission } from "../storage/shared-state/shared-state.ts";

/** draft-ietf-httpapi-ratelimit-headers-10: names are quoted strings, `t` counts seconds from now. */
export function rateLimitHeaders(admission: Admission): Readonly<Record<"RateLimit-Policy" | "RateLimit", string>> {
  let policy = "";
  let state = "";
  for (const { name, limit, windowSeconds, remaining, resetMs } of admission.tiers) {
    const separator = policy === "" ? "" : ", ";
    policy += `${separator}"${name}";q=${limit};w=${windowSeconds}`;
    state += `${separator}"${name}";r=${remaining};t=${wholeSeconds(resetMs)}`;
  }
  return { "RateLimit-Policy": policy, RateLimit: state };
}

/** As headers tell it: rounded up and at least 1, so that whoever comes back then does not come too early. */
export function wholeSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / MS_PER_SECOND));
}

const MS_PER_SECOND = 1_000;
