import type { Clock } from "../../core/clock.ts";
import { runWithin } from "../../core/deadline.ts";
import { type AppError, validationFailed } from "../../core/errors.ts";
import type { Fetch } from "../../core/fetch.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { searchRequest } from "../contract.ts";
import { cleanResults } from "../quality/results.ts";
import { askCustom, type CustomExchange, customFailure } from "./custom.ts";
import { readCustomAnswer } from "./custom-answer.ts";
import type { CustomDefinition, CustomHeaders } from "./custom-definition.ts";

export interface CustomCheck {
  readonly name: string;
  readonly definition: CustomDefinition;
  readonly headers: CustomHeaders;
  readonly query: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * Asks the provider one question for real and takes its answer through the same cleaning as every other: ok where a
 * result is left. Says what is wrong by our own words and the status, never by what the provider wrote.
 */
export async function checkCustomProvider(
  { name, definition, headers, query, signal: caller }: CustomCheck,
  { fetch, clock, timeoutMs }: { readonly fetch: Fetch; readonly clock: Clock; readonly timeoutMs: number },
): Promise<Result<null>> {
  const request = searchRequest.parse({ query });
  const asked = await runWithin(clock, timeoutMs, caller, (signal) =>
    askCustom(definition, headers, request, { fetch, signal }),
  );
  if (asked.kind !== "done") {
    return err({ code: "UPSTREAM_TIMEOUT", detail: `the provider did not answer the test query in ${timeoutMs} ms` });
  }
  const exchange = asked.value;
  if (exchange === null) return upstreamFailed("nobody answers at the provider's address");
  if (exchange === "unaskable") return wrong("checkQuery", "does not fit into the URL");
  if (!exchange.ok) return judgeStatus(definition, exchange);
  const read = readCustomAnswer(definition.answer, exchange.body);
  if (!read.ok) return validationFailed([read.fault]);
  if (read.results.length === 0)
    return wrong("answer.results", "the test query found nothing: name another checkQuery");
  const shown = cleanResults(name, read.results, request);
  return shown.length > 0 ? ok(null) : wrong("answer.url", "no result has a title and an http or https URL");
}

function judgeStatus(definition: CustomDefinition, { status }: CustomExchange): Result<null, AppError> {
  const told = `the provider answered the test query with ${status}`;
  if (status >= 300 && status < 400) return wrong("request.url", `${told}: redirects are not followed`);
  switch (customFailure(status, definition.errors)) {
    case "unauthorized":
      return wrong("request.headers", told);
    case "bad_response":
      return wrong("request", told);
    case "empty":
      return wrong("checkQuery", `${told}, which means that nothing was found: name another`);
    default:
      return upstreamFailed(told);
  }
}

function wrong(path: string, message: string): Result<never> {
  return validationFailed([{ path, message }]);
}

function upstreamFailed(detail: string): Result<never> {
  return err({ code: "UPSTREAM_FAILED", detail });
}
