import { setTimeout as sleep } from "node:timers/promises";
import { listen } from "../node-listener.ts";

/** Stands before a provider and lets its calls wait. */
export interface Turnstile extends AsyncDisposable {
  readonly url: string;
  /** Calls that came so far, those that wait included. */
  count(): number;
  /** Calls wait from now on. */
  hold(): void;
  /** Those that wait go on, and those to come do after `latencyMs`. */
  letGo(latencyMs?: number): void;
  close(): Promise<void>;
}

export async function startTurnstile(target: string): Promise<Turnstile> {
  let calls = 0;
  let latencyMs = 0;
  let bar: PromiseWithResolvers<void> | null = null;

  async function pass({ method, url, headers }: Request, body: string): Promise<Response> {
    const { pathname, search } = new URL(url);
    const authorization = headers.get("authorization") ?? "";
    const answer = await fetch(target + pathname + search, {
      method,
      headers: { authorization },
      ...(body === "" ? {} : { body }),
    });
    return Response.json(await answer.json(), { status: answer.status });
  }

  const server = await listen(async (request) => {
    calls++;
    await (bar === null ? sleep(latencyMs) : bar.promise);
    return pass(request, await request.text());
  });
  return {
    url: server.url,
    count: () => calls,
    hold() {
      bar ??= Promise.withResolvers<void>();
    },
    letGo(ms = 0) {
      latencyMs = ms;
      bar?.resolve();
      bar = null;
    },
    close: server.close,
    [Symbol.asyncDispose]: server.close,
  };
}
