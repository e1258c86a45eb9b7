import type { Documents } from "../../src/storage/documents/documents.ts";

/** What a process is about to ask of its store, or has asked. */
export interface StoreCall {
  readonly operation: keyof Documents;
  readonly collection: string;
  /** The arguments behind the collection, as JSON. */
  readonly args: string;
}

interface StoreHooks {
  /** What it returns is waited for; what it throws is what the store throws. */
  readonly before?: (call: StoreCall) => unknown;
  /** Holds back the answer of what is done. */
  readonly after?: (call: StoreCall) => unknown;
  /** True where the process ends here: nothing that it does from now on reaches the store. */
  readonly endsAfter?: (call: StoreCall) => boolean;
}

/** For `startProcess`: the same store, with somebody who looks at each call. */
export function hookStore({ before, after, endsAfter }: StoreHooks): (documents: Documents) => Documents {
  let ended = false;
  return (documents) =>
    new Proxy(documents, {
      get(target, operation: keyof Documents) {
        return async (...args: [{ name: string }, ...unknown[]]) => {
          const call = { operation, collection: args[0].name, args: JSON.stringify(args.slice(1)) };
          if (ended) return never();
          await before?.(call);
          if (ended) return never();
          const answer = await (target[operation] as (...args: unknown[]) => Promise<unknown>)(...args);
          await after?.(call);
          ended ||= endsAfter?.(call) ?? false;
          return ended ? never() : answer;
        };
      },
    });
}

function never(): Promise<never> {
  return new Promise(() => {});
}
