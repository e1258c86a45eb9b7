import { h } from "./dom.js";

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

/** "5 minutes ago", with the exact time as its title. */
export function ago(iso) {
  return time(iso, describeAge);
}

/** The time of day, and the day where it is not today. */
export function clockTime(iso) {
  return time(iso, (date) => {
    const today = date.toDateString() === new Date().toDateString();
    return today ? clock.format(date) : `${day.format(date)} ${clock.format(date)}`;
  });
}

function time(iso, write) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return h("span", null, "—");
  return h("time", { datetime: date.toISOString(), title: absolute.format(date) }, write(date));
}

function describeAge(date) {
  const seconds = (date.getTime() - Date.now()) / 1_000;
  const unit = UNITS.find(([, size]) => Math.abs(seconds) >= size);
  return unit ? relative.format(Math.trunc(seconds / unit[1]), unit[0]) : "just now";
}

export function ms(value) {
  if (value === null || value === undefined) return "—";
  if (value >= 10_000) return `${(value / 1_000).toFixed(1).replace(/\.0$/, "")} s`;
  return value < 10 && value % 1 !== 0 ? `${value.toFixed(1)} ms` : `${Math.round(value).toLocaleString("en")} ms`;
}

export function bytes(value) {
  if (value === null || value === undefined) return "—";
  return value < 1_024 ? `${value} B` : `${(value / 1_024).toFixed(1)} KB`;
}

export function plural(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
