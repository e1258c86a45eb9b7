import type { Config } from "../../config/config.ts";
import type { Clock } from "../../core/clock.ts";
import type { SearchIndex } from "../search-index.ts";
import { createIndexProvider } from "./index.ts";
import { createJinaProvider } from "./jina.ts";
import type { SearchProvider } from "./provider.ts";
import { createTavilyProvider } from "./tavily.ts";

type ChainConfig = Pick<Config, "TAVILY_API_KEY" | "TAVILY_BASE_URL" | "JINA_API_KEY" | "JINA_BASE_URL">;

/** Every provider in the order in which they are asked. Those without a key are in it, to be skipped by name. */
export function createProviderChain(config: ChainConfig, index: SearchIndex, clock: Clock): readonly SearchProvider[] {
  return [
    createTavilyProvider({ apiKey: config.TAVILY_API_KEY, baseUrl: config.TAVILY_BASE_URL, clock }),
    createJinaProvider({ apiKey: config.JINA_API_KEY, baseUrl: config.JINA_BASE_URL, clock }),
    createIndexProvider(index),
  ];
}
