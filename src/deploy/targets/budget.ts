import type { Clock } from "../../core/clock.ts";
import { runWithin } from "../../core/deadline.ts";
import type { RandomBytes } from "../../core/ids.ts";
import { err, type Result } from "../../core/result.ts";
import { BACKOFF_MS } from "./limits.ts";

/** The time that one call of a target may take, repeats and pauses included. */
export interface Budget {
  /** Aborts when the time is up. */
  readonly signal: AbortSignal;
  /** Milliseconds that are left. */
  left(): number;
  /** Sleeps; false, at once, where that leaves no time to do anything afterwards. */
  pause(ms: number): Promise<boolean>;
}

/** Runs `work` for at most `timeoutMs`, whether its caller is still there or not. */
export async function runOnBudget<T>(
  deps: { readonly name: string; readonly clock: Clock; readonly timeoutMs: number },
  work: (budget: Budget) => Promise<Result<T>>,
): Promise<Result<T>> {
  const { clock, timeoutMs } = deps;
  const endsAt = clock.now() + timeoutMs;
  const left = () => endsAt - clock.now();
  const outcome = await runWithin(clock, timeoutMs, undefined, (signal) =>
    work({
      signal,
      left,
      async pause(ms) {
        if (ms >= left()) return false;
        await sleep(clock, ms, signal);
        return true;
      },
    }),
  );
  if (outcome.kind === "done") return outcome.value;
  return err({ code: "UPSTREAM_TIMEOUT", detail: `the target ${deps.name} did not answer within ${timeoutMs} ms` });
}

/** How long to wait before a repeat: half to one and a half times the usual. */
export function backoffMs(random: RandomBytes): number {
  return Math.round(BACKOFF_MS * (0.5 + (random(1)[0] ?? 0) / 255));
}

function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, resolve);
    signal.addEventListener("abort", () => {
      cancel();
      reject(signal.reason);
    });
  });
}
