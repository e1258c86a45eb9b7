import type { Clock } from "../../core/clock.ts";
import type { Json } from "../../core/json.ts";
import type { SearchRequest } from "../contract.ts";
import { readCustomAnswer } from "./custom-answer.ts";
import type { CustomDefinition, CustomHeaders } from "./custom-definition.ts";
import { fillBody, fillUrl } from "./custom-template.ts";
import type { FailureReason, ProviderContext, ProviderOutcome, SearchProvider } from "./provider.ts";
import { discard, failed, readJson, retryAfterMs, send, statusFailure } from "./upstream.ts";

export interface CustomProviderOptions {
  readonly name: string;
  /** Of the definition and its headers: another one's failures and answers are not this one's. */
  readonly identity: string;
  readonly definition: CustomDefinition;
  /** Null where they are sealed under another ENCRYPTION_KEY: it cannot be asked. */
  readonly headers: CustomHeaders | null;
  readonly clock: Clock;
}

/** A provider by configuration alone. Hosts are filtered here and not there, since no template can say them. */
export function createCustomProvider({
  name,
  identity,
  definition,
  headers,
  clock,
}: CustomProviderOptions): SearchProvider {
  return {
    name,
    identity,
    configured: headers !== null,
    degraded: false,
    personal: false,
    async search(request, context) {
      const exchange = await askCustom(definition, headers ?? {}, request, context);
      if (exchange === "unaskable") return { ok: true, httpStatus: null, results: [], answer: null };
      if (exchange === null) return failed("server_error", null);
      return customOutcome(definition, exchange, clock.now());
    },
  };
}

/** One exchange that came to an answer. `body` is undefined for a failure, and for what is no JSON. */
export interface CustomExchange {
  readonly status: number;
  readonly ok: boolean;
  readonly body: Json | undefined;
  readonly retryAfter: string | null;
}

/** Null where nobody answered; `unaskable` for a question that the template cannot carry. Rejects on abort. */
export async function askCustom(
  { request: template }: CustomDefinition,
  headers: CustomHeaders,
  request: SearchRequest,
  { fetch, signal }: Pick<ProviderContext, "fetch" | "signal">,
): Promise<CustomExchange | "unaskable" | null> {
  const url = fillUrl(template.url, request);
  if (url === null) return "unaskable";
  const sent = new Headers({ Accept: "application/json" });
  for (const [name, value] of Object.entries(headers)) sent.set(name, value);
  const body = template.body === undefined ? null : JSON.stringify(fillBody(template.body, request));
  if (body !== null) sent.set("Content-Type", "application/json");
  const init = { method: template.method, headers: sent, ...(body === null ? {} : { body }) };
  const response = await send(fetch, url, init, signal);
  if (response === null) return null;
  const { status, ok } = response;
  if (!ok) await discard(response);
  return {
    status,
    ok,
    body: ok ? await readJson(response, signal) : undefined,
    retryAfter: response.headers.get("retry-after"),
  };
}

export function customOutcome(
  definition: CustomDefinition,
  { status, ok, body, retryAfter }: CustomExchange,
  nowMs: number,
): ProviderOutcome {
  if (!ok) {
    const reason = customFailure(status, definition.errors);
    if (reason === "empty") return { ok: true, httpStatus: status, results: [], answer: null };
    return failed(reason, status, retryAfterMs(retryAfter, nowMs));
  }
  const read = readCustomAnswer(definition.answer, body);
  if (!read.ok) return failed("bad_response", status);
  return { ok: true, httpStatus: status, results: read.results, answer: read.answer };
}

/** The definition's own table wins over what a status means everywhere. */
export function customFailure(status: number, table: CustomDefinition["errors"]): FailureReason | "empty" {
  const told = Object.entries(table ?? {}).find(([known]) => known === String(status))?.[1];
  return told ?? statusFailure(status);
}
