import { RESULT_URL_MAX_CHARS } from "../limits.ts";

const TRACKING_PARAMETER = /^(?:utm_[^=]*|gclid|fbclid)(?:=|$)/i;

/**
 * What two addresses of one page have in common, for comparison only: no scheme, `www.`, default port, fragment,
 * tracking parameter or slash at the end. Null for what is no http(s) URL.
 */
export function urlIdentity(address: string): string | null {
  const url = URL.parse(address);
  return url === null || !/^https?:$/.test(url.protocol) ? null : identityOf(url);
}

/** `urlIdentity` of an http(s) URL that is parsed already. */
export function identityOf(url: URL): string {
  const host = url.hostname.replace(/^www\./, "").replace(/\.$/, "");
  const port = url.port === "" ? "" : `:${url.port}`;
  const query = url.search
    .slice(1)
    .split("&")
    .filter((pair) => pair !== "" && !TRACKING_PARAMETER.test(pair))
    .join("&");
  return `${host}${port}${url.pathname.replace(/\/+$/, "")}${query === "" ? "" : `?${query}`}`;
}

/** True where `host` is the domain itself or lies under it. */
export function hostBelongsTo(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

/** An address that may be given to a browser, or null. */
export function safeUrl(address: string): URL | null {
  if (address.length > RESULT_URL_MAX_CHARS) return null;
  const url = URL.parse(address.trim());
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "") return null;
  return url.username === "" && url.password === "" && url.href.length <= RESULT_URL_MAX_CHARS ? url : null;
}
