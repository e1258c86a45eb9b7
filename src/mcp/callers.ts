import { isAddress } from "../core/hosts/addresses.ts";
import { err, ok, type Result } from "../core/result.ts";

/** What a request says of where it comes from and whom it means. */
export interface Approach {
  /** The address as called, with the `Host` that the caller sent. */
  readonly url: string;
  /** A browser sends it with every POST; nothing else has to. */
  readonly origin: string | undefined;
}

/**
 * Keeps pages of other sites out, also those whose name was made to point at us (DNS rebinding): such a page has the
 * reach of whoever looks at it. With PUBLIC_URL the request has to name its host. Names that no stranger can own pass
 * always: loopback, addresses, names of a private network, by which proxies and containers call us. Without PUBLIC_URL
 * we don't know our public name, so a page on one counts as a stranger's unless CORS_ORIGINS lists it.
 */
export function createCallerCheck(options: {
  readonly publicUrl: string | undefined;
  /** Origins beside our own; `*` for all. */
  readonly allowedOrigins: readonly string[];
}): (approach: Approach) => Result<null> {
  const publicUrl = options.publicUrl === undefined ? null : new URL(options.publicUrl);
  const allowed = new Set(options.allowedOrigins);
  return function checkCaller({ url, origin }) {
    const called = new URL(url);
    const isPrivate = isPrivateName(called.hostname);
    if (publicUrl !== null && called.host !== publicUrl.host && !isPrivate) {
      return err({ code: "FORBIDDEN", detail: "this host is not the one of PUBLIC_URL" });
    }
    if (origin === undefined || allowed.has("*") || allowed.has(origin)) return ok(null);
    if (origin === publicUrl?.origin || (isPrivate && origin === called.origin)) return ok(null);
    return err({
      code: "FORBIDDEN",
      detail: "this page's origin may not call MCP servers; CORS_ORIGINS lists those that may",
    });
  };
}

const PRIVATE_SUFFIX = /\.(?:localhost|local|internal|home\.arpa)$/;

function isPrivateName(hostname: string): boolean {
  const name = hostname.replace(/\.$/, "");
  return !name.includes(".") || isAddress(name) || PRIVATE_SUFFIX.test(name);
}
