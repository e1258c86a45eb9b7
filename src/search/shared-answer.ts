import type { Call } from "../core/actor.ts";
import type { CacheEntry } from "./cache/cache-entry.ts";
import type { ChainOutcome } from "./chain/orchestrator.ts";
import type { SearchRequest } from "./contract.ts";
import type { SearchProvider } from "./providers/provider.ts";

/** A question that any caller may have asked. */
export interface SharedQuestion {
  readonly request: SearchRequest;
  /** See `canonicalQuestion`. */
  readonly id: string;
  /** The whole chain; those whose answers depend on the caller are not asked. */
  readonly providers: readonly SearchProvider[];
  /** Of whoever asks it: what providers are asked for it is behind that. Undefined where nobody waits for the answer. */
  readonly trace: Call["trace"] | undefined;
}

/** What all callers with this question get. */
export type SharedAnswer =
  | { readonly kind: "kept"; readonly entry: CacheEntry; readonly level: "l1" | "l2"; readonly stale: boolean }
  | {
      readonly kind: "asked";
      readonly outcome: ChainOutcome;
      /** Whether the answer was kept for others. */
      readonly stored: boolean;
      /** Another request asked, and this one waited for it. */
      readonly coalesced: boolean;
      /** An older answer, to be given where nobody has a new one. */
      readonly fallback: CacheEntry | null;
    };

export type RefreshOutcome = "refreshed" | "busy" | "failed" | "degraded" | "limited";
