import type { AppError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";

export const PROBLEM_CONTENT_TYPE = "application/problem+json";

const QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded";

interface Wire {
  readonly status: number;
  readonly title: string;
  /** Defaults to a URN made of the code. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What this problem carries beside the members that all have. */
  readonly members?: Readonly<Record<string, Json>>;
}

/** The one place where an expected failure meets HTTP. Exhaustive: a new code does not compile until it is mapped. */
export function toWire(error: AppError): Wire {
  switch (error.code) {
    case "VALIDATION_FAILED":
      return { status: 400, title: "Validation failed", members: { errors: error.errors.map((e) => ({ ...e })) } };
    case "ALREADY_DEPLOYED": {
      const { agentId, endpoint, dashboardUrl } = error;
      return { status: 400, title: "Already deployed", members: { agentId, endpoint, dashboardUrl } };
    }
    case "NOT_DEPLOYED":
      return { status: 400, title: "Not deployed" };
    case "UNAUTHENTICATED":
      return { status: 401, title: "Unauthenticated", headers: { "WWW-Authenticate": 'Bearer realm="orchestrix"' } };
    case "FORBIDDEN":
      return { status: 403, title: "Forbidden" };
    case "NOT_FOUND":
      return { status: 404, title: "Not found" };
    case "METHOD_NOT_ALLOWED":
      return { status: 405, title: "Method not allowed", headers: { Allow: error.allow.join(", ") } };
    case "DEPLOY_IN_PROGRESS":
      return { status: 409, title: "Deploy in progress", headers: retryAfter(error.retryAfterSeconds) };
    case "VERSION_CONFLICT":
      return { status: 409, title: "Version conflict" };
    case "DUPLICATE":
      return { status: 409, title: "Duplicate" };
    case "PAYLOAD_TOO_LARGE":
      return { status: 413, title: "Payload too large" };
    case "UNSUPPORTED_MEDIA_TYPE":
      return { status: 415, title: "Unsupported media type", headers: { Accept: "application/json" } };
    case "RATE_LIMITED":
      return {
        status: 429,
        title: "Too many requests",
        type: QUOTA_EXCEEDED,
        headers: retryAfter(error.retryAfterSeconds),
        members: { "violated-policies": [...error.violatedPolicies] },
      };
    case "UPSTREAM_FAILED":
      return { status: 502, title: "Upstream failed" };
    case "UPSTREAM_TIMEOUT":
      return { status: 504, title: "Upstream timeout" };
    case "RUN_FAILED":
      return { status: 500, title: "Run failed", members: { runId: error.runId, step: error.step } };
    case "RUN_TIMEOUT":
      return { status: 504, title: "Run timeout", members: { runId: error.runId, step: error.step } };
    case "SEARCH_UNAVAILABLE":
      return {
        status: 503,
        title: "Search unavailable",
        headers: retryAfter(error.retryAfterSeconds),
        members: { attempts: error.attempts.map((a) => ({ ...a })) },
      };
    case "TARGET_NOT_CONFIGURED":
      return { status: 503, title: "Target not configured", headers: retryAfter(UNAVAILABLE_RETRY_SECONDS) };
    case "STORAGE_UNAVAILABLE":
      return { status: 503, title: "Storage unavailable", headers: retryAfter(UNAVAILABLE_RETRY_SECONDS) };
    case "INTERNAL":
      return { status: 500, title: "Internal error" };
  }
}

/** How soon to try again after a 503 whose cause names no time itself. */
const UNAVAILABLE_RETRY_SECONDS = 5;

function retryAfter(seconds: number): Record<string, string> {
  return { "Retry-After": String(Math.max(1, Math.ceil(seconds))) };
}

/** RFC 9457 problem details, with `code`, `requestId` and `error` (the detail again, for clients that read one field). */
export function problemResponse(error: AppError, requestId: string, path: string): Response {
  const wire = toWire(error);
  const body = {
    type: wire.type ?? `urn:orchestrix:problem:${error.code.toLowerCase().replaceAll("_", "-")}`,
    title: wire.title,
    status: wire.status,
    detail: error.detail,
    instance: path,
    code: error.code,
    requestId,
    error: error.detail,
    ...wire.members,
  };
  return Response.json(body, {
    status: wire.status,
    headers: { "Content-Type": PROBLEM_CONTENT_TYPE, "Cache-Control": "no-store", ...wire.headers },
  });
}
