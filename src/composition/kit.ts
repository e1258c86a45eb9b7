import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { Fetch } from "../core/fetch.ts";
import type { IdSource, RandomBytes } from "../core/ids.ts";
import type { Defer, Logger } from "../core/logger.ts";
import type { Metrics } from "../core/metrics.ts";
import type { MetricsSink } from "../observability/metrics-sink.ts";
import type { AccessTokens } from "../runtime/agents/access-token.ts";
import type { Sandbox } from "../runtime/sandbox/contract.ts";
import type { SearchIndex } from "../search/index/search-index.ts";
import type { PopularityStore } from "../search/warming/popularity-store.ts";
import type { Documents } from "../storage/documents/documents.ts";
import type { SharedState } from "../storage/shared-state/shared-state.ts";

/** What reaches out of the isolate. Tests hand in their own; a Worker has one set, see `composeOnce`. */
export interface Platform {
  readonly documents: Documents;
  readonly sharedState: SharedState;
  readonly searchIndex: SearchIndex;
  readonly metricsSink: MetricsSink;
  readonly popularity: PopularityStore;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly fetch: Fetch;
  /** For authors' own code; null where the platform has none. */
  readonly sandbox: Sandbox | null;
  readonly fetchAsset: (path: string) => Promise<Response>;
  /** `what` names the work, for whoever wants to tell works apart. */
  readonly waitUntil: (work: Promise<unknown>, what: string) => void;
  readonly writeLog: (line: string) => void;
}

/** What most services are made with. */
export interface Kit {
  readonly config: Config;
  readonly platform: Platform;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly ids: IdSource;
  readonly defer: Defer;
  readonly metrics: Metrics;
  /** A counter over all isolates, by the value of its one label. Throws `StorageUnavailable` where it is not known. */
  readonly totalsOf: (metric: string) => Promise<Readonly<Record<string, number>>>;
  /** The platform's, with a limit on what a slow or failing one may cost. */
  readonly sharedState: SharedState;
  /** Lets this isolate call its own app; never leaves it. */
  readonly systemKey: string;
  /** What opens this Worker, as configuration and this isolate know it: exact values, to be kept out of everything. */
  readonly credentials: readonly string[];
  readonly callSelf: Fetch;
  /** Let a platform reach one agent. */
  readonly accessTokens: AccessTokens;
}
