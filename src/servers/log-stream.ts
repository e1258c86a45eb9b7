import type { Clock } from "../core/clock.ts";
import { toError, validationFailed } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { ok, type Result } from "../core/result.ts";
import type { ExecutionLog, LogEvent } from "./execution-log.ts";
import {
  LOG_STREAM_HEARTBEAT_MS,
  LOG_STREAM_MAX_MS,
  LOG_STREAM_POLL_MS,
  LOG_STREAM_RECHECK_MS,
  LOG_STREAM_RETRY_MS,
} from "./limits.ts";
import { logIdAt, parseLogCursor } from "./log-cursor.ts";
import { createLogFollower, type LogFollower } from "./log-follower.ts";

export interface LogStreamOptions {
  readonly executionLog: Pick<ExecutionLog, "list" | "listAfter">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly serverId: string;
  readonly ownerId: string;
  /** The header as it came: an id of this stream, or the id of an event. Without it the newest events come first. */
  readonly lastEventId: string | undefined;
  /** Whether the caller may still read; asked every LOG_STREAM_RECHECK_MS. */
  readonly mayContinue?: () => Promise<boolean>;
}

const HEADERS = {
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-store",
  // Proxies that collect answers before they pass them on would hold events back.
  "X-Accel-Buffering": "no",
};

/**
 * A server's log as server-sent events: what is newer than `Last-Event-ID`, then what happens. The store is read only
 * when the client takes what was read before. The stream ends itself after LOG_STREAM_MAX_MS, and when the store does
 * not answer: clients come back with the last id, and lose nothing by it.
 *
 * The first read is made before the answer, so that a store that does not answer is a 503.
 */
export async function streamLogs(options: LogStreamOptions): Promise<Result<Response>> {
  const { lastEventId = "" } = options;
  const since = lastEventId === "" ? null : parseLogCursor(lastEventId);
  if (lastEventId !== "" && since === null) {
    return validationFailed([{ path: "Last-Event-ID", message: "the id of an event of this log" }]);
  }
  const follower = await createLogFollower({ ...options, since });
  const first = await follower.read();
  // Whoever begins at an empty log and comes back has missed nothing either.
  const origin = since === null && first.events.length === 0 ? `id: ${logIdAt(0)}\n\n` : "";
  const beginning = `retry: ${LOG_STREAM_RETRY_MS}\n\n${origin}${writeEvents(first.events, follower)}`;
  return ok(new Response(follow(options, follower, beginning, first.caughtUp), { headers: HEADERS }));
}

function follow(
  { clock, log, serverId, mayContinue }: LogStreamOptions,
  follower: LogFollower,
  beginning: string,
  caughtUp: boolean,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const endsAt = clock.now() + LOG_STREAM_MAX_MS;
  let spokeAt = clock.now();
  let checkedAt = spokeAt;
  let readAgainAt = caughtUp ? spokeAt + LOG_STREAM_POLL_MS : spokeAt;
  let stopped = false;
  let wake = () => {};

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
    if (stopped || clock.now() >= endsAt) return true;
    if (mayContinue === undefined || clock.now() - checkedAt < LOG_STREAM_RECHECK_MS) return false;
    checkedAt = clock.now();
    return !(await mayContinue());
  }

  /** The next text to send; null where there is none, and the stream is over. */
  async function next(): Promise<string | null> {
    for (;;) {
      const earlyBy = readAgainAt - clock.now();
      if (earlyBy > 0) await pause(earlyBy);
      if (await isOver()) return null;
      const page = await follower.read();
      readAgainAt = page.caughtUp ? clock.now() + LOG_STREAM_POLL_MS : clock.now();
      const isSilent = clock.now() - spokeAt >= LOG_STREAM_HEARTBEAT_MS;
      if (page.events.length === 0 && !isSilent) continue;
      spokeAt = clock.now();
      return page.events.length === 0 ? ": nothing new\n\n" : writeEvents(page.events, follower);
    }
  }

  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(beginning));
    },
    async pull(controller) {
      const text = await next().catch((error: unknown) => {
        log.warn("log_stream_broke", { serverId, error: toError(error) });
        return null;
      });
      if (stopped) return;
      if (text === null) controller.close();
      else controller.enqueue(encoder.encode(text));
    },
    cancel() {
      stopped = true;
      wake();
    },
  });
}

function writeEvents(events: readonly LogEvent[], follower: LogFollower): string {
  return events
    .map((event) => `id: ${follower.take(event)}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("");
}
