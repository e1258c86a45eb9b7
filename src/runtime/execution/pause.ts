import type { Clock } from "../../core/clock.ts";
import type { RandomBytes } from "../../core/ids.ts";
import { RETRY_MAX_BACKOFF_MS } from "../limits.ts";

/** Two bytes of chance: finer than a timer. */
const FRACTION_MAX = 65_535;

/** Before another attempt after `failed` of them: anything up to what doubles each time ("full jitter"). */
export function pauseMs(random: RandomBytes, backoffMs: number, failed: number): number {
  const [high = 0, low = 0] = random(2);
  const most = Math.min(RETRY_MAX_BACKOFF_MS, backoffMs * 2 ** (failed - 1));
  return Math.round((most * (high * 256 + low)) / FRACTION_MAX);
}

/** Ends early where the signal aborts. */
export function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (ms <= 0 || signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      cancelTimer();
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const cancelTimer = clock.after(ms, end);
    signal?.addEventListener("abort", end, { once: true });
  });
}
