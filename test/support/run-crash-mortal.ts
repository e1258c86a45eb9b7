import type { Documents } from "../../src/storage/documents/documents.ts";
import type { MemoryDocuments } from "./memory-documents.ts";

/** What a process has to do with the world, until it ends. */
export interface Mortal {
  documents(documents: MemoryDocuments): MemoryDocuments;
  call<A extends readonly unknown[], R>(call: (...args: A) => Promise<R>): (...args: A) => Promise<R>;
  isDead(): boolean;
}

/**
 * A process that ends at one of its calls, counted from 1: just before that call does anything, or just after, so that
 * its answer is lost. Of a dead process no call does anything, and none is answered.
 */
export function createMortal(lastCall: number, ends: "before" | "after"): Mortal {
  const never = new Promise<never>(() => {});
  let calls = 0;
  let dead = false;

  function call<A extends readonly unknown[], R>(real: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      if (dead) return never;
      calls++;
      dead = calls === lastCall;
      if (dead && ends === "before") return never;
      const result = await real(...args);
      return dead ? never : result;
    };
  }

  return {
    call,
    isDead: () => dead,
    documents(documents) {
      const mortal: Documents = {
        insertOne: call(documents.insertOne),
        findOne: call(documents.findOne),
        find: call(documents.find),
        updateOne: call(documents.updateOne),
        updateMany: call(documents.updateMany),
        replaceOne: call(documents.replaceOne),
        deleteOne: call(documents.deleteOne),
        deleteMany: call(documents.deleteMany),
        uniqueFields: call(documents.uniqueFields),
        ping: call(documents.ping),
      };
      return { ...documents, ...mortal };
    },
  };
}
