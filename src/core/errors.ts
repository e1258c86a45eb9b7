import { type Err, err } from "./result.ts";

/** One fault of an input: `path` is dotted (`tools.2.config.collection`), empty for the whole. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/** One attempt of a search at one provider, as callers see it. */
export interface AttemptSummary {
  readonly provider: string;
  readonly outcome: "ok" | "failed" | "skipped";
  readonly reason: string | null;
  readonly httpStatus: number | null;
  readonly durationMs: number;
}

/**
 * Everything that is expected to go wrong, told apart by `code`. Each surface (HTTP, MCP, command line) maps it in one
 * exhaustive switch. `detail` is written for the caller: it never carries a secret, a stack or an upstream's raw body.
 */
export type AppError =
  | { readonly code: "VALIDATION_FAILED"; readonly detail: string; readonly errors: readonly FieldError[] }
  | {
      readonly code: "ALREADY_DEPLOYED";
      readonly detail: string;
      readonly agentId: string;
      readonly endpoint: string;
      readonly dashboardUrl: string;
    }
  | { readonly code: "NOT_DEPLOYED"; readonly detail: string }
  | { readonly code: "UNAUTHENTICATED"; readonly detail: string }
  | { readonly code: "FORBIDDEN"; readonly detail: string }
  | { readonly code: "NOT_FOUND"; readonly detail: string }
  | { readonly code: "METHOD_NOT_ALLOWED"; readonly detail: string; readonly allow: readonly string[] }
  | { readonly code: "DEPLOY_IN_PROGRESS"; readonly detail: string; readonly retryAfterSeconds: number }
  | { readonly code: "VERSION_CONFLICT"; readonly detail: string }
  | { readonly code: "DUPLICATE"; readonly detail: string }
  | { readonly code: "PAYLOAD_TOO_LARGE"; readonly detail: string }
  | { readonly code: "UNSUPPORTED_MEDIA_TYPE"; readonly detail: string }
  | { readonly code: "IDEMPOTENCY_MISMATCH"; readonly detail: string }
  | {
      readonly code: "RATE_LIMITED";
      readonly detail: string;
      readonly violatedPolicies: readonly string[];
      readonly retryAfterSeconds: number;
    }
  | { readonly code: "UPSTREAM_FAILED"; readonly detail: string }
  | { readonly code: "UPSTREAM_TIMEOUT"; readonly detail: string }
  | {
      readonly code: "POLICY_REFUSED";
      readonly detail: string;
      /** The rule's name: one of the policy's own, or of those that every policy has, such as `max-calls`. */
      readonly rule: string;
      readonly runId: string;
      readonly step: string;
    }
  | { readonly code: "RUN_FAILED"; readonly detail: string; readonly runId: string; readonly step: string }
  | { readonly code: "RUN_TIMEOUT"; readonly detail: string; readonly runId: string; readonly step: string }
  | {
      readonly code: "SEARCH_UNAVAILABLE";
      readonly detail: string;
      readonly attempts: readonly AttemptSummary[];
      readonly retryAfterSeconds: number;
    }
  | { readonly code: "TARGET_NOT_CONFIGURED"; readonly detail: string }
  | { readonly code: "OVERLOADED"; readonly detail: string; readonly retryAfterSeconds: number }
  | { readonly code: "STORAGE_UNAVAILABLE"; readonly detail: string }
  | { readonly code: "INTERNAL"; readonly detail: string };

export type ErrorCode = AppError["code"];

/** What a `catch` caught, as an error that can be logged. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error("something that is no error was thrown", { cause: thrown });
}

/** Thrown by storage adapters when the store does not answer: 503 at the edge, whatever was being done. */
export class StorageUnavailable extends Error {
  override readonly name = "StorageUnavailable";
}

/** What the work gives, or `instead` where the store does not answer: for whoever can go on without it. */
export async function unlessUnavailable<T, F>(work: Promise<T>, instead: F): Promise<T | F> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StorageUnavailable) return instead;
    throw error;
  }
}

export function validationFailed(errors: readonly FieldError[], detail?: string): Err<AppError> {
  return err({ code: "VALIDATION_FAILED", detail: detail ?? describeFieldErrors(errors), errors });
}

export function notFound(what: string): Err<AppError> {
  return err({ code: "NOT_FOUND", detail: `${what} not found` });
}

/** Up to three faults in one sentence, so that a client which reads only the message can act on it. */
export function describeFieldErrors(errors: readonly FieldError[]): string {
  const shown = errors.slice(0, 3).map((e) => (e.path === "" ? e.message : `${e.path}: ${e.message}`));
  const more = errors.length - shown.length;
  return shown.join("; ") + (more > 0 ? `; and ${more} more` : "");
}
