import { Fault } from "./faults.ts";
import { DURATION_MAX_CHARS } from "./limits.ts";
import { type Duration, duration, type Timestamp, timestamp } from "./values.ts";

/** CEL: the years 1 to 9999. */
const EARLIEST_MS = -62_135_596_800_000;
const LATEST_MS = 253_402_300_799_999;
/** CEL: some 10,000 years. */
const LONGEST_NANOS = 315_576_000_000n * 1_000_000_000n;

export function timestampOf(ms: number): Timestamp {
  if (!(ms >= EARLIEST_MS && ms <= LATEST_MS)) throw new Fault("a timestamp lies between the years 1 and 9999");
  return timestamp(Math.trunc(ms));
}

export function durationOf(nanos: bigint): Duration {
  if (nanos > LONGEST_NANOS || nanos < -LONGEST_NANOS) throw new Fault("the duration is too long");
  return duration(nanos);
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

export function parseTimestamp(text: string): Timestamp {
  const [, year, month, day] = RFC3339.exec(text) ?? [];
  const ms = year === undefined ? Number.NaN : Date.parse(text.toUpperCase());
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (Number.isNaN(ms) || Number(day) > lastDay) {
    throw new Fault("timestamp() takes a time such as 2026-01-31T12:00:00Z");
  }
  return timestampOf(ms);
}

const UNIT_NANOS: Readonly<Record<string, bigint>> = {
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  µs: 1_000n,
  ns: 1n,
};
const FRACTION_DIGITS = 13;
const FRACTION_SCALE = 10n ** BigInt(FRACTION_DIGITS);
const DURATION_PART = /(\d{1,15})(?:\.(\d{1,13}))?(ns|us|µs|ms|s|m|h)/y;

/** `1h30m`, `-1.5s`: as Go and CEL write them. */
export function parseDuration(text: string): Duration {
  const body = text.slice(0, DURATION_MAX_CHARS + 1).replace(/^[+-]/, "");
  let nanos = 0n;
  let at = 0;
  while (at < body.length && body.length <= DURATION_MAX_CHARS) {
    DURATION_PART.lastIndex = at;
    const [all, whole = "0", fraction = "", unit = ""] = DURATION_PART.exec(body) ?? [];
    if (all === undefined) break;
    const unitNanos = UNIT_NANOS[unit] ?? 0n;
    nanos += BigInt(whole) * unitNanos + (BigInt(fraction.padEnd(FRACTION_DIGITS, "0")) * unitNanos) / FRACTION_SCALE;
    at += all.length;
  }
  if (at === 0 || at !== body.length) throw new Fault("duration() takes a time span such as 90s or 1h30m");
  return durationOf(text.startsWith("-") ? -nanos : nanos);
}

const NANOS_PER_S = 1_000_000_000n;

/** `5400s`, `-0.25s`: as protobuf writes them in JSON. */
export function durationText({ nanos }: Duration): string {
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = String(size % NANOS_PER_S)
    .padStart(9, "0")
    .replace(/0+$/, "");
  return `${nanos < 0n ? "-" : ""}${size / NANOS_PER_S}${fraction === "" ? "" : `.${fraction}`}s`;
}

export function timestampText({ ms }: Timestamp): string {
  return new Date(ms).toISOString();
}
