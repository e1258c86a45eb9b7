import { composeSearch } from "../../src/composition/search.ts";
import { loadConfig } from "../../src/config/config.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { createIdSource, systemRandom } from "../../src/core/ids.ts";
import type { Logger } from "../../src/core/logger.ts";
import type { Metrics } from "../../src/core/metrics.ts";
import { createAdmissionControl } from "../../src/http/admission/control.ts";
import { createResilientSharedState } from "../../src/storage/shared-state/resilient.ts";
import type { SharedState } from "../../src/storage/shared-state/shared-state.ts";
import { createMemoryDocuments } from "../support/memory-documents.ts";
import { createPopularStore } from "../support/popular-store.ts";
import { createSearchHttp, type HttpReply } from "../support/providers/http.ts";
import { JINA_KEY } from "../support/providers/jina.ts";
import { createSqliteIndex } from "../support/providers/sqlite-index.ts";
import { TAVILY_KEY } from "../support/providers/tavily.ts";
import { createUpstashStore } from "./upstash-stores.ts";

/** Real time that can be moved on. */
export interface ShiftedClock extends Clock {
  jump(ms: number): void;
}

export function createShiftedClock(): ShiftedClock {
  let shiftMs = 0;
  return {
    now: () => systemClock.now() + shiftMs,
    after: systemClock.after,
    jump(ms) {
      shiftMs += ms;
    },
  };
}

/** What one isolate has of search and admission, on a shared state behind Upstash's REST. */
export interface Isolate {
  readonly admission: ReturnType<typeof createAdmissionControl>;
  readonly shared: SharedState;
  /** Names of the events logged so far. */
  readonly logged: string[];
  /** Counters and gauges by their name and labels, separated by spaces. */
  readonly measured: ReadonlyMap<string, number>;
  ask(query: string): Promise<HttpReply>;
  /** Requests to the store so far, answered, refused or lost. */
  trips(): number;
  /** From now on the store's address refuses connections. */
  cutOff(isCut: boolean): void;
  /** Waits for what was to be done after the answers. */
  settle(): Promise<void>;
}

export function createIsolate(options: {
  readonly upstash: { readonly url: string; readonly token: string };
  readonly tavily: string;
  readonly jina: string;
  readonly nobody: string;
  readonly clock: Clock;
  readonly env?: Readonly<Record<string, string>>;
}): Isolate {
  const { upstash, clock } = options;
  const config = loadConfig({
    SEARCH_KEYLESS: "off",
    TAVILY_API_KEY: TAVILY_KEY,
    TAVILY_BASE_URL: options.tavily,
    JINA_API_KEY: JINA_KEY,
    JINA_BASE_URL: options.jina,
    ...options.env,
  });
  const logged: string[] = [];
  const measured = new Map<string, number>();
  const log = (event: string) => void logged.push(event);
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const seriesOf = (name: string, labels = {}) => [name, ...Object.values(labels)].join(" ");
  const metrics: Metrics = {
    count(name, labels, by = 1) {
      const series = seriesOf(name, labels);
      measured.set(series, (measured.get(series) ?? 0) + by);
    },
    gauge: (name, value, labels) => void measured.set(seriesOf(name, labels), value),
    observe() {},
  };
  let trips = 0;
  let isCut = false;
  const store = createUpstashStore(upstash, {
    clock,
    fetch(url, init) {
      trips++;
      return fetch(isCut ? url.replace(upstash.url, options.nobody) : url, init);
    },
  });
  const shared = createResilientSharedState(store, { clock, logger, metrics });
  const deferred: Promise<unknown>[] = [];
  const defer = (what: string, work: Promise<unknown>) => {
    const caught = work.catch(() => {});
    // Looks after leases for seconds.
    if (what !== "admission_lease") deferred.push(caught);
  };
  const { search } = composeSearch({
    config,
    platform: {
      documents: createMemoryDocuments(),
      searchIndex: createSqliteIndex(clock),
      popularity: createPopularStore(clock),
      fetch: (url, init) => fetch(url, init),
    },
    log: logger,
    clock,
    random: systemRandom,
    ids: createIdSource(clock, systemRandom),
    defer,
    metrics,
    totalsOf: async () => ({}),
    sharedState: shared,
  });
  const http = createSearchHttp(search);
  return {
    admission: createAdmissionControl({ shared, clock, defer, log: logger, metrics }),
    shared,
    logged,
    measured,
    ask: (query) => http.post("/search", { query }),
    trips: () => trips,
    cutOff(next) {
      isCut = next;
    },
    async settle() {
      while (deferred.length > 0) await Promise.all(deferred.splice(0));
    },
  };
}
