import { err, ok, type Result } from "../../core/result.ts";
import { safeElsewhere, withoutBody } from "./headers.ts";
import { readTarget, type Target } from "./target.ts";

/** One request of the chain that redirects make. */
export interface Hop {
  readonly target: Target;
  /** As in the request; so of all hops that follow. */
  readonly isHostSecret: boolean;
  readonly method: string;
  /** In lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]);

/** What messages call the host. */
export function nameOf({ target, isHostSecret }: Hop): string {
  return isHostSecret ? "the host" : target.host;
}

/** Where the answer leads on to; null where it is one to keep. */
export function redirectOf(response: Response): string | null {
  return REDIRECTS.has(response.status) ? response.headers.get("location") : null;
}

/**
 * What a browser would ask next (Fetch, "HTTP-redirect fetch"), with less: another origin gets only headers that are
 * plainly safe, and what was dropped does not come back. The error is a sentence without the address.
 */
export function follow(hop: Hop, status: number, location: string): Result<Hop, string> {
  const { url } = hop.target;
  const host = nameOf(hop);
  const led = URL.parse(location, url.href);
  const target = led === null ? err("its address is none") : readTarget(led.href);
  if (!target.ok) return err(`${host} redirects to what may not be asked: ${target.error}`);
  const next = target.value;
  if (url.protocol === "https:" && next.url.protocol === "http:") {
    return err(`${host} redirects from https to http`);
  }
  const headers = next.url.origin === url.origin ? hop.headers : safeElsewhere(hop.headers);
  if (!turnsIntoGet(hop.method, status)) return ok({ ...hop, target: next, headers });
  return ok({ ...hop, target: next, method: "GET", headers: withoutBody(headers), body: null });
}

/**
 * True where asking again does no more than asking once: the method says so, or a key by which the other side knows the
 * request again.
 */
export function isRepeatable({ method, headers }: Hop): boolean {
  return IDEMPOTENT.has(method) || headers["idempotency-key"] !== undefined;
}

function turnsIntoGet(method: string, status: number): boolean {
  if (status === 303) return method !== "GET" && method !== "HEAD";
  return (status === 301 || status === 302) && method === "POST";
}
