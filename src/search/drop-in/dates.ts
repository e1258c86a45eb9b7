import type { SearchRequest } from "../contract.ts";
import { DATE_TEXT_MAX_CHARS } from "./limits.ts";

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** In the order of their lengths. */
const RANGES = [
  ["day", DAY_MS],
  ["week", 7 * DAY_MS],
  ["month", 31 * DAY_MS],
  ["year", 366 * DAY_MS],
] as const;

const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ["second", 1_000],
  ["minute", 60_000],
  ["hour", HOUR_MS],
  ...RANGES,
]);

/** Epoch milliseconds, both ends included. */
export interface Period {
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

/** The first millisecond of the day (UTC), or null for no date. Takes `YYYY-MM-DD` and `MM/DD/YYYY`. */
export function parseDay(text: string): number | null {
  const [, year = "", month = "", day = ""] =
    /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text) ??
    text.replace(/^(\d{1,2})\/(\d{1,2})\/(\d{4})$/, "$3-$1-$2").match(/^(\d{4})-(\d{1,2})-(\d{1,2})$/) ??
    [];
  const iso = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const ms = Date.parse(iso);
  // The 31st of February must not become the 3rd of March.
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(iso) ? ms : null;
}

/** The last millisecond of the day that begins then. */
export function endOfDay(startMs: number): number {
  return startMs + DAY_MS - 1;
}

/**
 * When a page was published, of what providers write: dates with a year in any usual form, taken as UTC where they name
 * no zone, and `3 days ago`. Null where it does not say.
 */
export function parsePublished(text: string, nowMs: number): number | null {
  const date = text.trim();
  if (date.length > DATE_TEXT_MAX_CHARS) return null;
  const [, count = "", unit = ""] = /^(\d{1,4}) (second|minute|hour|day|week|month|year)s? ago$/i.exec(date) ?? [];
  const unitMs = UNITS_MS.get(unit.toLowerCase());
  if (unitMs !== undefined) return nowMs - Number(count) * unitMs;
  if (!/\b(?:19|20)\d{2}\b/.test(date)) return null;
  const ms = Date.parse(withZone(date));
  return Number.isFinite(ms) ? ms : null;
}

/** Without a zone, a date would be read in that of the machine. */
function withZone(date: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(date) || /(?:Z|GMT|UTC|[+-]\d{2}:?\d{2})$/i.test(date)) return date;
  return /^\d{4}-\d{2}-\d{2}T[\d:.]+$/.test(date) ? `${date}Z` : `${date} UTC`;
}

/** The shortest range that reaches back to the beginning of the period; null where none does, or it has none. */
export function rangeCovering({ fromMs }: Period, nowMs: number): SearchRequest["timeRange"] {
  if (fromMs === null) return null;
  return RANGES.find(([, spanMs]) => nowMs - fromMs <= spanMs)?.[0] ?? null;
}

/** False for what is known to lie outside. Most pages of the web say no date: they stay. */
export function mayLieWithin({ fromMs, toMs }: Period, published: string | null, nowMs: number): boolean {
  const ms = published === null ? null : parsePublished(published, nowMs);
  return ms === null || ((fromMs === null || ms >= fromMs) && (toMs === null || ms <= toMs));
}
