import { LOG_CURSOR_NAMED_EVENTS } from "./limits.ts";

/** Ids of events are `log_` and a ULID in lower case: its time first, so that they sort by it. */
const PREFIX = "log_";
const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_CHARS = 10;
const RANDOM_CHARS = 16;
/** Enough to tell events of one short while apart. */
const NAME_CHARS = 5;

const ULID = `[${DIGITS}]{${TIME_CHARS + RANDOM_CHARS}}`;
const CURSOR = new RegExp(
  `^${PREFIX}(${ULID})(?:\\.(${ULID})?\\.((?:[${DIGITS}]{${NAME_CHARS}}){0,${LOG_CURSOR_NAMED_EVENTS}}))?$`,
);

/** Sorts before every event. */
export const LOG_BEGIN = PREFIX;

/**
 * What a client has of a log: all that goes up to `floor`, and of what comes after it, up to `newest`, only the events
 * that are named. So an event that shows up late between the two is still to be sent, and nothing is sent twice.
 */
export interface LogCursor {
  readonly newest: string;
  readonly floor: string;
  readonly names: ReadonlySet<string>;
}

/** The plain id of an event means all events up to it. Null for any other text. */
export function parseLogCursor(text: string): LogCursor | null {
  const [whole, newest, floor = "", names] = CURSOR.exec(text) ?? [];
  if (whole === undefined) return null;
  const id = `${PREFIX}${newest}`;
  if (names === undefined) return { newest: id, floor: id, names: new Set() };
  const list = names.match(new RegExp(`.{${NAME_CHARS}}`, "g")) ?? [];
  return { newest: id, floor: `${PREFIX}${floor}`, names: new Set([nameOf(id), ...list]) };
}

/** `sent` holds at least one event, in any order. Of more than can be named the oldest count as long settled. */
export function writeLogCursor(floor: string, sent: Iterable<string>): string {
  const ids = [...sent].sort();
  const newest = ids.pop() ?? LOG_BEGIN;
  const named = ids.slice(-LOG_CURSOR_NAMED_EVENTS);
  const settled = ids.at(-LOG_CURSOR_NAMED_EVENTS - 1) ?? floor;
  return `${newest}.${(settled > floor ? settled : floor).slice(PREFIX.length)}.${named.map(nameOf).join("")}`;
}

/** What a cursor calls an event. */
export function nameOf(id: string): string {
  return id.slice(-NAME_CHARS);
}

/** Greater than the id of every event before this time, smaller than those of the events from it on. */
export function logIdAt(epochMs: number): string {
  let rest = Math.max(0, Math.floor(epochMs));
  let time = "";
  for (let i = 0; i < TIME_CHARS; i++) {
    time = DIGITS[rest % DIGITS.length] + time;
    rest = Math.floor(rest / DIGITS.length);
  }
  return `${PREFIX}${time}${"0".repeat(RANDOM_CHARS)}`;
}
