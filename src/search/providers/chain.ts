import type { Config } from "../../config/config.ts";
import type { Clock } from "../../core/clock.ts";
import type { SearchIndex } from "../index/search-index.ts";
import { createIndexProvider, INDEX_PROVIDER } from "./index.ts";
import { createJinaProvider } from "./jina.ts";
import type { SearchProvider } from "./provider.ts";
import { INDEX_PRIORITY } from "./provider-limits.ts";
import { createSearxngProvider } from "./searxng.ts";
import { createTavilyProvider } from "./tavily.ts";
import { createTavilyKeylessProvider } from "./tavily-keyless.ts";
import { createWikipediaProvider } from "./wikipedia.ts";

type ChainConfig = Pick<
  Config,
  | "TAVILY_API_KEY"
  | "TAVILY_BASE_URL"
  | "JINA_API_KEY"
  | "JINA_BASE_URL"
  | "SEARXNG_URL"
  | "WIKIPEDIA_BASE_URL"
  | "SEARCH_KEYLESS"
  | "PUBLIC_URL"
>;

/** Where to reach us while no PUBLIC_URL says it: a reserved name, which is nobody's. */
const UNNAMED_CONTACT = "https://orchestrix.example";

/** The lowest is asked first; gaps leave room for registered ones. The index stays last, whatever is registered. */
const BUILT_IN_PRIORITIES: ReadonlyMap<string, number> = new Map([
  ["tavily", 10],
  ["jina", 20],
  ["tavily-keyless", 30],
  ["searxng", 40],
  ["wikipedia", 50],
  [INDEX_PROVIDER, INDEX_PRIORITY],
]);

export function isBuiltIn(name: string): boolean {
  return BUILT_IN_PRIORITIES.has(name);
}

/** The priority of a built-in provider that nobody has changed. */
export function builtInPriority(name: string): number {
  return BUILT_IN_PRIORITIES.get(name) ?? INDEX_PRIORITY;
}

/** The built-in providers in their order. Those without a key are in it, to be skipped by name. */
export function createProviderChain(config: ChainConfig, index: SearchIndex, clock: Clock): readonly SearchProvider[] {
  const { TAVILY_API_KEY, TAVILY_BASE_URL, SEARCH_KEYLESS: keyless } = config;
  return [
    createTavilyProvider({ apiKey: TAVILY_API_KEY, baseUrl: TAVILY_BASE_URL, clock }),
    createJinaProvider({ apiKey: config.JINA_API_KEY, baseUrl: config.JINA_BASE_URL, clock }),
    createTavilyKeylessProvider({
      enabled: keyless && TAVILY_API_KEY === undefined,
      baseUrl: TAVILY_BASE_URL,
      clock,
    }),
    createSearxngProvider({ url: config.SEARXNG_URL, clock }),
    createWikipediaProvider({
      enabled: keyless,
      baseUrl: config.WIKIPEDIA_BASE_URL,
      userAgent: `Orchestrix/1.0 (${config.PUBLIC_URL ?? UNNAMED_CONTACT}; self-hosted web search)`,
      clock,
    }),
    createIndexProvider(index),
  ];
}
