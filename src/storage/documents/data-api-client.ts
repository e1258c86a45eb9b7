import { decodeUtf8, readBounded } from "../../core/bounded-body.ts";
import type { Clock } from "../../core/clock.ts";
import { runWithin } from "../../core/deadline.ts";
import { StorageUnavailable } from "../../core/errors.ts";
import type { Fetch } from "../../core/fetch.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import { DATA_API_ANSWER_MAX_BYTES, DATA_API_TIMEOUT_MS } from "./limits.ts";
import { faultOf } from "./mongo-actions.ts";
import { readExtendedJson } from "./mongo-values.ts";

/** Sends actions to a gateway and reads what comes back. */
export interface DataApiClient {
  /**
   * Gives what `read` makes of the answer, which is plain JSON by then. `read` gives null for an answer that does not
   * fit. Throws as `MongoActions` says; nothing of an answer's text is in an error.
   */
  call<T>(action: string, body: Readonly<Record<string, unknown>>, read: (answer: JsonObject) => T | null): Promise<T>;
}

interface Answer {
  readonly status: number;
  /** Null where it is too large. */
  readonly text: string | null;
}

export function createDataApiClient(deps: {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly auth: "api-key" | "bearer" | "basic";
  readonly fetch: Fetch;
  readonly clock: Clock;
}): DataApiClient {
  const headers = {
    "content-type": "application/json",
    accept: "application/json",
    ...(deps.apiKey === undefined ? {} : credentials(deps.auth, deps.apiKey)),
  };

  async function send(action: string, body: string): Promise<Answer> {
    const outcome = await runWithin(deps.clock, DATA_API_TIMEOUT_MS, undefined, async (signal) => {
      // A redirect would take the credentials along to another host.
      const init: RequestInit = { method: "POST", headers, body, signal, redirect: "manual" };
      const response = await deps.fetch(`${deps.baseUrl}/action/${action}`, init);
      const bytes = await readBounded(response.body, DATA_API_ANSWER_MAX_BYTES);
      return { status: response.status, text: bytes === null ? null : (decodeUtf8(bytes) ?? "") };
    }).catch(() => null);
    if (outcome?.kind === "done") return outcome.value;
    throw new StorageUnavailable(
      outcome === null
        ? "the document gateway does not answer"
        : `the document gateway did not answer within ${DATA_API_TIMEOUT_MS} ms`,
    );
  }

  return {
    async call(action, body, read) {
      const { status, text } = await send(action, JSON.stringify(body));
      if (text === null) throw new RangeError("an answer is larger than is read: lower the limit");
      if (status === STATUS_TOO_LARGE) throw new RangeError("a document is larger than the gateway takes");
      if (status === 401 || status === 403)
        throw new StorageUnavailable("the document gateway refused the credentials");
      if (status < 200 || status > 299) throw faultOf({ code: codeIn(text), text });
      const answer = parse(text);
      const value = answer === null ? null : read(answer);
      if (value !== null) return value;
      // Some gateways report a fault under a status of success.
      throw isFault(answer) ? faultOf({ code: codeIn(text), text }) : misfit();
    },
  };
}

const STATUS_TOO_LARGE = 413;

function credentials(auth: "api-key" | "bearer" | "basic", key: string): Record<string, string> {
  switch (auth) {
    case "api-key":
      return { "api-key": key };
    case "bearer":
      return { authorization: `Bearer ${key}` };
    case "basic":
      return { authorization: `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(key)))}` };
  }
}

function parse(text: string): JsonObject | null {
  try {
    const answer = readExtendedJson(JSON.parse(text) as Json);
    return isJsonObject(answer) ? answer : null;
  } catch {
    return null;
  }
}

function isFault(answer: JsonObject | null): boolean {
  return answer !== null && ("error" in answer || "error_code" in answer || "errmsg" in answer);
}

/** A server's number for its error, where a gateway passes it on. */
function codeIn(text: string): number | undefined {
  const answer = parse(text);
  const code = answer?.code ?? answer?.error_code;
  return typeof code === "number" ? code : undefined;
}

function misfit(): StorageUnavailable {
  return new StorageUnavailable("the document gateway gave an answer that does not fit");
}
