import { domainList } from "../contract.ts";
import { hostBelongsTo } from "../quality/urls.ts";

/** A host with all under it, or one part of its pages. */
export interface DomainRule {
  readonly host: string;
  /** Lower case, begins with a slash and ends without one; null for the whole host. */
  readonly path: string | null;
}

/**
 * A domain as clients write it: a host, a URL, `*.example.com`, `linkedin.com/in`. Null for what is none, whole
 * top-level domains (`*.com`, `.gov`) among it, since no provider of ours can be asked for one.
 */
export function parseDomainRule(text: string): DomainRule | null {
  const bare = text
    .trim()
    .replace(/^https?:\/\//i, "")
    .replace(/^\*\./, "");
  const url = URL.parse(`https://${bare}`);
  if (url === null || url.username !== "" || url.password !== "") return null;
  const host = domainList.element.safeParse(url.hostname.replace(/^www\./, ""));
  if (!host.success) return null;
  const path = url.pathname.replace(/\/+$/, "").toLowerCase();
  return { host: host.data, path: path === "" ? null : path };
}

/** The hosts that all pages wanted are on: what providers are asked for. */
export function hostsOf(rules: readonly DomainRule[]): string[] {
  return [...new Set(rules.map(({ host }) => host))];
}

/** The rules that speak of a whole host: the others can only be applied to results. */
export function wholeHosts(rules: readonly DomainRule[]): string[] {
  return hostsOf(rules.filter(({ path }) => path === null));
}

export function matchesAny(address: string, rules: readonly DomainRule[]): boolean {
  const url = URL.parse(address);
  if (url === null) return false;
  const page = url.pathname.toLowerCase();
  return rules.some(
    ({ host, path }) =>
      hostBelongsTo(url.hostname, host) && (path === null || page === path || page.startsWith(`${path}/`)),
  );
}
