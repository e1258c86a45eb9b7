import { listen } from "./node-listener.ts";

/** Somebody else's service: it does a piece of work once for each `Idempotency-Key`, and counts who asked for it. */
export interface KeyedService {
  /** Where it answers. */
  readonly url: string;
  /** Where it is busy when a key comes for the first time. */
  readonly busyUrl: string;
  /** How often each key came. */
  readonly calls: ReadonlyMap<string, number>;
  /** Ends once so many more calls have come. */
  arrived(count: number): Promise<void>;
  /** From here on calls are counted, and answered after `release`. */
  hold(): void;
  release(): void;
  close(): Promise<void>;
}

export async function startKeyedService(): Promise<KeyedService> {
  const calls = new Map<string, number>();
  const waiting = new Set<{ left: number; readonly resolve: () => void }>();
  let held = Promise.withResolvers<void>();
  held.resolve();

  const listener = await listen(async (request) => {
    const key = request.headers.get("idempotency-key");
    if (key === null) return new Response("a key is needed", { status: 400 });
    const count = (calls.get(key) ?? 0) + 1;
    calls.set(key, count);
    for (const waiter of waiting) if (--waiter.left === 0) waiter.resolve();
    await held.promise;
    if (count === 1 && request.url.endsWith("/busy")) return new Response("busy", { status: 503 });
    return Response.json({ done: key });
  });

  return {
    url: `${listener.url}/work`,
    busyUrl: `${listener.url}/busy`,
    calls,
    arrived: (left) => new Promise((resolve) => void waiting.add({ left, resolve })),
    hold() {
      held = Promise.withResolvers();
    },
    release: () => held.resolve(),
    async close() {
      held.resolve();
      await listener.close();
    },
  };
}
