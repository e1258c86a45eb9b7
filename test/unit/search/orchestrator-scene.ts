import { StorageUnavailable } from "../../../src/core/errors.ts";
import type { Logger } from "../../../src/core/logger.ts";
import type { MetricLabels, Metrics } from "../../../src/core/metrics.ts";
import { createBreakers } from "../../../src/search/breakers/breaker-board.ts";
import { createOrchestrator } from "../../../src/search/chain/orchestrator.ts";
import { searchRequest } from "../../../src/search/contract.ts";
import type { ProviderOutcome, SearchProvider } from "../../../src/search/providers/provider.ts";
import type { SharedState } from "../../../src/storage/shared-state/shared-state.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { createMemorySharedState } from "../../support/memory-shared-state.ts";

export const QUERY = "how do ocean tides work";

const page = (url: string, title: string, content: string) => {
  return { title, url, content, score: 0.5, publishedDate: null, rawContent: null };
};

const answerOf = (results: ReturnType<typeof page>[]): ProviderOutcome => {
  return { ok: true, httpStatus: 200, results, answer: "A" };
};

/** An answer to QUERY with these pages. */
export const found = (...urls: string[]) =>
  answerOf(urls.map((url) => page(url, "How tides work", "The moon pulls at the ocean.")));

export const irrelevant = answerOf([
  page("https://shop.example/1", "Cheap winter boots for sale", "Free delivery on leather footwear."),
  page("https://shop.example/2", "Sandals and sneakers outlet", "Discount prices every weekend."),
  page("https://shop.example/3", "Handbag clearance", "Designer purses, limited stock."),
]);

export const empty = answerOf([]);

export const failing = (
  reason: Extract<ProviderOutcome, { ok: false }>["reason"],
  httpStatus: number | null = null,
  retryAfterMs?: number,
): ProviderOutcome => ({ ok: false, reason, httpStatus, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });

export const hang = () => new Promise<never>(() => {});

/** Answers with the outcomes in turn, the last one for ever. */
export function provider(
  name: string,
  answers: ProviderOutcome | readonly ProviderOutcome[] | SearchProvider["search"],
  fields: Partial<SearchProvider> = {},
): SearchProvider {
  let asked = 0;
  const list: readonly ProviderOutcome[] = typeof answers === "function" ? [] : [answers].flat();
  const scripted = async () => list[Math.min(asked++, list.length - 1)] ?? empty;
  const search = typeof answers === "function" ? answers : scripted;
  return { name, configured: true, degraded: false, personal: false, search, ...fields };
}

/** Answers after so many milliseconds, whatever its signal says. */
export const after =
  (clock: FakeClock, ms: number, outcome: ProviderOutcome): SearchProvider["search"] =>
  () =>
    new Promise((resolve) => clock.after(ms, () => resolve(outcome)));

/** The shared state in memory, which can fail and is watched. */
export interface WatchedShared extends Pick<SharedState, "cacheStore" | "cacheLookup" | "cacheClear" | "acquireLease"> {
  /** Names of the leases asked for. */
  readonly leases: string[];
  writes: number;
  fault: "none" | "down" | "hangs";
}

export function createWatchedShared(clock: FakeClock): WatchedShared {
  const memory = createMemorySharedState(clock);
  const answer = async <T>(work: () => Promise<T>): Promise<T> => {
    if (shared.fault === "down") throw new StorageUnavailable("down");
    return shared.fault === "hangs" ? hang() : work();
  };
  const shared: WatchedShared = {
    leases: [],
    writes: 0,
    fault: "none",
    cacheStore(...write) {
      shared.writes++;
      return answer(() => memory.cacheStore(...write));
    },
    cacheLookup: (key) => answer(() => memory.cacheLookup(key)),
    cacheClear: () => answer(() => memory.cacheClear()),
    acquireLease(name, ttlMs) {
      shared.leases.push(name);
      return answer(() => memory.acquireLease(name, ttlMs));
    },
  };
  return shared;
}

export interface Recorded {
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function createRecorder() {
  const logged: Recorded[] = [];
  const counted: { readonly name: string; readonly value: number; readonly labels: MetricLabels }[] = [];
  const log = (event: string, fields = {}) => void logged.push({ event, fields });
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const metrics: Metrics = {
    count: (name, labels = {}, by = 1) => void counted.push({ name, value: by, labels }),
    observe: (name, value, labels = {}) => void counted.push({ name, value, labels }),
    gauge: (name, value, labels = {}) => void counted.push({ name, value, labels }),
  };
  return { logger, metrics, logged, counted };
}

export interface BoardOptions {
  readonly clock: FakeClock;
  readonly shared: WatchedShared;
  /** What chance gives: 0 makes cool-downs whole and pauses none. */
  readonly chance?: number;
}

/** The breakers of one isolate. `sync` is what the next miss would do. */
export function createBoard({ clock, shared, chance = 0 }: BoardOptions) {
  const recorder = createRecorder();
  const breakers = createBreakers({
    clock,
    shared,
    defer: (_what, work) => void work.catch(() => {}),
    random: (length) => new Uint8Array(length).fill(chance),
    logger: recorder.logger,
    metrics: recorder.metrics,
  });
  const sync = async () => {
    const key = breakers.syncKey();
    if (key !== null) breakers.absorb((await shared.cacheLookup(key)).value);
  };
  return { ...recorder, breakers, sync };
}

export interface SceneOptions {
  readonly clock?: FakeClock;
  readonly hedgeMs?: number;
  readonly chance?: number;
  readonly attemptTimeoutMs?: number;
}

export function createScene({ clock = createFakeClock(), chance = 0, ...options }: SceneOptions = {}) {
  const shared = createWatchedShared(clock);
  const board = createBoard({ clock, shared, chance });
  const { breakers, logger, metrics, logged, counted } = board;
  const orchestrator = createOrchestrator({
    fetch: () => Promise.reject(new TypeError("no network")),
    clock,
    random: (length) => new Uint8Array(length).fill(chance),
    logger,
    metrics,
    attemptTimeoutMs: options.attemptTimeoutMs ?? 3_000,
    hedgeMs: options.hedgeMs ?? 0,
    breakers,
  });
  const run = (providers: readonly SearchProvider[], fields: { deadlineMs?: number; signal?: AbortSignal } = {}) =>
    orchestrator.run(providers, {
      request: searchRequest.parse({ query: QUERY, includeAnswer: true }),
      ownerId: "owner-1",
      deadlineAt: clock.now() + (fields.deadlineMs ?? 8_000),
      signal: fields.signal,
      traceparent: null,
    });
  /** Runs it to its end, however long it takes. */
  const runOut = async (...asked: Parameters<typeof run>) => {
    const startedAt = clock.now();
    let tookMs = -1;
    const pending = run(...asked).then((outcome) => {
      tookMs = clock.now() - startedAt;
      return outcome;
    });
    while (tookMs < 0 && clock.now() - startedAt < 120_000) await clock.advance(100);
    return { ...(await pending), tookMs };
  };
  return { clock, shared, breakers, run, runOut, logged, counted };
}

export const brief = (attempts: readonly { provider: string; outcome: string; reason: string | null }[]) =>
  attempts.map(({ provider: name, outcome, reason }) => `${name} ${outcome} ${reason ?? "-"}`);
