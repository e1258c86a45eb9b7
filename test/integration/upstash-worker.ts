import { systemClock } from "../../src/core/clock.ts";
import { systemRandom } from "../../src/core/ids.ts";
import type { SharedState } from "../../src/storage/shared-state/shared-state.ts";
import { createUpstashSharedState } from "../../src/storage/shared-state/upstash.ts";
import type { RemoteCall, RemoteReply } from "../support/upstash/remote-shared-state.ts";

// The bundler asks for every Durable Object that wrangler.toml names.
export * from "../../src/index.ts";

interface TestEnv {
  readonly UPSTASH_REDIS_REST_URL: string;
  readonly UPSTASH_REDIS_REST_TOKEN: string;
}

/** Kept over requests, as the product keeps it. */
let store: SharedState | undefined;

/** Hands the adapter, inside workerd, to a test outside. */
export default {
  async fetch(request, env): Promise<Response> {
    store ??= createUpstashSharedState({
      url: env.UPSTASH_REDIS_REST_URL,
      token: env.UPSTASH_REDIS_REST_TOKEN,
      fetch: (url, init) => fetch(url, init),
      clock: systemClock,
      random: systemRandom,
    });
    return Response.json(await perform(store, await request.json<RemoteCall>()));
  },
} satisfies ExportedHandler<TestEnv>;

async function perform(shared: SharedState, { method, args }: RemoteCall): Promise<RemoteReply> {
  try {
    const call = shared[method] as (...args: readonly unknown[]) => Promise<unknown>;
    return { value: (await call(...args)) ?? null };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error: { name: error.name, message: error.message } };
  }
}
