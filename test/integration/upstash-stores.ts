import { systemClock } from "../../src/core/clock.ts";
import { systemRandom } from "../../src/core/ids.ts";
import type { SharedState } from "../../src/storage/shared-state/shared-state.ts";
import { createUpstashSharedState, type UpstashOptions } from "../../src/storage/shared-state/upstash.ts";

/** As the product makes it. */
export function createUpstashStore(
  { url, token }: { readonly url: string; readonly token: string },
  options: Partial<UpstashOptions> = {},
): SharedState {
  return createUpstashSharedState({
    url,
    token,
    fetch: (address, init) => fetch(address, init),
    clock: systemClock,
    random: systemRandom,
    ...options,
  });
}
