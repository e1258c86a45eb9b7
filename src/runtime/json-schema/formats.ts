import { type Budget, spend } from "./budget.ts";
import { isIpv4, isIpv6, isUri, isUriReference } from "./format-uri.ts";
import { FORMAT_WORK, PARSE_WORK, READ_CHARS_PER_UNIT } from "./limits.ts";
import { isRegularExpression } from "./patterns/parse.ts";

/** None goes back over the text more than a fixed number of times. */
const FORMATS: ReadonlyMap<string, (text: string) => boolean> = new Map<string, (text: string) => boolean>([
  ["date", isDate],
  ["time", isTime],
  ["date-time", isDateTime],
  ["duration", (text) => DURATION.test(text)],
  ["email", isEmail],
  ["hostname", isHostname],
  ["ipv4", isIpv4],
  ["ipv6", isIpv6],
  ["uuid", (text) => UUID.test(text)],
  ["regex", isRegularExpression],
  ["uri", isUri],
  ["uri-reference", isUriReference],
  ["uri-template", isUriTemplate],
  ["json-pointer", isJsonPointer],
  ["relative-json-pointer", isRelativePointer],
]);

/** Other formats are annotations. */
export function isKnownFormat(name: string): boolean {
  return FORMATS.has(name);
}

/** Whether the text has the format; true for a format that is not known. @throws Exhausted */
export function isFormat(name: string, text: string, budget: Budget): boolean {
  spend(budget, FORMAT_WORK + (name === "regex" ? text.length * PARSE_WORK : text.length / READ_CHARS_PER_UNIT));
  return FORMATS.get(name)?.(text) ?? true;
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
/** RFC 3339, appendix A. */
const DURATION =
  /^P(?!$)(?:\d+W|(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)?(?:T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S))?)$/;

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** RFC 3339, `full-date`. */
function isDate(text: string): boolean {
  const [, year, month, day] = (DATE.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined) return false;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0);
  return day >= 1 && day <= days;
}

const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:z|([+-])(\d\d):(\d\d))$/i;
const MINUTES_OF_DAY = 1_440;

/** RFC 3339, `full-time`; a leap second only at the end of a day in UTC. */
function isTime(text: string): boolean {
  const found = TIME.exec(text);
  if (found === null) return false;
  const [hour = 0, minute = 0, second = 0] = found.slice(1, 4).map(Number);
  const [offsetHour = 0, offsetMinute = 0] = found.slice(5).map((part) => Number(part ?? 0));
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return false;
  if (second < 60) return true;
  const offset = (found[4] === "-" ? -1 : 1) * (offsetHour * 60 + offsetMinute);
  return (hour * 60 + minute - offset + MINUTES_OF_DAY) % MINUTES_OF_DAY === MINUTES_OF_DAY - 1;
}

const DATE_CHARS = 10;

function isDateTime(text: string): boolean {
  const separator = text.charAt(DATE_CHARS);
  return /^[t\s]$/i.test(separator) && isDate(text.slice(0, DATE_CHARS)) && isTime(text.slice(DATE_CHARS + 1));
}

const HOST_MAX_CHARS = 253;
const LABELS = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;

function isHostname(text: string): boolean {
  return text.length <= HOST_MAX_CHARS && LABELS.test(text);
}

const LOCAL_MAX_CHARS = 64;
/** RFC 5321: a quoted text or dotted words, and the host. */
const EMAIL = /^("(?:[ !#-[\]-~]|\\[ -~])*"|[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*)@([^@]+)$/;

function isEmail(text: string): boolean {
  if (text.length > LOCAL_MAX_CHARS + 1 + HOST_MAX_CHARS) return false;
  const [, local = "", host = ""] = EMAIL.exec(text) ?? [];
  if (local === "" || local.length > LOCAL_MAX_CHARS) return false;
  if (!host.startsWith("[") || !host.endsWith("]")) return isHostname(host);
  const address = host.slice(1, -1);
  return /^ipv6:/i.test(address) ? isIpv6(address.slice(5)) : isIpv4(address);
}

const TEMPLATE_EXPRESSION = /\{([^{}]*)\}/g;
const NOT_IN_TEMPLATE = /[\0-\x20\x7f"<>\\^`{|}]|%(?![0-9a-f]{2})/i;
const TEMPLATE_OPERATOR = /^[+#./;?&=,!@|]/;
const TEMPLATE_MODIFIER = /(?::[1-9]\d{0,3}|\*)$/;
const NOT_IN_NAME = /[^\w.%]|%(?![0-9a-f]{2})|\.\.|^\.|\.$|^$/i;

/** RFC 6570. */
function isUriTemplate(text: string): boolean {
  if (NOT_IN_TEMPLATE.test(text.replace(TEMPLATE_EXPRESSION, ""))) return false;
  return text.matchAll(TEMPLATE_EXPRESSION).every(([, expression = ""]) => {
    const variables = expression.replace(TEMPLATE_OPERATOR, "").split(",");
    return !variables.some((variable) => NOT_IN_NAME.test(variable.replace(TEMPLATE_MODIFIER, "")));
  });
}

/** RFC 6901. */
function isJsonPointer(text: string): boolean {
  return text === "" || (text.startsWith("/") && !/~(?![01])/.test(text));
}

function isRelativePointer(text: string): boolean {
  const [steps] = /^(?:0|[1-9]\d*)/.exec(text) ?? [];
  if (steps === undefined) return false;
  const rest = text.slice(steps.length);
  return rest === "#" || isJsonPointer(rest);
}
