import type { AppError, ErrorCode } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";

export const PROBLEM_CONTENT_TYPE = "application/problem+json";

/** How a failure looks on the wire. Every code stands here, or this does not compile. */
export const PROBLEMS: Readonly<Record<ErrorCode, { readonly status: number; readonly title: string }>> = {
  VALIDATION_FAILED: { status: 400, title: "Validation failed" },
  ALREADY_DEPLOYED: { status: 400, title: "Already deployed" },
  NOT_DEPLOYED: { status: 400, title: "Not deployed" },
  UNAUTHENTICATED: { status: 401, title: "Unauthenticated" },
  FORBIDDEN: { status: 403, title: "Forbidden" },
  NOT_FOUND: { status: 404, title: "Not found" },
  METHOD_NOT_ALLOWED: { status: 405, title: "Method not allowed" },
  DEPLOY_IN_PROGRESS: { status: 409, title: "Deploy in progress" },
  VERSION_CONFLICT: { status: 409, title: "Version conflict" },
  DUPLICATE: { status: 409, title: "Duplicate" },
  PAYLOAD_TOO_LARGE: { status: 413, title: "Payload too large" },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: "Unsupported media type" },
  IDEMPOTENCY_MISMATCH: { status: 422, title: "Idempotency key used for another request" },
  RATE_LIMITED: { status: 429, title: "Too many requests" },
  UPSTREAM_FAILED: { status: 502, title: "Upstream failed" },
  UPSTREAM_TIMEOUT: { status: 504, title: "Upstream timeout" },
  POLICY_REFUSED: { status: 403, title: "Refused by policy" },
  RUN_FAILED: { status: 500, title: "Run failed" },
  RUN_TIMEOUT: { status: 504, title: "Run timeout" },
  SEARCH_UNAVAILABLE: { status: 503, title: "Search unavailable" },
  TARGET_NOT_CONFIGURED: { status: 503, title: "Target not configured" },
  OVERLOADED: { status: 503, title: "Overloaded" },
  STORAGE_UNAVAILABLE: { status: 503, title: "Storage unavailable" },
  INTERNAL: { status: 500, title: "Internal error" },
};

interface Particulars {
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What this problem carries beside the members that all have. */
  readonly members?: Readonly<Record<string, Json>>;
}

function particularsOf(error: AppError): Particulars {
  switch (error.code) {
    case "VALIDATION_FAILED":
      return { members: { errors: error.errors.map((e) => ({ ...e })) } };
    case "ALREADY_DEPLOYED": {
      const { agentId, endpoint, dashboardUrl } = error;
      return { members: { agentId, endpoint, dashboardUrl } };
    }
    case "UNAUTHENTICATED":
      return { headers: { "WWW-Authenticate": 'Bearer realm="orchestrix"' } };
    case "METHOD_NOT_ALLOWED":
      return { headers: { Allow: error.allow.join(", ") } };
    case "UNSUPPORTED_MEDIA_TYPE":
      return { headers: { Accept: "application/json" } };
    case "DEPLOY_IN_PROGRESS":
    case "OVERLOADED":
      return { headers: retryAfter(error.retryAfterSeconds) };
    case "RATE_LIMITED":
      return {
        type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
        headers: retryAfter(error.retryAfterSeconds),
        members: { "violated-policies": [...error.violatedPolicies] },
      };
    case "POLICY_REFUSED":
      return { members: { rule: error.rule, runId: error.runId, step: error.step } };
    case "RUN_FAILED":
    case "RUN_TIMEOUT":
      return { members: { runId: error.runId, step: error.step } };
    case "SEARCH_UNAVAILABLE":
      return {
        headers: retryAfter(error.retryAfterSeconds),
        members: { attempts: error.attempts.map((a) => ({ ...a })) },
      };
    case "TARGET_NOT_CONFIGURED":
    case "STORAGE_UNAVAILABLE":
      return { headers: retryAfter(UNAVAILABLE_RETRY_SECONDS) };
    default:
      return {};
  }
}

/** How soon to try again after a 503 whose cause names no time itself. */
const UNAVAILABLE_RETRY_SECONDS = 5;

function retryAfter(seconds: number): Record<string, string> {
  return { "Retry-After": String(Math.max(1, Math.ceil(seconds))) };
}

/** RFC 9457 problem details, with `code`, `requestId` and `error` (the detail again, for clients that read one field). */
export function problemResponse(error: AppError, requestId: string, path: string): Response {
  const { status, headers, body } = describeProblem(error, requestId, path);
  return Response.json(body, { status, headers });
}

/** The same before it is written. */
export function describeProblem(error: AppError, requestId: string, path: string) {
  const { status, title } = PROBLEMS[error.code];
  const { type, headers, members } = particularsOf(error);
  const body: JsonObject = {
    type: type ?? `urn:orchestrix:problem:${error.code.toLowerCase().replaceAll("_", "-")}`,
    title,
    status,
    detail: error.detail,
    instance: path,
    code: error.code,
    requestId,
    error: error.detail,
    ...members,
  };
  const all: Readonly<Record<string, string>> = {
    "Content-Type": PROBLEM_CONTENT_TYPE,
    "Cache-Control": "no-store",
    ...headers,
  };
  return { status, headers: all, body };
}
