import { isPrototypeKey } from "../../core/json.ts";
import {
  OUTBOUND_ANSWER_HEADERS_MAX_CHARS,
  OUTBOUND_ANSWER_MAX_HEADERS,
  OUTBOUND_HEADER_NAME_MAX_CHARS,
  OUTBOUND_HEADERS_MAX_CHARS,
  OUTBOUND_MAX_HEADERS,
} from "./limits.ts";

type Headers = Readonly<Record<string, string>>;

/** Sent where the graph names none. */
const USER_AGENT = "Orchestrix/1.0 (agent graph)";

/** Of one connection: the platform's to say, and nothing to a graph. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  ...["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"],
]);

/** About the bytes on the wire. */
const OF_THE_WIRE = ["host", "content-length", "accept-encoding", "expect", "http2-settings"];

/** Who sent it, and by which way: a server behind a proxy believes these. */
const OF_THE_WAY = [
  ...["via", "forwarded", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "fastly-client-ip"],
  ...["x-rewrite-url"],
];

/** Metadata services ask for these, so that a request which was only led there is none they answer. */
const OF_METADATA = ["metadata", "metadata-flavor", "x-google-metadata-request"];

const REFUSED: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...OF_THE_WIRE, ...OF_THE_WAY, ...OF_METADATA]);
const REFUSED_PREFIX = /^(?:proxy-|cf-|sec-|x-forwarded-|x-original-|x-aws-ec2-metadata-)/;

const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** Visible ASCII, spaces and tabs: a line break would begin another header. */
const VALUE = /^[\t\x20-\x7e]*$/;

/** Say nothing of who is asking, and let nobody in. `idempotency-key` keeps a repeated POST one POST wherever it goes. */
const SAFE_ELSEWHERE: ReadonlySet<string> = new Set([
  ...["accept", "accept-language", "content-language", "content-type", "user-agent", "idempotency-key"],
]);

/** What is wrong with one header of a request, or null. The sentence holds no value. */
export function headerFault(name: string, value: string): string | null {
  if (!TOKEN.test(name) || name.length > OUTBOUND_HEADER_NAME_MAX_CHARS) {
    return `a header's name holds at most ${OUTBOUND_HEADER_NAME_MAX_CHARS} letters, digits and -`;
  }
  const lower = name.toLowerCase();
  if (REFUSED.has(lower) || REFUSED_PREFIX.test(lower) || isPrototypeKey(lower)) {
    return `a graph does not set the header ${lower}`;
  }
  return VALUE.test(value) ? null : `the header ${lower} holds more than visible ASCII characters`;
}

/** What is wrong with a request's headers together, or null. */
export function headersFault(headers: Headers): string | null {
  const entries = Object.entries(headers);
  if (entries.length > OUTBOUND_MAX_HEADERS) return `at most ${OUTBOUND_MAX_HEADERS} headers`;
  const size = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (size > OUTBOUND_HEADERS_MAX_CHARS)
    return `headers hold at most ${OUTBOUND_HEADERS_MAX_CHARS} characters together`;
  const names = entries.map(([name]) => name.toLowerCase());
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined && TOKEN.test(twice)) return `the header ${twice} is there twice`;
  for (const [name, value] of entries) {
    const fault = headerFault(name, value);
    if (fault !== null) return fault;
  }
  return null;
}

/** Names in lower case, with a `user-agent` where there is none. */
export function toSend(headers: Headers): Headers {
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return { "user-agent": USER_AGENT, ...Object.fromEntries(lower) };
}

/** What may go on to another origin. */
export function safeElsewhere(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => SAFE_ELSEWHERE.has(name)));
}

/** Without what describes a body. */
export function withoutBody(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith("content-")));
}

/** An answer's headers as a graph may read them: in lower case, without cookies, bounded in number and size. */
export function readable(headers: Iterable<readonly [string, string]>): Headers {
  const kept: [string, string][] = [];
  let left = OUTBOUND_ANSWER_HEADERS_MAX_CHARS;
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    const size = lower.length + value.length;
    const isUnread = HOP_BY_HOP.has(lower) || /^set-cookie2?$/.test(lower) || isPrototypeKey(lower);
    if (isUnread || size > left) continue;
    if (kept.length === OUTBOUND_ANSWER_MAX_HEADERS) break;
    left -= size;
    kept.push([lower, value]);
  }
  return Object.fromEntries(kept);
}
