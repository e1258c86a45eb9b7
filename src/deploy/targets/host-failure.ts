import type { AppError } from "../../core/errors.ts";
import { ownProperty } from "../../core/json.ts";
import { maskText } from "../../core/mask.ts";
import { parseRetryAfter } from "../../core/retry-after.ts";
import type { Exchange, HostAnswer } from "./exchange.ts";
import { MESSAGE_MAX_CHARS } from "./limits.ts";

/** What is known of how a host speaks. */
export interface HostManners {
  /** The target's name, which its messages begin with. */
  readonly name: string;
  /** Exact texts that the host may repeat to us and nobody else may see. */
  readonly secrets: readonly string[];
  /** Its messages of 5xx are made for its own operators. */
  readonly hidesServerErrors?: boolean;
}

/** Why a request to a host came to nothing, and what that allows. */
export interface HostFailure {
  readonly error: AppError;
  /** The host may do it yet when asked again. */
  readonly passing: boolean;
  /** The host may have done what it was asked, although it does not say so. */
  readonly unsure: boolean;
  /** How long the host asked to be left alone for; null where it did not. */
  readonly retryAfterMs: number | null;
}

/** Statuses after which the same request may well succeed: RFC 9110 and RFC 6585. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

export function describeFailure(host: HostManners, outcome: Exchange, nowMs: number): HostFailure {
  switch (outcome.kind) {
    case "lost":
      return { ...failed(host.name, "it could not be reached"), passing: true, unsure: true };
    case "late":
      return {
        error: {
          code: "UPSTREAM_TIMEOUT",
          detail: `the target ${host.name} did not answer within ${outcome.afterMs} ms`,
        },
        passing: true,
        unsure: true,
        retryAfterMs: null,
      };
    case "answer":
      return describeAnswer(host, outcome, nowMs);
  }
}

export function failed(target: string, message: string): HostFailure {
  return {
    error: { code: "UPSTREAM_FAILED", detail: `the target ${target} failed: ${message}` },
    passing: false,
    unsure: false,
    retryAfterMs: null,
  };
}

function describeAnswer(host: HostManners, { status, body, headers }: HostAnswer, nowMs: number): HostFailure {
  const { name } = host;
  // What a host says about a key that it refused may hold the key.
  if (status === 401 || status === 403) return failed(name, `it refused our API key (${status})`);
  if (status >= 300 && status < 400) return failed(name, `it redirects (${status}), and a key is not sent elsewhere`);
  const passing = PASSING_STATUSES.has(status);
  const waitMs = passing ? parseRetryAfter(headers.get("Retry-After"), nowMs) : null;
  const pause = waitMs === null ? "" : `; it asks to be tried again in ${Math.ceil(waitMs / 1_000)} s`;
  const message = status >= 500 && host.hidesServerErrors ? "" : hostMessage(host, body);
  const { error } = failed(name, `${status} ${message}`.trim() + pause);
  return { error, passing, unsure: status >= 500 || status === 408, retryAfterMs: waitMs };
}

/** What the host says, for its own eyes: it may hold anything. Hosts say it in one of several fields. */
export function rawMessage(body: unknown): string {
  const error = ownProperty(body, "error");
  const candidates = [ownProperty(error, "message"), error, ownProperty(body, "message"), ownProperty(body, "detail")];
  return candidates.find((candidate) => typeof candidate === "string") ?? "";
}

/** What the host says, safe to show: masked, one line, short. Empty where it tells of the host's inside. */
export function hostMessage(host: HostManners, body: unknown): string {
  const line = rawMessage(body)
    .replaceAll(/[\p{C}\s]+/gu, " ")
    .trim();
  return isInternal(line) ? "" : maskText(line, host.secrets).slice(0, MESSAGE_MAX_CHARS);
}

/** Statements, stack traces and pages tell about a host's inside, and nothing to a caller. */
function isInternal(line: string): boolean {
  return INTERNAL_PATTERNS.some((pattern) => pattern.test(line));
}

const INTERNAL_PATTERNS: readonly RegExp[] = [
  /\b(?:select|insert\s+into|update|delete\s+from|alter|drop)\b.*\b(?:from|into|values|set|where|table|returning)\b/i,
  /\bfailed query\b|\bduplicate key value\b|\bviolates\b.*\bconstraint\b/i,
  /\bat\s+\S+\s+\(?\S+:\d+:\d+\)?/,
  /<\/?[a-z!][^>]*>/i,
];
