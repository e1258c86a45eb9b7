import { sha256, toHex } from "../../core/crypto.ts";
import type { SearchRequest } from "../contract.ts";

/** Raised whenever what is stored under a key changes its meaning: older entries are then never found. */
const KEY_VERSION = 2;

/** Quoted phrases, then words: what stands between quotes is left as it was typed. */
const PARTS = /"[^"]*"|“[^”]*”|[^\s"“]+|["“]/g;
/** Words in ASCII with one space between them, and nothing that could be a quote or an operator. */
const PLAIN_QUERY = /^(?:[a-z\d]+|[A-Z][a-z\d]+)(?: (?:[a-z\d]+|[A-Z][a-z\d]+))*$/;
const OPERATOR = /^(?:AND|OR|NOT|NEAR|[-+]?[A-Za-z]+:.+)$/;

/**
 * Equal texts for requests that must get the same answer, whoever asks. Stays in the isolate: it holds the query.
 * `policy` is what of the providers changes answers.
 */
export function canonicalQuestion(request: SearchRequest, policy: readonly string[]): string {
  const { cache: _, query, includeDomains, excludeDomains, ...rest } = request;
  const { maxResults, topic, searchDepth, timeRange, country, language, includeAnswer, includeRawContent, ...none } =
    rest;
  // A field that is added to the request must be added here: it changes the answer.
  none satisfies Record<string, never>;
  return JSON.stringify([
    normalizeQuery(query),
    maxResults,
    topic,
    searchDepth,
    timeRange,
    normalizeDomains(includeDomains),
    normalizeDomains(excludeDomains),
    country,
    language,
    includeAnswer,
    includeRawContent,
    policy,
  ]);
}

/** The name under which all isolates find the answer to a canonical question. Shows nothing of it. */
export async function sharedKeyOf(question: string): Promise<string> {
  return `v${KEY_VERSION}:search:${toHex(await sha256(question))}`;
}

/** Both in one. */
export async function cacheKeyOf(request: SearchRequest, policy: readonly string[]): Promise<string> {
  return sharedKeyOf(canonicalQuestion(request, policy));
}

/** NFKC, trimmed, white space collapsed, lower case outside quotes and operators. */
export function normalizeQuery(query: string): string {
  if (PLAIN_QUERY.test(query)) return query.toLowerCase();
  const text = query.normalize("NFKC").trim().replace(/\s+/g, " ");
  return text.replace(PARTS, (part) => (/^["“]/.test(part) || OPERATOR.test(part) ? part : part.toLowerCase()));
}

function normalizeDomains(domains: readonly string[]): readonly string[] {
  if (domains.length === 0) return domains;
  return [...new Set(domains.map((domain) => domain.toLowerCase()))].sort();
}
