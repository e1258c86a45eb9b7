/**
 * A map whose entries weigh at most `max` together: setting one makes it the newest, and the oldest go first. An entry
 * that alone weighs more is not kept.
 */
export interface Recent<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  /** Without telling `onDrop`. */
  delete(key: string): void;
  /** The oldest first. */
  entries(): Iterable<readonly [string, V]>;
}

/** Without `weigh` each entry weighs 1. */
export function createRecent<V>(
  max: number,
  onDrop: (key: string, value: V) => void = () => {},
  weigh: (value: V) => number = () => 1,
): Recent<V> {
  // A Map keeps the order of insertion, and takes any text as a key.
  const entries = new Map<string, V>();
  let weight = 0;

  function remove(key: string): void {
    const value = entries.get(key);
    if (value !== undefined && entries.delete(key)) weight -= weigh(value);
  }

  return {
    get: (key) => entries.get(key),
    set(key, value) {
      remove(key);
      entries.set(key, value);
      weight += weigh(value);
      for (const [oldest, dropped] of entries) {
        if (weight <= max) return;
        remove(oldest);
        onDrop(oldest, dropped);
      }
    },
    delete: remove,
    entries: () => entries,
  };
}
