import { type Config, loadConfig } from "../../../src/config/config.ts";
import type { Actor, Scope } from "../../../src/core/actor.ts";
import { type Clock, systemClock } from "../../../src/core/clock.ts";
import type { Fetch } from "../../../src/core/fetch.ts";
import { createIdSource, systemRandom } from "../../../src/core/ids.ts";
import type { Logger } from "../../../src/core/logger.ts";
import { type SearchRequest, searchRequest } from "../../../src/search/contract.ts";
import { createSearchService, type SearchService } from "../../../src/search/service.ts";
import { JINA_KEY } from "./jina.ts";
import { createMemoryCache, type MemoryCache } from "./memory-cache.ts";
import { createSqliteIndex, type SqliteIndex } from "./sqlite-index.ts";
import { TAVILY_KEY } from "./tavily.ts";

export interface SearchHarness {
  readonly service: SearchService;
  readonly cache: MemoryCache;
  readonly index: SqliteIndex;
  readonly config: Config;
  /** Names of the events logged so far. */
  readonly logged: string[];
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
}

/** The search service as it is composed, on an index and a shared cache in memory. */
export function createSearchHarness(options: HarnessOptions = {}): SearchHarness {
  const clock = options.clock ?? systemClock;
  const config = loadConfig({
    ...(options.tavily === undefined ? {} : { TAVILY_API_KEY: TAVILY_KEY, TAVILY_BASE_URL: options.tavily }),
    ...(options.jina === undefined ? {} : { JINA_API_KEY: JINA_KEY, JINA_BASE_URL: options.jina }),
    ...options.env,
  });
  const cache = options.cache ?? createMemoryCache();
  const index = options.index ?? createSqliteIndex(clock);
  const logged: string[] = [];
  const deferred: Promise<unknown>[] = [];
  const log = (event: string) => void logged.push(event);
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const service = createSearchService({
    config,
    index,
    sharedCache: cache,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    clock,
    ids: createIdSource(clock, systemRandom),
    random: systemRandom,
    logger,
    defer: (_what, work) => void deferred.push(work.catch(() => {})),
  });
  return {
    service,
    cache,
    index,
    config,
    logged,
    async settle() {
      await Promise.all(deferred.splice(0));
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
