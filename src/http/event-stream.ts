import type { Clock } from "../core/clock.ts";
import { validationFailed } from "../core/errors.ts";
import { STREAM_PLACE_RENEW_MS } from "./limits.ts";
import type { StreamPlace } from "./stream-places.ts";

const HEADERS = {
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-store",
  // Proxies that collect answers before they pass them on would hold events back.
  "X-Accel-Buffering": "no",
};

/** What a stream answers to the `cursor` of a list. */
export const CURSOR_REFUSED = validationFailed([{ path: "cursor", message: "a stream goes on from Last-Event-ID" }]);

/** Milliseconds, and a number. */
export interface EventStreamLimits {
  /** Between two reads, once there is no more to read. */
  readonly pollMs: number;
  /** Silence for this long is broken by a comment. */
  readonly heartbeatMs: number;
  /** How often `mayContinue` is asked. */
  readonly recheckMs: number;
  /** The stream ends itself after this time, and after this many reads. */
  readonly maxMs: number;
  readonly maxReads: number;
}

export interface EventPage {
  /** Whole events as they go over the wire; empty where nothing is new. */
  readonly text: string;
  /** There is no more of it now. */
  readonly caughtUp: boolean;
}

/**
 * Server-sent events out of pages that are read again and again, only when the client takes what was read before.
 * `first` has been read already, so that a failure there is an answer of its own. A read that throws ends the stream:
 * clients come back with the last id. However the stream ends, its place is given back; one whose client takes nothing
 * is broken off soon after its time.
 */
export function createEventStream(options: {
  readonly clock: Clock;
  readonly limits: EventStreamLimits;
  readonly first: EventPage;
  readonly read: () => Promise<EventPage>;
  readonly onBroken: (error: unknown) => void;
  /** Ends the stream. */
  readonly signal?: AbortSignal | undefined;
  /** Whether the caller may still read. */
  readonly mayContinue?: (() => Promise<boolean>) | undefined;
  /** Held until the stream has ended. */
  readonly place?: StreamPlace | undefined;
}): Response {
  const { clock, limits, first, signal, mayContinue, place } = options;
  const encoder = new TextEncoder();
  const startedAt = clock.now();
  let spokeAt = startedAt;
  let checkedAt = startedAt;
  let readAgainAt = first.caughtUp ? startedAt + limits.pollMs : startedAt;
  let readsLeft = limits.maxReads;
  let stopped = false;
  let cancelled = false;
  let wake = () => {};
  let stopRenewing = () => {};

  function stop(): void {
    stopped = true;
    wake();
    finish();
  }

  function finish(): void {
    stopRenewing();
    signal?.removeEventListener("abort", stop);
    place?.giveBack();
  }

  /** Beside the reads: a client that takes nothing is read nothing for. */
  function keepPlace(breakOff: () => void): void {
    stopRenewing = clock.after(STREAM_PLACE_RENEW_MS, () => {
      if (clock.now() < startedAt + limits.maxMs + STREAM_PLACE_RENEW_MS) {
        place?.renew();
        keepPlace(breakOff);
      } else breakOff();
    });
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancelTimer = clock.after(ms, resolve);
      wake = () => {
        cancelTimer();
        resolve();
      };
    });
  }

  async function isOver(): Promise<boolean> {
    if (stopped || readsLeft <= 0 || clock.now() >= startedAt + limits.maxMs) return true;
    if (mayContinue === undefined || clock.now() - checkedAt < limits.recheckMs) return false;
    checkedAt = clock.now();
    return !(await mayContinue());
  }

  async function waitForTurn(): Promise<void> {
    const earlyBy = readAgainAt - clock.now();
    if (earlyBy > 0 && !stopped) await pause(earlyBy);
  }

  /** What is new; a comment where that was nothing for long. */
  async function readText(): Promise<string> {
    readsLeft--;
    const { text, caughtUp } = await options.read();
    const now = clock.now();
    readAgainAt = caughtUp ? now + limits.pollMs : now;
    if (text === "" && now - spokeAt < limits.heartbeatMs) return "";
    spokeAt = now;
    return text === "" ? ": nothing new\n\n" : text;
  }

  /** The next text to send; null where there is none, and the stream is over. */
  async function next(): Promise<string | null> {
    for (;;) {
      await waitForTurn();
      if (await isOver()) return null;
      const text = await readText();
      if (text !== "") return text;
    }
  }

  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(first.text));
      keepPlace(() => {
        cancelled = true;
        stop();
        controller.error(new Error("the client does not take what is sent"));
      });
    },
    async pull(controller) {
      let isOpen = false;
      try {
        const text = await next();
        if (text !== null && !stopped) {
          controller.enqueue(encoder.encode(text));
          isOpen = true;
        }
      } catch (error) {
        options.onBroken(error);
      } finally {
        if (!isOpen) finish();
      }
      if (!isOpen && !cancelled) controller.close();
    },
    cancel() {
      cancelled = true;
      stop();
    },
  });
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  return new Response(body, { headers: HEADERS });
}
