import type { Fetch } from "../../core/fetch.ts";
import type { AttemptReason, SearchRequest } from "../contract.ts";
import type { RawResult } from "../quality/results.ts";

/** Why an attempt gave nothing. Skips (`circuit_open`, `not_configured`, `deadline`) are the orchestrator's to say. */
export type FailureReason = Exclude<AttemptReason, "circuit_open" | "not_configured" | "deadline" | "empty">;

export interface ProviderContext {
  /** Aborts when the attempt's time is over or the caller has gone. */
  readonly signal: AbortSignal;
  readonly fetch: Fetch;
  /** Whose question it is; null for nobody's in particular. Only the index looks at it. */
  readonly ownerId: string | null;
}

/** `httpStatus` is null where no HTTP answer came. An empty list is a good answer: nothing was found. */
export type ProviderOutcome =
  | {
      readonly ok: true;
      readonly httpStatus: number | null;
      /** Shapes are checked, contents are not: see `results.ts`. */
      readonly results: readonly RawResult[];
      readonly answer: string | null;
    }
  | {
      readonly ok: false;
      readonly reason: FailureReason;
      readonly httpStatus: number | null;
      /** How long to leave it alone, where it said so. */
      readonly retryAfterMs?: number;
    };

/** An upstream of search. Adding one is a file beside this one and a line in `chain.ts`. */
export interface SearchProvider {
  readonly name: string;
  /**
   * Tells one credential or address from the next without giving it away (a short digest). What goes wrong with one is
   * not held against the next. Absent where there is nothing that could be changed.
   */
  readonly identity?: string;
  /** False where its key is missing: it is then skipped. */
  readonly configured: boolean;
  /** True where an answer of it is a makeshift. */
  readonly degraded: boolean;
  /** True where its answers depend on who asks: they are never shared or cached. */
  readonly personal: boolean;
  /** Expected failures come back as an outcome. May reject once `signal` has aborted. */
  search(request: SearchRequest, context: ProviderContext): Promise<ProviderOutcome>;
  /** What is left of its plan. Absent where it has no way to tell; null where it did not tell this time. */
  quota?(context: Pick<ProviderContext, "signal" | "fetch">): Promise<ProviderQuota | null>;
}

/** In the provider's own units (Tavily: credits). */
export interface ProviderQuota {
  readonly used: number;
  /** Null: none. */
  readonly limit: number | null;
}
