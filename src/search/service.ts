import type { Config } from "../config/config.ts";
import { authorize, type Call } from "../core/actor.ts";
import type { Clock } from "../core/clock.ts";
import type { AppError } from "../core/errors.ts";
import type { Fetch } from "../core/fetch.ts";
import type { IdSource, RandomBytes } from "../core/ids.ts";
import type { Defer, Logger } from "../core/logger.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { SharedCache } from "../storage/shared-state/shared-state.ts";
import { createSearchCache } from "./cache.ts";
import { cacheKeyOf } from "./cache-key.ts";
import type { SearchAnswer, SearchRequest } from "./contract.ts";
import { createDocumentsService, type DocumentsService } from "./documents.ts";
import { UNAVAILABLE_RETRY_SECONDS } from "./limits.ts";
import { type ChainOutcome, createOrchestrator, type Found, type Question } from "./orchestrator.ts";
import { createProviderChain } from "./providers/chain.ts";
import { INDEX_PROVIDER } from "./providers/index.ts";
import { type Asked, replyFromCache, replyFromProviders, type SearchReply } from "./reply.ts";
import type { SearchIndex } from "./search-index.ts";

export interface SearchService extends DocumentsService {
  /** For a call with the scope `search`. Admin who names no owner is answered from nobody's documents. */
  search(call: Call, request: SearchRequest, claimedOwnerId?: string): Promise<Result<SearchReply>>;
  /** For our own code that acts for an owner already. `requestId` is made up where it is absent. */
  searchFor(
    ownerId: string | null,
    request: SearchRequest,
    signal?: AbortSignal,
    requestId?: string,
  ): Promise<Result<SearchAnswer>>;
}

export interface SearchServiceOptions {
  readonly config: Config;
  readonly index: SearchIndex;
  readonly sharedCache: SharedCache;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly random: RandomBytes;
  readonly logger: Logger;
  readonly defer: Defer;
}

/** Lives as long as the isolate: the memory cache is in it. */
export function createSearchService(options: SearchServiceOptions): SearchService {
  const { config, index, fetch, clock, ids, random, logger, defer } = options;
  const providers = createProviderChain(config, index, clock);
  const makeshifts = providers.filter((provider) => provider.degraded);
  const policy = providers.filter((provider) => provider.configured).map((provider) => provider.name);
  const cache = createSearchCache({ config, shared: options.sharedCache, clock, random, logger, defer });
  const orchestrator = createOrchestrator({ fetch, clock, logger, attemptTimeoutMs: config.PROVIDER_TIMEOUT_MS });

  async function answer(asked: Asked, ownerId: string | null, signal?: AbortSignal): Promise<Result<SearchReply>> {
    const { request, startedAt } = asked;
    const question = { request, ownerId, signal, deadlineAt: startedAt + config.SEARCH_DEADLINE_MS };
    const key = await cacheKeyOf(request, policy);
    const hit = request.cache === "bypass" ? null : await cache.read(key);
    if (hit !== null) {
      const nothing = hit.value.results.length === 0;
      const instead = nothing && request.cache === "default" ? await askMakeshifts(asked, question) : null;
      return ok(instead ?? replyFromCache(asked, hit, clock.now()));
    }
    if (request.cache === "only") return err({ code: "NOT_FOUND", detail: "not in the cache" });
    const outcome = await orchestrator.run(providers, question);
    const { found, attempts } = outcome;
    if (found === null) return err(unavailable(outcome));
    const stored = mayBeShared(found);
    if (stored) {
      const { results, answer: text, provider } = found;
      cache.write(key, request, { results: [...results], answer: text, provider });
      rememberResults(found);
    }
    return ok(replyFromProviders(asked, found, attempts, stored, clock.now()));
  }

  /**
   * That the web has nothing is cached for all; whether this owner's documents have something never is, so they are
   * asked. Null where they have nothing either.
   */
  async function askMakeshifts(asked: Asked, question: Question): Promise<SearchReply | null> {
    const { found, attempts } = await orchestrator.run(makeshifts, question);
    const useful = found !== null && found.results.length > 0;
    return useful ? replyFromProviders(asked, found, attempts, false, clock.now()) : null;
  }

  /** What the web answered once, the index can answer when the web does not. */
  function rememberResults({ results }: Found): void {
    if (results.length === 0) return;
    const writes = results.map(({ url, title, content, publishedDate }) => {
      return { id: null, newId: ids.next("page"), url, title, content, publishedDate };
    });
    defer("search_index_results", index.put({ kind: "public" }, writes));
  }

  return {
    ...createDocumentsService(index, ids),
    async search({ actor, requestId, signal }, request, claimedOwnerId) {
      const access = authorize(actor, "search", claimedOwnerId);
      if (!access.ok) return access;
      const ownerId = access.value.kind === "owner" ? access.value.ownerId : null;
      return answer({ request, requestId, startedAt: clock.now() }, ownerId, signal);
    },
    async searchFor(ownerId, request, signal, requestId = ids.next("req")) {
      const reply = await answer({ request, requestId, startedAt: clock.now() }, ownerId, signal);
      return reply.ok ? ok(reply.value.answer) : reply;
    },
  };
}

/** Nothing made from an owner's documents is kept where others could get it, and no makeshift is kept at all. */
function mayBeShared({ degraded, results }: Found): boolean {
  return !degraded && results.every((result) => result.provider !== INDEX_PROVIDER);
}

function unavailable({ attempts, retryAfterMs }: ChainOutcome): AppError {
  const told = attempts.map(({ provider, reason }) => `${provider} (${reason ?? "cancelled"})`).join(", ");
  return {
    code: "SEARCH_UNAVAILABLE",
    detail: `no search provider could answer: ${told}`,
    attempts,
    retryAfterSeconds: retryAfterMs === null ? UNAVAILABLE_RETRY_SECONDS : Math.max(1, Math.ceil(retryAfterMs / 1_000)),
  };
}
