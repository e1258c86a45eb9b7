import { composeSearch } from "../../../src/composition/search.ts";
import { type Config, loadConfig } from "../../../src/config/config.ts";
import type { Actor, Scope } from "../../../src/core/actor.ts";
import { type Clock, systemClock } from "../../../src/core/clock.ts";
import type { Fetch } from "../../../src/core/fetch.ts";
import { createIdSource, type RandomBytes, systemRandom } from "../../../src/core/ids.ts";
import type { Logger } from "../../../src/core/logger.ts";
import type { Metrics } from "../../../src/core/metrics.ts";
import { type SearchRequest, searchRequest } from "../../../src/search/contract.ts";
import type { SearchService } from "../../../src/search/service.ts";
import { createResilientSharedState } from "../../../src/storage/shared-state/resilient.ts";
import { createMemoryDocuments } from "../memory-documents.ts";
import { createPopularStore } from "../popular-store.ts";
import { JINA_KEY } from "./jina.ts";
import { createMemoryCache, type MemoryCache } from "./memory-cache.ts";
import { createSqliteIndex, type SqliteIndex } from "./sqlite-index.ts";
import { TAVILY_KEY } from "./tavily.ts";

export interface SearchHarness extends ReturnType<typeof composeSearch> {
  readonly service: SearchService;
  readonly cache: MemoryCache;
  readonly index: SqliteIndex;
  readonly config: Config;
  /** Names of the events logged so far. */
  readonly logged: string[];
  /** Counters by their name and labels, separated by spaces. */
  readonly counts: ReadonlyMap<string, number>;
  /** Waits for what was to be done after the answers. */
  settle(): Promise<void>;
}

export interface HarnessOptions {
  /** Addresses of the providers; one without an address has no key. */
  readonly tavily?: string;
  readonly jina?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly fetch?: Fetch;
  /** Shared with another harness, as another isolate would. */
  readonly cache?: MemoryCache;
  readonly index?: SqliteIndex;
  readonly random?: RandomBytes;
}

/** The search service as it is composed, on an index and shared state in memory. */
export function createSearchHarness(options: HarnessOptions = {}): SearchHarness {
  const clock = options.clock ?? systemClock;
  const config = loadConfig({
    SEARCH_KEYLESS: "off",
    ...(options.tavily === undefined ? {} : { TAVILY_API_KEY: TAVILY_KEY, TAVILY_BASE_URL: options.tavily }),
    ...(options.jina === undefined ? {} : { JINA_API_KEY: JINA_KEY, JINA_BASE_URL: options.jina }),
    ...options.env,
  });
  const cache = options.cache ?? createMemoryCache(clock);
  const index = options.index ?? createSqliteIndex(clock);
  const logged: string[] = [];
  const deferred: Promise<unknown>[] = [];
  const log = (event: string) => void logged.push(event);
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const counts = new Map<string, number>();
  const metrics: Metrics = {
    count(name, labels = {}, by = 1) {
      const series = [name, ...Object.values(labels)].join(" ");
      counts.set(series, (counts.get(series) ?? 0) + by);
    },
    observe() {},
    gauge() {},
  };
  const fetchUpstream: Fetch = options.fetch ?? ((url, init) => fetch(url, init));
  const defer = (_what: string, work: Promise<unknown>) => void deferred.push(work.catch(() => {}));
  const platform = {
    documents: createMemoryDocuments(),
    searchIndex: index,
    popularity: createPopularStore(clock),
    fetch: fetchUpstream,
  };
  const sharedState = createResilientSharedState(cache, { clock, logger, metrics });
  const ids = createIdSource(clock, systemRandom);
  const composed = composeSearch({
    config,
    platform,
    log: logger,
    clock,
    random: options.random ?? systemRandom,
    ids,
    defer,
    metrics,
    totalsOf: async () => ({}),
    sharedState,
  });
  return {
    ...composed,
    service: composed.search,
    cache,
    index,
    config,
    logged,
    counts,
    async settle() {
      while (deferred.length > 0) await Promise.all(deferred.splice(0));
    },
  };
}

export function keyOf(ownerId: string, scopes: readonly Scope[] = ["search"]): Actor {
  return { kind: "key", id: `key_of_${ownerId}`, ownerId, scopes: new Set(scopes) };
}

export const ADMIN: Actor = { kind: "admin", id: "admin" };

/** A request with everything left out at its default. */
export function requestOf(query: string, fields: Partial<SearchRequest> = {}): SearchRequest {
  return searchRequest.parse({ query, ...fields });
}
