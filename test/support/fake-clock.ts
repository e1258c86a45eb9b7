import type { Clock } from "../../src/core/clock.ts";

export interface FakeClock extends Clock {
  /** Moves time on and runs what falls due, in order. */
  advance(ms: number): Promise<void>;
}

/** Time that stands still until it is moved. */
export function createFakeClock(startMs = Date.parse("2026-02-13T10:30:00.000Z")): FakeClock {
  let now = startMs;
  let timers: { readonly at: number; readonly action: () => void }[] = [];
  return {
    now: () => now,
    after(ms, action) {
      const timer = { at: now + ms, action };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        await settle();
        const [next] = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers = timers.filter((other) => other !== next);
        now = next.at;
        next.action();
      }
      now = end;
      await settle();
    },
  };
}

/** Time that stands still, but that what is to happen after 0 ms happens by itself, in a turn of its own. */
export function createClockWithBreaks(): FakeClock {
  const clock = createFakeClock();
  return {
    ...clock,
    after(ms, action) {
      if (ms > 0) return clock.after(ms, action);
      const turn = setImmediate(action);
      return () => clearImmediate(turn);
    },
  };
}

/** Lets everything that waits on promises alone run on. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
