/** Time as a dependency: a test moves it by hand and waits for nothing. */
export interface Clock {
  /** Milliseconds since the epoch. In workerd it stands still between I/O. */
  now(): number;
  /** Calls `action` once after `ms`, unless the returned function is called before. */
  after(ms: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};

/** `2026-02-13T10:30:00.000Z`: the one form in which times are stored and shown. */
export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
