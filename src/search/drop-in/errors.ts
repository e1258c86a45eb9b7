import type { AppError } from "../../core/errors.ts";
import { problemResponse } from "../../http/problem.ts";

/** A failure as Tavily tells it: its clients read `detail.error`, and tell kinds of errors apart by the status. */
export function tavilyProblem(error: AppError): Response {
  const text = error.code === "UNAUTHENTICATED" ? "Unauthorized: missing or invalid API key." : error.detail;
  return inOtherWords(error, () => ({ detail: { error: text } }));
}

/** A failure as Perplexity and LiteLLM tell it, in the form that OpenAI's clients know. */
export function perplexityProblem(error: AppError): Response {
  return inOtherWords(error, (status) => ({
    error: { message: error.detail, type: errorType(status), code: status },
  }));
}

function errorType(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "api_error" : "invalid_request_error";
}

/** The status and the headers of the problem, when to come back among them, with another body. */
function inOtherWords(error: AppError, bodyOf: (status: number) => object): Response {
  const { status, headers } = problemResponse(error, "", "");
  headers.set("Content-Type", "application/json");
  return new Response(JSON.stringify(bodyOf(status)), { status, headers });
}
