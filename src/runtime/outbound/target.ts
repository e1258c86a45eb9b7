import { isAddress, isPublicAddress } from "../../core/hosts/addresses.ts";
import { isHostName, isLocalName } from "../../core/hosts/names.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { OUTBOUND_URL_MAX_CHARS } from "./limits.ts";

/** Where a request goes. What is judged here is what is asked: the parser is the one that `fetch` uses. */
export interface Target {
  readonly url: URL;
  /** In lower case, IPv4 as four decimals, IPv6 in brackets, without a dot at its end. */
  readonly host: string;
  readonly port: number;
}

/** A host, every name below a host, and the one port where it names one. */
export interface HostPattern {
  readonly host: string;
  readonly isBelow: boolean;
  readonly port: number | null;
}

/**
 * Ports that no browser asks: services that read lines would take a request for commands (Fetch, "bad port"). Redis and
 * memcached are added for the same reason.
 */
const BAD_PORTS: ReadonlySet<number> = new Set([
  ...[0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109],
  ...[110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530],
  ...[531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190],
  ...[5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080, 11211],
]);

const HTTP_PORT = 80;
const HTTPS_PORT = 443;

/** The URL taken apart, or what is wrong with it: a sentence that quotes nothing of it. */
export function readTarget(text: string): Result<Target, string> {
  if (text.length > OUTBOUND_URL_MAX_CHARS) return err(`the URL has more than ${OUTBOUND_URL_MAX_CHARS} characters`);
  // The parser would drop or turn these: what a person reads is then not what is asked.
  if (/\p{Cc}/u.test(text)) return err("the URL holds control characters");
  if (/^[^?#]*\\/.test(text)) return err("the URL holds a backslash");
  const url = URL.parse(text);
  if (url === null) return err("the URL is not a complete http or https URL");
  if (!/^https?:$/.test(url.protocol)) return err("the URL is neither http nor https");
  if (url.username !== "" || url.password !== "") return err("the URL holds credentials: send them in a header");
  const host = url.hostname.replace(/\.$/, "");
  if (!isAddress(host) && !isHostName(host)) return err("the URL's host is not a name that DNS could hold");
  if (url.hostname !== host) url.hostname = host;
  url.hash = "";
  const port = url.port === "" ? (url.protocol === "https:" ? HTTPS_PORT : HTTP_PORT) : Number(url.port);
  return ok({ url, host, port });
}

/**
 * Why a target is none of the public internet, as far as its literals tell; null where they do not object. `name` is
 * what the sentence calls the host.
 */
export function publicFault({ host, port }: Target, name: string): string | null {
  if (isAddress(host) && !isPublicAddress(host)) return `${name} is not a public address`;
  if (!isAddress(host) && isLocalName(host)) return `${name} is not the name of a public host`;
  return BAD_PORTS.has(port) ? `port ${port} of ${name} is not one for HTTP` : null;
}

/**
 * Reads `host`, `host:port`, `*.host` or `*.host:port`; IPv6 in brackets. Without a port it stands for every port; `*.`
 * stands for any depth below, not for the host itself.
 */
export function readHostPattern(text: string): HostPattern {
  const [, wildcard, host = "", port] = /^(\*\.)?(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(text) ?? [];
  const written = host.startsWith("[") ? URL.parse(`http://${host}/`)?.hostname : host.toLowerCase().replace(/\.$/, "");
  // No host is empty, so that what cannot be read matches nothing.
  return { host: written ?? "", isBelow: wildcard !== undefined, port: port === undefined ? null : Number(port) };
}

export function matchesAny(patterns: readonly HostPattern[], target: Target): boolean {
  return patterns.some(({ host, isBelow, port }) => {
    if (host === "" || (port !== null && port !== target.port)) return false;
    return isBelow ? target.host.endsWith(`.${host}`) : target.host === host;
  });
}
