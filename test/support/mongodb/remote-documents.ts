import { StorageUnavailable } from "../../../src/core/errors.ts";
import type { Documents } from "../../../src/storage/documents/documents.ts";

export interface RemoteCall {
  readonly method: keyof Documents;
  readonly args: readonly unknown[];
}

export type RemoteReply =
  | { readonly value: unknown }
  | { readonly error: { readonly name: string; readonly message: string } };

/** The documents port of an adapter that runs behind an address, see `test/integration/worker.ts`. */
export function createRemoteDocuments(url: string): Documents {
  async function call<T>(method: keyof Documents, ...args: readonly unknown[]): Promise<T> {
    const body = JSON.stringify({ method, args }, keepNumbers);
    const response = await fetch(url, { method: "POST", body });
    if (!response.ok) throw new Error(`the test Worker answered ${response.status}: ${await response.text()}`);
    const reply = (await response.json()) as RemoteReply;
    if ("error" in reply) throw rebuild(reply.error);
    return reply.value as T;
  }
  return {
    insertOne: (...args) => call("insertOne", ...args),
    findOne: (...args) => call("findOne", ...args),
    find: (...args) => call("find", ...args),
    updateOne: (...args) => call("updateOne", ...args),
    updateMany: (...args) => call("updateMany", ...args),
    replaceOne: (...args) => call("replaceOne", ...args),
    deleteOne: (...args) => call("deleteOne", ...args),
    deleteMany: (...args) => call("deleteMany", ...args),
    uniqueFields: (...args) => call("uniqueFields", ...args),
    async ping() {
      await call("ping");
    },
  };
}

/** `NaN` and the infinities cross as texts that nothing else is, since JSON has no word for them. */
const NUMBER_MARK = "\0number:";

function keepNumbers(_name: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? `${NUMBER_MARK}${value}` : value;
}

export function parseRemoteCall(text: string): RemoteCall {
  const revive = (_name: string, value: unknown) =>
    typeof value === "string" && value.startsWith(NUMBER_MARK) ? Number(value.slice(NUMBER_MARK.length)) : value;
  return JSON.parse(text, revive) as RemoteCall;
}

function rebuild({ name, message }: { readonly name: string; readonly message: string }): Error {
  if (name === "TypeError") return new TypeError(message);
  if (name === "RangeError") return new RangeError(message);
  if (name === "StorageUnavailable") return new StorageUnavailable(message);
  return new Error(`${name}: ${message}`);
}
