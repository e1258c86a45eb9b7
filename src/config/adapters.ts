import type { Config } from "./config.ts";

/** Which adapter serves each part under this configuration, in words for an operator. Holds no secret. */
export function adaptersInUse(config: Config): Readonly<Record<string, string>> {
  const providers = [
    config.TAVILY_API_KEY === undefined ? null : "tavily",
    config.JINA_API_KEY === undefined ? null : "jina",
    config.TAVILY_API_KEY === undefined && config.SEARCH_KEYLESS ? "tavily-keyless" : null,
    config.SEARXNG_URL === undefined ? null : "searxng",
    config.SEARCH_KEYLESS ? "wikipedia" : null,
    "index",
  ].filter((name) => name !== null);
  return {
    documents: documentsAdapter(config),
    "shared state": config.UPSTASH_REDIS_REST_URL === undefined ? "embedded (Durable Objects)" : "Upstash Redis",
    target: config.DEPLOY_TARGET,
    search: providers.join(" → "),
  };
}

function documentsAdapter(config: Config): string {
  if (config.MONGODB_DATA_API_URL !== undefined) return "MongoDB, by way of a Data API gateway";
  return config.MONGODB_URI === undefined ? "embedded (SQLite in Durable Objects)" : "MongoDB, by way of the driver";
}
