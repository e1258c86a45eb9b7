/** A map that keeps at most `max` entries: setting one makes it the newest, and the oldest go first. */
export interface Recent<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
}

export function createRecent<V>(max: number, onDrop: (key: string, value: V) => void = () => {}): Recent<V> {
  // A Map keeps the order of insertion, and takes any text as a key.
  const entries = new Map<string, V>();
  return {
    get: (key) => entries.get(key),
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size <= max) return;
      for (const [oldest, dropped] of entries) {
        entries.delete(oldest);
        onDrop(oldest, dropped);
        return;
      }
    },
  };
}
