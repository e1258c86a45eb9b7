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

/** The time that was last written out: what happens together is of one millisecond. */
let last = { epochMs: 0, text: "1970-01-01T00:00:00.000Z" };

/** `2026-02-13T10:30:00.000Z`: the one form in which times are stored and shown. */
export function isoTime(epochMs: number): string {
  if (last.epochMs !== epochMs) last = { epochMs, text: new Date(epochMs).toISOString() };
  return last.text;
}

/** Nothing ends it early, and a request that the runtime ends never comes back from it. */
export function sleep(clock: Pick<Clock, "after">, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
