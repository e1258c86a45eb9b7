import type { Config } from "../../config/config.ts";
import { canonicalQuestion } from "../cache/cache-key.ts";
import { type SearchRequest, searchRequest } from "../contract.ts";
import { expectedAsks } from "./popularity-heat.ts";
import type { PopularQuery } from "./popularity-store.ts";
import { WARM_MARGIN_MS, WARM_MARGIN_PART, WARM_MIN_EXPECTED_ASKS } from "./warm-limits.ts";

export type LifetimeConfig = Pick<Config, "CACHE_TTL_SECONDS" | "CACHE_TTL_NEWS_SECONDS">;

/** A request and how long its answer stays fresh: negative where it is stale, -Infinity where there is none. */
export interface Looked {
  readonly request: SearchRequest;
  readonly freshForMs: number;
}

/** The requests of WARM_QUERIES, each with defaults. Lines that no caller could ask are left out. */
export function readFixedList(lines: readonly string[]): SearchRequest[] {
  const parsed = lines.map((query) => searchRequest.safeParse({ query }));
  return parsed.flatMap((request) => (request.success ? [request.data] : []));
}

/** Of popular queries those that are likely to be asked again before a refreshed answer goes stale. */
export function worthWarming(queries: readonly PopularQuery[], config: LifetimeConfig): PopularQuery[] {
  return queries.filter(
    ({ request, score }) => expectedAsks(score, lifetimeMs(request, config)) >= WARM_MIN_EXPECTED_ASKS,
  );
}

/** Those that are not among `others` already, and each once. */
export function withoutRepeats(
  requests: readonly SearchRequest[],
  others: readonly SearchRequest[] = [],
): SearchRequest[] {
  const seen = new Set(others.map((other) => canonicalQuestion(other, [])));
  return requests.filter((request) => {
    const identity = canonicalQuestion(request, []);
    const first = !seen.has(identity);
    seen.add(identity);
    return first;
  });
}

/** Whether it goes stale before the next run has looked. What was made just now is not, however soon it goes stale. */
export function isDue({ request, freshForMs }: Looked, config: LifetimeConfig): boolean {
  return freshForMs < Math.min(WARM_MARGIN_MS, lifetimeMs(request, config) * WARM_MARGIN_PART);
}

/** What is absent first, then what has been stale longest. Equals stay in their order. */
export function oldestFirst(looked: readonly Looked[]): Looked[] {
  return [...looked].sort((a, b) => (a.freshForMs === b.freshForMs ? 0 : a.freshForMs - b.freshForMs));
}

function lifetimeMs({ topic }: SearchRequest, config: LifetimeConfig): number {
  return (topic === "news" ? config.CACHE_TTL_NEWS_SECONDS : config.CACHE_TTL_SECONDS) * MS_PER_SECOND;
}

const MS_PER_SECOND = 1_000;
