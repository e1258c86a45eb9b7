import { WRITE_BEHIND_MS } from "./limits.ts";

/**
 * One value in memory, written to storage behind the answers: the first change at once, later ones at most once in
 * `WRITE_BEHIND_MS`, and no answer waits for the disk. A crash loses what came since the last write.
 */
interface WriteBehind<T> {
  read(): T | undefined;
  write(value: T): void;
  /** Drops the value and what is not yet written of it; the caller clears the storage. */
  forget(): void;
}

export function createWriteBehind<T>(storage: DurableObjectStorage, key: string): WriteBehind<T> {
  let loaded = false;
  let value: T | undefined;
  let dirty = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    dirty = false;
    // A write that fails resets the object: there is nobody left to tell.
    storage.put(key, value, { allowUnconfirmed: true }).catch(() => {});
    timer = setTimeout(() => {
      timer = undefined;
      if (dirty) flush();
    }, WRITE_BEHIND_MS);
  }

  return {
    read() {
      if (!loaded) value = storage.kv.get<T>(key);
      loaded = true;
      return value;
    },
    write(next) {
      loaded = true;
      value = next;
      dirty = true;
      if (timer === undefined) flush();
    },
    forget() {
      loaded = true;
      value = undefined;
      dirty = false;
    },
  };
}
