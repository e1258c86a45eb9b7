import type { Documents } from "../../src/storage/documents/documents.ts";

/** Holds the first call of this method about this collection, until it is released. */
export function holdFirst(method: keyof Documents, collection: string) {
  let release: () => void = () => {};
  let reach: () => void = () => {};
  let met = false;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const documents = (inner: Documents): Documents =>
    new Proxy(inner, {
      get(target, name: keyof Documents) {
        return async (...args: [{ name: string }, ...unknown[]]) => {
          if (!met && name === method && args[0].name === collection) {
            met = true;
            reach();
            await held;
          }
          return (target[name] as (...args: unknown[]) => unknown)(...args);
        };
      },
    });
  return { documents, reached, release };
}
