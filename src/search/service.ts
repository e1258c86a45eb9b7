import type { Config } from "../config/config.ts";
import { authorize, authorizeAdmin, type Call } from "../core/actor.ts";
import type { Clock } from "../core/clock.ts";
import { unlessUnavailable } from "../core/errors.ts";
import type { Fetch } from "../core/fetch.ts";
import type { IdSource, RandomBytes } from "../core/ids.ts";
import type { Defer, Logger } from "../core/logger.ts";
import type { Metrics } from "../core/metrics.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { Gate } from "../http/admission/contract.ts";
import type { SharedState } from "../storage/shared-state/shared-state.ts";
import type { Breakers } from "./breakers/breakers.ts";
import { createBulletin } from "./bulletin.ts";
import { createSearchCache } from "./cache/cache.ts";
import { canonicalQuestion } from "./cache/cache-key.ts";
import { createOrchestrator } from "./chain/orchestrator.ts";
import { createCompletion, type Who } from "./completion.ts";
import type { CacheStats, SearchAnswer, SearchRequest } from "./contract.ts";
import { createDocumentsService, type DocumentsService } from "./index/documents.ts";
import { createRememberer } from "./index/remember.ts";
import type { SearchIndex } from "./index/search-index.ts";
import { BULLETIN_EVERY_MS } from "./limits.ts";
import type { SearchProvider } from "./providers/provider.ts";
import type { ProviderRegistry } from "./providers/registry.ts";
import type { Asked, SearchReply } from "./reply.ts";
import type { RefreshOutcome, SharedQuestion } from "./shared-answer.ts";
import { createSharedAnswers } from "./shared-answers.ts";
import type { Popularity } from "./warming/popularity.ts";

export interface SearchService extends DocumentsService {
  /**
   * For a call with the scope `search`. Admin who names no owner is answered from nobody's documents. `gate` admits the
   * request together with the first look at the shared cache; without one the request counts as admitted.
   */
  search(call: Call, request: SearchRequest, claimedOwnerId?: string, gate?: Gate): Promise<Result<SearchReply>>;
  /** For our own code that acts for an owner already. `requestId` is made up where it is absent. */
  searchFor(
    ownerId: string | null,
    request: SearchRequest,
    signal?: AbortSignal,
    requestId?: string,
  ): Promise<Result<SearchAnswer>>;
  cacheStats(call: Call): Promise<Result<CacheStats>>;
  purgeCache(call: Call): Promise<Result<{ readonly entries: number | null }>>;
  /** How long the kept answer stays fresh, below 0 for a stale one; null where none is kept. For the warmer. */
  ageOf(request: SearchRequest): Promise<{ readonly freshForMs: number } | null>;
  /** Asks the providers and keeps the answer. For the warmer. */
  refresh(request: SearchRequest): Promise<RefreshOutcome>;
}

export interface SearchServiceOptions {
  readonly config: Config;
  readonly index: SearchIndex;
  readonly shared: SharedState;
  readonly registry: ProviderRegistry;
  readonly breakers: Breakers;
  readonly popularity: Popularity;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly random: RandomBytes;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Searches over all isolates, by what the cache did for them. */
  readonly searchTotals: () => Promise<Readonly<Record<string, number>>>;
  readonly defer: Defer;
}

interface Caller extends Who {
  readonly trace: Call["trace"] | undefined;
  readonly actorId: string;
  readonly gate: Gate | undefined;
}

/** Lives as long as the isolate: the memory cache is in it. */
export function createSearchService(options: SearchServiceOptions): SearchService {
  const { config, index, shared, registry, breakers, popularity, fetch, clock, ids, random, metrics, defer } = options;
  const cache = createSearchCache({ config, shared, clock, random, metrics, defer });
  const orchestrator = createOrchestrator({
    fetch,
    clock,
    random,
    logger: options.logger,
    metrics,
    breakers,
    attemptTimeoutMs: config.PROVIDER_TIMEOUT_MS,
    hedgeMs: config.SEARCH_HEDGE_MS,
  });
  const answers = createSharedAnswers({
    cache,
    shared,
    bulletin: createBulletin({
      sources: [cache.purges, breakers],
      shared,
      clock,
      defer,
      everyMs: BULLETIN_EVERY_MS,
    }),
    orchestrator,
    clock,
    random,
    metrics,
    defer,
    deadlineMs: config.SEARCH_DEADLINE_MS,
    onFound: createRememberer({ index, ids, clock, defer }),
  });

  const complete = createCompletion({ orchestrator, clock, deadlineMs: config.SEARCH_DEADLINE_MS });

  async function answer(asked: Asked, who: Caller): Promise<Result<SearchReply>> {
    const { request } = asked;
    const { providers, policy } = await registry.chain();
    const question = questionOf(request, providers, policy, who.trace);
    if (request.cache === "only") {
      const recalled = await answers.recall(question, who.gate);
      if (!recalled.ok) return recalled;
      if (recalled.value === null) return err({ code: "NOT_FOUND", detail: "not in the cache" });
      return complete(asked, recalled.value, providers, who);
    }
    const ask = request.cache === "bypass" ? answers.ask : answers.answer;
    const answered = await ask(question, who.gate);
    if (answered.ok) popularity.note(question.id, request, who.ownerId ?? who.actorId);
    return answered.ok ? complete(asked, answered.value, providers, who) : answered;
  }

  async function counted(reply: Promise<Result<SearchReply>>): Promise<Result<SearchReply>> {
    const answered = await reply;
    if (answered.ok) metrics.count("orchestrix_search_total", { cache: answered.value.trace.status });
    else if (answered.error.code === "SEARCH_UNAVAILABLE") metrics.count("orchestrix_search_total", UNAVAILABLE);
    return answered;
  }

  async function questionFor(request: SearchRequest): Promise<SharedQuestion> {
    const { providers, policy } = await registry.chain();
    return questionOf(request, providers, policy, undefined);
  }

  return {
    ...createDocumentsService(index, ids),

    async search({ actor, requestId, signal, trace }, request, claimedOwnerId, gate) {
      const access = authorize(actor, "search", claimedOwnerId);
      if (!access.ok) return access;
      const ownerId = access.value.kind === "owner" ? access.value.ownerId : null;
      const asked = { request, requestId, startedAt: clock.now() };
      return counted(answer(asked, { actorId: actor.id, ownerId, signal, gate, trace }));
    },

    async searchFor(ownerId, request, signal, requestId = ids.next("req")) {
      const asked = { request, requestId, startedAt: clock.now() };
      const who = { actorId: "system", ownerId, signal: () => signal, gate: undefined, trace: undefined };
      const reply = await counted(answer(asked, who));
      return reply.ok ? ok(reply.value.answer) : reply;
    },

    async cacheStats({ actor }) {
      const allowed = authorizeAdmin(actor);
      if (!allowed.ok) return allowed;
      const { oldestStoredAt, ...l1 } = cache.stats();
      const oldestSeconds = oldestStoredAt === null ? null : Math.floor((clock.now() - oldestStoredAt) / 1_000);
      const [searches, popular] = await Promise.all([
        unlessUnavailable(options.searchTotals(), null),
        unlessUnavailable(popularity.describe(), null),
      ]);
      return ok({ l1: { ...l1, oldestSeconds }, searches, popular });
    },

    async purgeCache({ actor }) {
      const allowed = authorizeAdmin(actor);
      return allowed.ok ? ok(await cache.purge()) : allowed;
    },

    async ageOf(request) {
      const freshForMs = await answers.freshForMs(await questionFor(request));
      return freshForMs === null ? null : { freshForMs };
    },

    async refresh(request) {
      return answers.refresh(await questionFor(request));
    },
  };
}

const UNAVAILABLE = { cache: "unavailable" } as const;

function questionOf(
  request: SearchRequest,
  providers: readonly SearchProvider[],
  policy: readonly string[],
  trace: Call["trace"] | undefined,
): SharedQuestion {
  return {
    request,
    id: canonicalQuestion(request, policy),
    providers,
    trace,
  };
}
