import type { Config } from "./config.ts";

/** Which adapter serves each part under this configuration, in words for an operator. Holds no secret. */
export function adaptersInUse(config: Config): Readonly<Record<string, string>> {
  const providers = [
    config.TAVILY_API_KEY === undefined ? null : "tavily",
    config.JINA_API_KEY === undefined ? null : "jina",
    "index",
  ].filter((name) => name !== null);
  return {
    documents: "embedded (SQLite in Durable Objects)",
    "shared state": "embedded (Durable Objects)",
    target: config.DEPLOY_TARGET,
    search: providers.join(" → "),
  };
}
