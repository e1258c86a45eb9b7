import * as z from "zod";
import { decodeUtf8, readBounded } from "../../core/bounded-body.ts";
import type { Clock } from "../../core/clock.ts";
import { runWithin } from "../../core/deadline.ts";
import type { Fetch } from "../../core/fetch.ts";
import { DNS_ANSWER_MAX_BYTES, DNS_CACHE_MAX_ENTRIES, DNS_CACHE_MAX_SECONDS, DNS_TIMEOUT_MS } from "./limits.ts";
import type { Resolve } from "./resolve.ts";

const ENDPOINT = "https://cloudflare-dns.com/dns-query";

/** DNS's numbers: kinds of records, and how a question went. */
const RECORDS = { A: 1, AAAA: 28 } as const;
const NO_ERROR = 0;
const NO_SUCH_NAME = 3;

const dnsAnswer = z.object({
  Status: z.int(),
  // A cut answer may leave out the one address that matters.
  TC: z.literal(false).optional(),
  Answer: z.array(z.object({ type: z.int(), TTL: z.number().min(0), data: z.string() })).optional(),
});

interface Found {
  readonly addresses: readonly string[];
  readonly ttlSeconds: number;
}

/**
 * Asks Cloudflare's resolver for both kinds of address at once: two subrequests for a host that is not remembered. Found
 * addresses are remembered per isolate for their own lifetime, a minute at most. Null where either answer is missing:
 * half of the addresses say nothing about the other half.
 */
export function createDnsOverHttps({ fetch, clock }: { readonly fetch: Fetch; readonly clock: Clock }): Resolve {
  const remembered = new Map<string, { readonly addresses: readonly string[]; readonly untilMs: number }>();

  function remember(host: string, { addresses, ttlSeconds }: Found): void {
    if (addresses.length === 0 || ttlSeconds === 0) return;
    remembered.delete(host);
    const [oldest] = remembered.keys();
    if (remembered.size >= DNS_CACHE_MAX_ENTRIES && oldest !== undefined) remembered.delete(oldest);
    remembered.set(host, { addresses, untilMs: clock.now() + ttlSeconds * 1_000 });
  }

  async function ask(host: string, kind: keyof typeof RECORDS, signal: AbortSignal): Promise<Found | null> {
    const url = `${ENDPOINT}?name=${encodeURIComponent(host)}&type=${kind}`;
    const headers = { Accept: "application/dns-json" };
    const response = await fetch(url, { headers, redirect: "manual", signal });
    const bytes = await readBounded(response.body, DNS_ANSWER_MAX_BYTES);
    const text = bytes === null || response.status !== 200 ? null : decodeUtf8(bytes);
    return text === null ? null : readAnswer(text, RECORDS[kind]);
  }

  async function askBoth(host: string, signal: AbortSignal): Promise<Found | null> {
    const [ipv4, ipv6] = await Promise.all([ask(host, "A", signal), ask(host, "AAAA", signal)]);
    if (ipv4 === null || ipv6 === null) return null;
    return {
      addresses: [...ipv4.addresses, ...ipv6.addresses],
      ttlSeconds: Math.min(ipv4.ttlSeconds, ipv6.ttlSeconds),
    };
  }

  return async (host, signal) => {
    const known = remembered.get(host);
    if (known !== undefined && clock.now() < known.untilMs) return known.addresses;
    try {
      const outcome = await runWithin(clock, DNS_TIMEOUT_MS, signal, (inner) => askBoth(host, inner));
      if (outcome.kind !== "done" || outcome.value === null) return null;
      remember(host, outcome.value);
      return outcome.value.addresses;
    } catch {
      return null;
    }
  };
}

/** Addresses of one kind; names on the way to them (CNAME) are left out. Null for what is no answer. */
function readAnswer(text: string, type: number): Found | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = dnsAnswer.safeParse(json);
  if (!parsed.success) return null;
  const { Status: status, Answer: records = [] } = parsed.data;
  if (status !== NO_ERROR && status !== NO_SUCH_NAME) return null;
  return {
    addresses: records.filter((record) => record.type === type).map((record) => record.data),
    ttlSeconds: Math.min(DNS_CACHE_MAX_SECONDS, ...records.map((record) => record.TTL)),
  };
}
