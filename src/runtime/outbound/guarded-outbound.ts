import type { Fetch } from "../../core/fetch.ts";
import { isAddress, isPublicAddress, normalizeAddress } from "../../core/hosts/addresses.ts";
import { isNeverAsked } from "../../core/hosts/never-asked.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { readText } from "./answer-text.ts";
import { headersFault, readable, toSend } from "./headers.ts";
import { follow, type Hop, isRepeatable, nameOf, redirectOf } from "./hop.ts";
import { OUTBOUND_BODY_MAX_BYTES, OUTBOUND_MAX_REDIRECTS } from "./limits.ts";
import type { Outbound, OutboundOutcome, OutboundRequest } from "./outbound.ts";
import type { Resolve } from "./resolve.ts";
import { type HostPattern, matchesAny, publicFault, readHostPattern, readTarget } from "./target.ts";

export const OUTBOUND_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** The rule that a refusal names where a policy's list of hosts is why. */
export const ALLOWED_HOSTS_RULE = "allowed-hosts";

export interface OutboundOptions {
  readonly fetch: Fetch;
  /** Without it names are judged by their look alone. */
  readonly resolve?: Resolve;
  /** `host` or `host:port` that the operator opens although they are not public. A policy's list still applies. */
  readonly privateHosts: readonly string[];
  /** The Worker's own, as `host` or `host:port`: a graph calls agents by `callAgent`, which counts its depth. */
  readonly ownHosts: readonly string[];
}

type Refused = Extract<OutboundOutcome, { kind: "refused" }>;
type Failed = Extract<OutboundOutcome, { kind: "failed" }>;

/** What holds for every hop of a request. */
interface Rules {
  /** The policy's; null for anywhere. */
  readonly allowed: readonly HostPattern[] | null;
  readonly maxResponseBytes: number;
}

/** How far a request has come, for whoever has to say why it did not come further. */
interface Trip {
  /** What messages call the host. */
  host: string;
  /** True while everything that was sent may be sent again. */
  isRepeatable: boolean;
}

/**
 * The guard between graphs and the network. Every hop of a request is judged anew: its literals, the policy's hosts, and
 * the addresses that its name has just now.
 *
 * A name that nobody can look up is not asked (`failed`, passing). A Worker cannot pin the address that it has checked:
 * whoever runs a name's DNS may still answer the check with one and the connection with another. On Cloudflare's network
 * such a connection reaches nothing private; a self-hosted workerd has to be kept from its network by a firewall.
 *
 * A failure is passing where all that was sent is repeatable: an idempotent method, or an `Idempotency-Key` among its
 * headers. Somebody who does not know the key may do such a request twice.
 */
export function createOutbound({ fetch, resolve, ...hosts }: OutboundOptions): Outbound {
  const privateHosts = hosts.privateHosts.map(readHostPattern);
  const ownHosts = hosts.ownHosts.map(readHostPattern);

  async function judge(hop: Hop, allowed: readonly HostPattern[] | null, signal: AbortSignal) {
    const { target } = hop;
    const { host } = target;
    const name = nameOf(hop);
    if (allowed !== null && !matchesAny(allowed, target)) {
      return refused(`${name} is not one of the policy's allowed hosts`, ALLOWED_HOSTS_RULE);
    }
    if (matchesAny(ownHosts, target)) return refused(`${name} is this server itself: use callAgent`);
    if (isNeverAsked(host)) return refused(`${name} is link-local or a metadata service`);
    if (matchesAny(privateHosts, target)) return null;
    const fault = publicFault(target, name);
    if (fault !== null) return refused(fault);
    return resolve === undefined || isAddress(host) ? null : judgeAddresses(resolve, hop, signal);
  }

  async function send(hop: Hop, signal: AbortSignal): Promise<Response | null> {
    const { method, headers, body, target } = hop;
    try {
      return await fetch(target.url.href, { method, headers, body, redirect: "manual", signal });
    } catch {
      signal.throwIfAborted();
      return null;
    }
  }

  /** Asks one hop: the outcome, or where the answer leads on to. */
  async function ask(hop: Hop, rules: Rules, trip: Trip, signal: AbortSignal): Promise<OutboundOutcome | Hop> {
    trip.host = nameOf(hop);
    const fault = await judge(hop, rules.allowed, signal);
    if (fault?.kind === "failed") return failed(fault.message, fault.isPassing && trip.isRepeatable);
    if (fault !== null) return fault;
    trip.isRepeatable &&= isRepeatable(hop);
    const response = await send(hop, signal);
    if (response === null) return failed(`${trip.host} could not be reached`, trip.isRepeatable);
    const location = redirectOf(response);
    if (location === null) return readAnswer(response, hop, rules.maxResponseBytes, trip, signal);
    await response.body?.cancel().catch(() => {});
    const next = follow(hop, response.status, location);
    return next.ok ? next.value : refused(next.error);
  }

  async function travel(first: Hop, rules: Rules, trip: Trip, signal: AbortSignal): Promise<OutboundOutcome> {
    let hop = first;
    for (let redirects = 0; redirects <= OUTBOUND_MAX_REDIRECTS; redirects++) {
      const reached = await ask(hop, rules, trip, signal);
      if ("kind" in reached) return reached;
      hop = reached;
    }
    return failed(`${nameOf(first)} redirects more than ${OUTBOUND_MAX_REDIRECTS} times`, false);
  }

  return {
    async judge(request) {
      const first = readRequest(request);
      if (!first.ok) return refused(first.error);
      return judge(first.value, request.allowedHosts?.map(readHostPattern) ?? null, request.signal);
    },

    async send(request) {
      const first = readRequest(request);
      if (!first.ok) return refused(first.error);
      const trip: Trip = { host: nameOf(first.value), isRepeatable: true };
      const { allowedHosts, maxResponseBytes, signal } = request;
      const rules: Rules = { allowed: allowedHosts?.map(readHostPattern) ?? null, maxResponseBytes };
      return travel(first.value, rules, trip, signal);
    },
  };
}

async function judgeAddresses(resolve: Resolve, hop: Hop, signal: AbortSignal): Promise<Refused | Failed | null> {
  const name = nameOf(hop);
  const addresses = await resolve(hop.target.host, signal);
  if (addresses === null) return failed(`${name} could not be looked up, and was not asked`, true);
  if (addresses.length === 0) return failed(`${name} has no address`, false);
  const arePublic = addresses.every((address) => isPublicAddress(normalizeAddress(address) ?? ""));
  return arePublic ? null : refused(`${name} has an address that is not public`);
}

function readRequest({ url, isHostSecret, method, headers, body }: OutboundRequest): Result<Hop, string> {
  if (!OUTBOUND_METHODS.some((known) => known === method)) {
    return err(`the method is one of ${OUTBOUND_METHODS.join(", ")}`);
  }
  const target = readTarget(url);
  if (!target.ok) return target;
  const fault = headersFault(headers);
  if (fault !== null) return err(fault);
  if (body !== null && (method === "GET" || method === "HEAD")) return err(`a ${method} carries no body`);
  if (body !== null && new TextEncoder().encode(body).length > OUTBOUND_BODY_MAX_BYTES) {
    return err(`a body holds at most ${OUTBOUND_BODY_MAX_BYTES} bytes`);
  }
  return ok({ target: target.value, isHostSecret, method, headers: toSend(headers), body });
}

async function readAnswer(
  response: Response,
  hop: Hop,
  maxBytes: number,
  { host, isRepeatable }: Trip,
  signal: AbortSignal,
): Promise<OutboundOutcome> {
  try {
    const text = await readText(response, hop.method, maxBytes);
    if (text === null) return failed(`${host} answered with more than ${maxBytes} bytes`, false);
    return { kind: "answer", status: response.status, headers: readable(response.headers), text };
  } catch {
    signal.throwIfAborted();
    return failed(`${host} broke off its answer`, isRepeatable);
  }
}

function refused(message: string, rule: string | null = null): Refused {
  return { kind: "refused", message, rule };
}

function failed(message: string, isPassing: boolean): Failed {
  return { kind: "failed", message, isPassing };
}
