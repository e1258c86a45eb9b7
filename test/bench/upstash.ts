import { join } from "node:path";
import { startChild } from "./child.ts";

export type UpstashQuestion = "address" | "count";

export interface BenchUpstash {
  /** What makes our Worker use it. */
  readonly variables: Readonly<Record<string, string>>;
  /** How many HTTP requests it has answered since it started. */
  countRequests(): Promise<number>;
  stop(): Promise<void>;
}

/** A real Redis behind Upstash's REST interface. */
export async function startBenchUpstash(): Promise<BenchUpstash> {
  const child = startChild(join(import.meta.dirname, "upstash-process.ts"));
  const ask = <Answer>(question: UpstashQuestion) => child.ask<Answer>(question);
  const { url, token } = await ask<{ readonly url: string; readonly token: string }>("address");
  return {
    variables: { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token },
    countRequests: async () => (await ask<{ readonly requests: number }>("count")).requests,
    stop: child.stop,
  };
}
