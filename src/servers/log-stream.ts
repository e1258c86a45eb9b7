import type { Clock } from "../core/clock.ts";
import { toError, validationFailed } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { ok, type Result } from "../core/result.ts";
import { createEventStream } from "../http/event-stream.ts";
import type { StreamPlace } from "../http/stream-places.ts";
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
  /** With how many of the newest events it begins; LOG_STREAM_INITIAL_EVENTS where it is left out. */
  readonly limit?: number;
  /** Ends the stream. */
  readonly signal?: AbortSignal | undefined;
  /** Whether the caller may still read; asked every LOG_STREAM_RECHECK_MS. */
  readonly mayContinue?: (() => Promise<boolean>) | undefined;
  /** Held until the stream has ended. */
  readonly place?: StreamPlace | undefined;
}

const LIMITS = {
  pollMs: LOG_STREAM_POLL_MS,
  heartbeatMs: LOG_STREAM_HEARTBEAT_MS,
  recheckMs: LOG_STREAM_RECHECK_MS,
  maxMs: LOG_STREAM_MAX_MS,
  maxReads: Number.POSITIVE_INFINITY,
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
  const { clock, log, serverId, signal, mayContinue, place } = options;
  return ok(
    createEventStream({
      clock,
      limits: LIMITS,
      first: {
        text: `retry: ${LOG_STREAM_RETRY_MS}\n\n${origin}${writeEvents(first.events, follower)}`,
        caughtUp: first.caughtUp,
      },
      async read() {
        const { events, caughtUp } = await follower.read();
        return { text: writeEvents(events, follower), caughtUp };
      },
      onBroken: (error) => log.warn("log_stream_broke", { serverId, error: toError(error) }),
      signal,
      mayContinue,
      place,
    }),
  );
}

function writeEvents(events: readonly LogEvent[], follower: LogFollower): string {
  return events
    .map((event) => `id: ${follower.take(event)}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("");
}
