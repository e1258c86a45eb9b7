import type { SearchRequest } from "../contract.ts";

/**
 * What all isolates counted. Of a query that fewer than three callers asked it keeps neither the text nor, in any form
 * that could be read back, who asked. Every method throws `StorageUnavailable` when the store does not answer.
 */
export interface PopularityStore {
  /** Takes a batch in once: one that comes again, since its answer was lost, changes nothing. */
  add(batch: PopularityBatch): Promise<void>;
  /** The most asked of those that three callers or more asked, at most `limit`, most asked first. */
  top(limit: number): Promise<readonly PopularQuery[]>;
  describe(): Promise<PopularityStats>;
}

export interface PopularityBatch {
  readonly isolate: string;
  /** From 1, upwards within the isolate: the next is sent when the one before was taken in, or given up. */
  readonly sequence: number;
  readonly entries: readonly PopularityEntry[];
}

export interface PopularityEntry {
  /** The request's cache key. */
  readonly key: string;
  /** The request as JSON. */
  readonly request: string;
  readonly count: number;
  /** Up to three different ones of those who asked. */
  readonly callers: readonly string[];
}

export interface PopularQuery {
  readonly key: string;
  readonly request: SearchRequest;
  /** How often it was asked, with what is older counting less. */
  readonly score: number;
}

/** A type, not an interface: it is handed on as JSON. */
export type PopularityStats = {
  /** Counted at all, also those that wait for a third caller. */
  readonly queries: number;
  /** Those that three callers or more asked. */
  readonly listed: number;
};
