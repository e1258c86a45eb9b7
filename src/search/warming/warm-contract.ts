import type { Config } from "../../config/config.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { Leases } from "../../storage/shared-state/shared-state.ts";
import type { SearchRequest } from "../contract.ts";
import type { Popularity } from "./popularity.ts";
import type { LifetimeConfig } from "./warm-plan.ts";

/** What warming needs of search. Both throw `StorageUnavailable` where the shared cache does not answer. */
export interface WarmSearch {
  /** How long the shared answer stays fresh, below 0 where it is stale; null where there is none. Counts as no use. */
  ageOf(request: SearchRequest): Promise<{ readonly freshForMs: number } | null>;
  /** Asks the providers and stores the answer. `busy`: another does it now. `limited`: a provider asked to be spared. */
  refresh(request: SearchRequest): Promise<"refreshed" | "busy" | "failed" | "degraded" | "limited">;
}

/**
 * Why a run ended before its work did. `degraded`: only a makeshift could answer. `limited`: a provider said that it is
 * asked too much. `quota`: too little is left of a provider's plan. `failing`: no provider answers.
 */
export type WarmStop =
  | "time"
  | "budget"
  | "quota"
  | "limited"
  | "degraded"
  | "failing"
  | "lease_lost"
  | "storage_unavailable";

/** A type, not an interface: it is handed on as JSON. */
export type WarmReport = {
  /** True where this run did nothing: another is at work, or who is at work cannot be known. */
  readonly skipped: boolean;
  readonly fixed: number;
  /** Null where the counts did not answer: the fixed list alone was looked at. */
  readonly popular: number | null;
  readonly fresh: number;
  readonly refreshed: number;
  readonly failed: number;
  /** Left to a later run, or to the one who refreshes it now. */
  readonly left: number;
  readonly stopped: WarmStop | null;
};

export interface WarmerOptions {
  readonly popularity: Pick<Popularity, "flush" | "top">;
  readonly config: Pick<Config, "WARM_QUERIES" | "WARM_TOP_QUERIES" | "SEARCH_DEADLINE_MS"> & LifetimeConfig;
  readonly search: WarmSearch;
  readonly leases: Leases;
  /** The part, 0 to 1, that is left of the plan of the provider with the least; null where none can tell. */
  readonly quotaLeft: () => Promise<number | null>;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, "count">;
  readonly logger: Logger;
}
