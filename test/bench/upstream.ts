import { join } from "node:path";
import { startChild } from "./child.ts";

/** To listen on a port for each delay, or how many requests have come. */
export type UpstreamQuestion = { readonly delaysMs: readonly number[] } | "count";

export interface Upstream {
  /** Where it answers at once, and where after the latency. */
  readonly instantUrl: string;
  readonly slowUrl: string;
  /** How many requests it has answered since it started. */
  countRequests(): Promise<number>;
  stop(): Promise<void>;
}

/** A stand-in for a search provider and for a model, cheap enough not to be what is measured. */
export async function startUpstream(latencyMs: number): Promise<Upstream> {
  const child = startChild(join(import.meta.dirname, "upstream-process.ts"));
  const ask = <Answer>(question: UpstreamQuestion) => child.ask<Answer>(question);
  const { ports } = await ask<{ readonly ports: readonly number[] }>({ delaysMs: [0, latencyMs] });
  return {
    instantUrl: `http://127.0.0.1:${ports[0]}`,
    slowUrl: `http://127.0.0.1:${ports[1]}`,
    countRequests: async () => (await ask<{ readonly requests: number }>("count")).requests,
    stop: child.stop,
  };
}
