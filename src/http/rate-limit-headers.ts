import type { Admission, Tier } from "../storage/shared-state/shared-state.ts";
import { sameTiers } from "./admission/account.ts";

/** draft-ietf-httpapi-ratelimit-headers-10: names are quoted strings, `t` counts seconds from now. */
export function setRateLimitHeaders(headers: Headers, { tiers }: Admission): void {
  headers.set("RateLimit-Policy", policyOf(tiers));
  let state = "";
  for (const { name, remaining, resetMs } of tiers) {
    state += `${state === "" ? "" : ", "}"${name}";r=${remaining};t=${wholeSeconds(resetMs)}`;
  }
  headers.set("RateLimit", state);
}

/** Most callers have the limits of the caller before. */
let last: { readonly tiers: readonly Tier[]; readonly text: string } = { tiers: [], text: "" };

function policyOf(tiers: readonly Tier[]): string {
  if (!sameTiers(tiers, last.tiers)) {
    const text = tiers.map(({ name, limit, windowSeconds }) => `"${name}";q=${limit};w=${windowSeconds}`).join(", ");
    last = { tiers, text };
  }
  return last.text;
}

/** As headers tell it: rounded up and at least 1, so that whoever comes back then does not come too early. */
export function wholeSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / MS_PER_SECOND));
}

const MS_PER_SECOND = 1_000;
