import type { Clock } from "../../core/clock.ts";
import { runWithin } from "../../core/deadline.ts";
import type { Fetch } from "../../core/fetch.ts";
import type { ProviderQuota, SearchProvider } from "./provider.ts";
import { QUOTA_CACHE_MS, QUOTA_TIMEOUT_MS } from "./provider-limits.ts";

/** What is left of a provider's plan: asked within QUOTA_TIMEOUT_MS, remembered for QUOTA_CACHE_MS, failures too. */
export type QuotaOf = (provider: SearchProvider, signal?: AbortSignal) => Promise<ProviderQuota | null>;

/** The part, 0 to 1, that is left of the plan of the provider with the least; null where none can tell. */
export async function quotaLeft(providers: readonly SearchProvider[], quotaOf: QuotaOf): Promise<number | null> {
  const quotas = await Promise.all(providers.map((provider) => quotaOf(provider)));
  const parts = quotas.flatMap((quota) =>
    quota === null || quota.limit === null ? [] : [partLeft(quota.used, quota.limit)],
  );
  return parts.length === 0 ? null : Math.min(...parts);
}

function partLeft(used: number, limit: number): number {
  return limit <= 0 ? 0 : Math.max(0, 1 - used / limit);
}

export function createQuotas({ fetch, clock }: { readonly fetch: Fetch; readonly clock: Clock }): QuotaOf {
  const known = new Map<string, { readonly quota: ProviderQuota | null; readonly until: number }>();

  async function ask(provider: SearchProvider, parent: AbortSignal | undefined): Promise<ProviderQuota | null> {
    const asked = await runWithin(clock, QUOTA_TIMEOUT_MS, parent, async (signal) => {
      return (await provider.quota?.({ fetch, signal })) ?? null;
    });
    return asked.kind === "done" ? asked.value : null;
  }

  return async function quotaOf(provider, signal) {
    if (!provider.configured || provider.quota === undefined) return null;
    const before = known.get(provider.name);
    if (before !== undefined && clock.now() < before.until) return before.quota;
    const quota = await ask(provider, signal);
    // A caller that hung up has not shown that the provider does not answer.
    if (!signal?.aborted) known.set(provider.name, { quota, until: clock.now() + QUOTA_CACHE_MS });
    return quota;
  };
}
