import type { CelFunction } from "./function.ts";
import { SLOW_CALL_STEPS } from "./limits.ts";
import { wholeOf } from "./operators.ts";
import { parseDuration, parseTimestamp, timestampOf } from "./time.ts";
import { isDuration, isTimestamp, type Value } from "./values.ts";

const MS_PER_S = 1_000;
const MS_PER_DAY = 86_400_000;

export const TIME_FUNCTIONS: Readonly<Record<string, CelFunction>> = {
  timestamp: {
    takes: [["string", "int", "double", "timestamp"]],
    gives: "timestamp",
    steps: SLOW_CALL_STEPS,
    form: "timestamp(x)",
    does: "A point in time, of RFC 3339 text or of seconds since 1970.",
    run([value = null]) {
      if (isTimestamp(value)) return value;
      return typeof value === "string" ? parseTimestamp(value) : timestampOf(wholeOf(value) * MS_PER_S);
    },
  },
  duration: {
    takes: [["string", "duration"]],
    gives: "duration",
    steps: SLOW_CALL_STEPS,
    form: "duration(text)",
    does: "A time span, such as 90s or 1h30m.",
    run: ([value = null]) => (isDuration(value) ? value : parseDuration(String(value))),
  },
  getFullYear: ofDate("getFullYear", "The year, in UTC as all of these.", (date) => date.getUTCFullYear()),
  getMonth: ofDate("getMonth", "From 0.", (date) => date.getUTCMonth()),
  getDate: ofDate("getDate", "The day of the month from 1.", (date) => date.getUTCDate()),
  getDayOfMonth: ofDate("getDayOfMonth", "From 0.", (date) => date.getUTCDate() - 1),
  getDayOfWeek: ofDate("getDayOfWeek", "From 0, which is Sunday.", (date) => date.getUTCDay()),
  getDayOfYear: ofDate("getDayOfYear", "From 0.", (date) => {
    return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / MS_PER_DAY);
  }),
  getHours: ofTime("getHours", (date) => date.getUTCHours(), 3_600_000_000_000n),
  getMinutes: ofTime("getMinutes", (date) => date.getUTCMinutes(), 60_000_000_000n),
  getSeconds: ofTime("getSeconds", (date) => date.getUTCSeconds(), 1_000_000_000n),
  getMilliseconds: ofTime("getMilliseconds", (date) => date.getUTCMilliseconds(), 1_000_000n),
};

function dateOf(value: Value | undefined): Date {
  return new Date(value !== undefined && isTimestamp(value) ? value.ms : 0);
}

function ofDate(name: string, does: string, read: (date: Date) => number): CelFunction {
  return {
    takes: [["timestamp"]],
    gives: "int",
    steps: SLOW_CALL_STEPS,
    form: `timestamp.${name}()`,
    does,
    run: ([value]) => BigInt(read(dateOf(value))),
  };
}

function ofTime(name: string, read: (date: Date) => number, unitNanos: bigint): CelFunction {
  return {
    takes: [["timestamp", "duration"]],
    gives: "int",
    steps: SLOW_CALL_STEPS,
    form: `timestamp.${name}(), duration.${name}()`,
    does: "Of a duration, the whole of it.",
    run([value = null]) {
      return isDuration(value) ? value.nanos / unitNanos : BigInt(read(dateOf(value)));
    },
  };
}
