import type { Clock } from "../core/clock.ts";
import type { ExecutionLog, LogEvent } from "./execution-log.ts";
import {
  LOG_STREAM_INITIAL_EVENTS,
  LOG_STREAM_OVERLAP_MS,
  LOG_STREAM_PAGE_EVENTS,
  LOG_STREAM_REMEMBERED_EVENTS,
} from "./limits.ts";
import { LOG_BEGIN, type LogCursor, logIdAt, nameOf, writeLogCursor } from "./log-cursor.ts";

/** One reader of one server's log, on its way to the end and beyond. */
export interface LogFollower {
  /** One page of what was not sent yet, in the order of ids. `caughtUp` when there is no more of it now. */
  read(): Promise<{ readonly events: readonly LogEvent[]; readonly caughtUp: boolean }>;
  /** Notes an event as sent, and says what the client has with it. */
  take(event: LogEvent): string;
}

/**
 * Follows a log whose events do not show up in the order of their ids: ids are made on many isolates, whose clocks
 * differ, and an insert may be overtaken. So each walk to the log's end begins LOG_STREAM_OVERLAP_MS before the start
 * of the walk before it, and what was sent from there on is remembered: what came late is found, nothing is sent twice.
 */
export async function createLogFollower(deps: {
  readonly executionLog: Pick<ExecutionLog, "list" | "listAfter">;
  readonly clock: Clock;
  readonly serverId: string;
  readonly ownerId: string;
  /** Null to begin with the newest events. */
  readonly since: LogCursor | null;
  /** How many of the newest events come first. */
  readonly limit?: number;
}): Promise<LogFollower> {
  const { executionLog, clock, serverId, ownerId, since, limit = LOG_STREAM_INITIAL_EVENTS } = deps;
  const sent = new Set<string>();
  let waiting: readonly LogEvent[] | null = null;
  /** All that goes up to here is settled: sent, or before what this client wants. */
  let floor = since?.floor ?? LOG_BEGIN;
  let nextFloor = floor;
  let position = floor;
  let walkBeganAt: number | null = null;

  if (since === null) {
    // Of fewer than these, what shows up late between them would be missed.
    const count = Math.max(limit, LOG_STREAM_INITIAL_EVENTS);
    const newest = (await executionLog.list(serverId, ownerId, count)).toReversed();
    for (const { id } of newest.slice(0, -limit)) sent.add(id);
    waiting = newest.slice(-limit);
    const [oldest] = newest;
    if (oldest !== undefined && newest.length === count) {
      floor = oldest.id;
      nextFloor = floor;
      position = floor;
    }
  }

  function isKnown(id: string): boolean {
    if (id <= floor || sent.has(id)) return true;
    const named = since !== null && id <= since.newest && since.names.has(nameOf(id));
    if (named) sent.add(id);
    return named;
  }

  /** What lies before the floor need not be remembered. Only between pages: a page that breaks off is not settled. */
  function settle(): void {
    const surplus = sent.size - LOG_STREAM_REMEMBERED_EVENTS;
    const crowded = surplus > 0 ? ([...sent].sort()[surplus - 1] ?? floor) : floor;
    for (const candidate of [nextFloor, crowded]) if (candidate > floor) floor = candidate;
    for (const id of sent) if (id <= floor) sent.delete(id);
  }

  async function readPage() {
    settle();
    if (walkBeganAt === null) {
      walkBeganAt = clock.now();
      position = floor;
    }
    const page = await executionLog.listAfter(serverId, ownerId, LOG_STREAM_PAGE_EVENTS, position);
    const caughtUp = page.length < LOG_STREAM_PAGE_EVENTS;
    if (caughtUp) {
      nextFloor = logIdAt(walkBeganAt - LOG_STREAM_OVERLAP_MS);
      walkBeganAt = null;
    } else position = page.at(-1)?.id ?? position;
    return { events: page.filter(({ id }) => !isKnown(id)), caughtUp };
  }

  return {
    async read() {
      if (waiting === null) return readPage();
      const events = waiting;
      waiting = null;
      return { events, caughtUp: true };
    },
    take({ id }) {
      sent.add(id);
      return writeLogCursor(floor, sent);
    },
  };
}
