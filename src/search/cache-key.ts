import { sha256, toHex } from "../core/crypto.ts";
import { canonicalJson } from "../core/json.ts";
import type { SearchRequest } from "./contract.ts";

/** Raised whenever what is stored under a key changes its meaning: older entries are then never found. */
const KEY_VERSION = 1;

/** Quoted phrases, then words: what stands between quotes is left as it was typed. */
const PARTS = /"[^"]*"|“[^”]*”|[^\s"“]+|["“]/g;
const OPERATOR = /^(?:AND|OR|NOT|NEAR|[-+]?[A-Za-z]+:.+)$/;

/**
 * The name under which the answer to a request is cached. Equal for requests that must get the same answer, whoever
 * asks; `policy` is the names of the providers that would be asked, in order.
 */
export async function cacheKeyOf(request: SearchRequest, policy: readonly string[]): Promise<string> {
  const { cache: _, query, includeDomains, excludeDomains, ...fields } = request;
  const canonical = canonicalJson({
    ...fields,
    query: normalizeQuery(query),
    includeDomains: normalizeDomains(includeDomains),
    excludeDomains: normalizeDomains(excludeDomains),
    policy,
  });
  return `v${KEY_VERSION}:search:${toHex(await sha256(canonical))}`;
}

/** NFKC, trimmed, white space collapsed, lower case outside quotes and operators. */
export function normalizeQuery(query: string): string {
  const text = query.normalize("NFKC").trim().replace(/\s+/g, " ");
  return text.replace(PARTS, (part) => (/^["“]/.test(part) || OPERATOR.test(part) ? part : part.toLowerCase()));
}

function normalizeDomains(domains: readonly string[]): string[] {
  return [...new Set(domains.map((domain) => domain.toLowerCase()))].sort();
}
