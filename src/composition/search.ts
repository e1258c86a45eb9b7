import { createSealing } from "../core/sealing.ts";
import { createBreakers } from "../search/breakers/breaker-board.ts";
import { createProviderChain } from "../search/providers/chain.ts";
import { createQuotas, quotaLeft } from "../search/providers/provider-quotas.ts";
import { createProviderService } from "../search/providers/provider-service.ts";
import { createProviderRegistry } from "../search/providers/registry.ts";
import { createProviderSettings } from "../search/providers/settings.ts";
import { createSearchService } from "../search/service.ts";
import { createPopularity } from "../search/warming/popularity.ts";
import { createWarmer } from "../search/warming/warm.ts";
import type { Kit } from "./kit.ts";

type SearchKit = Pick<
  Kit,
  "config" | "log" | "clock" | "random" | "ids" | "defer" | "metrics" | "totalsOf" | "sharedState"
> & {
  readonly platform: Pick<Kit["platform"], "documents" | "searchIndex" | "popularity" | "fetch">;
};

/** Search with everything that decides whom it asks and when. */
export function composeSearch(kit: SearchKit) {
  const { config, platform, log: logger, clock, random, ids, defer, metrics, sharedState: shared } = kit;
  const { documents, searchIndex: index, fetch } = platform;
  const sealing = config.ENCRYPTION_KEY === undefined ? null : createSealing(config.ENCRYPTION_KEY, random);
  const settings = createProviderSettings(documents, clock);
  const registry = createProviderRegistry({
    builtIns: createProviderChain(config, index, clock),
    settings,
    sealing,
    clock,
    logger,
    defer,
  });
  const breakers = createBreakers({ clock, shared, defer, random, logger, metrics });
  const quotaOf = createQuotas({ fetch, clock });
  const popularity = createPopularity({
    store: platform.popularity,
    clock,
    random,
    defer,
    enabled: config.WARM_TOP_QUERIES > 0,
  });
  const search = createSearchService({
    config,
    index,
    shared,
    registry,
    breakers,
    popularity,
    fetch,
    clock,
    ids,
    random,
    logger,
    metrics,
    searchTotals: () => kit.totalsOf("orchestrix_search_total"),
    defer,
  });

  return {
    search,
    providers: createProviderService({
      registry,
      settings,
      breakers,
      quotaOf,
      sealing,
      fetch,
      clock,
      timeoutMs: config.PROVIDER_TIMEOUT_MS,
    }),
    warmCache: createWarmer({
      popularity,
      config,
      search,
      leases: shared,
      quotaLeft: async () => quotaLeft((await registry.chain()).providers, quotaOf),
      clock,
      metrics,
      logger,
    }),
  };
}
