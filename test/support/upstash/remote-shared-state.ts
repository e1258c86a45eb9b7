import { StorageUnavailable } from "../../../src/core/errors.ts";
import type { SharedState } from "../../../src/storage/shared-state/shared-state.ts";

export interface RemoteCall {
  readonly method: keyof SharedState;
  readonly args: readonly unknown[];
}

export type RemoteReply =
  | { readonly value: unknown }
  | { readonly error: { readonly name: string; readonly message: string } };

/** The port of an adapter that runs behind an address, see `test/integration/upstash-worker.ts`. */
export function createRemoteSharedState(url: string): SharedState {
  async function call<T>(method: keyof SharedState, args: readonly unknown[]): Promise<T> {
    const response = await fetch(url, { method: "POST", body: JSON.stringify({ method, args } satisfies RemoteCall) });
    if (!response.ok) throw new Error(`the test Worker answered ${response.status}: ${await response.text()}`);
    const reply = (await response.json()) as RemoteReply;
    if ("error" in reply) throw rebuild(reply.error);
    return reply.value as T;
  }
  return {
    consult: (...args) => call("consult", args),
    admit: (...args) => call("admit", args),
    giveBack: (...args) => call("giveBack", args),
    cacheLookup: (...args) => call("cacheLookup", args),
    cacheStore: (...args) => call("cacheStore", args),
    cacheRelease: (...args) => call("cacheRelease", args),
    cacheDelete: (...args) => call("cacheDelete", args),
    cacheClear: () => call("cacheClear", []),
    acquireLease: (...args) => call("acquireLease", args),
    renewLease: (...args) => call("renewLease", args),
    releaseLease: (...args) => call("releaseLease", args),
    increment: (...args) => call("increment", args),
    readCounter: (...args) => call("readCounter", args),
    async ping() {
      await call("ping", []);
    },
  };
}

function rebuild({ name, message }: { readonly name: string; readonly message: string }): Error {
  if (name === "StorageUnavailable") return new StorageUnavailable(message);
  return name === "TypeError" ? new TypeError(message) : new Error(`${name}: ${message}`);
}
