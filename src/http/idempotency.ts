import type { Call } from "../core/actor.ts";
import type { Clock } from "../core/clock.ts";
import { sha256, toHex } from "../core/crypto.ts";
import { toError } from "../core/errors.ts";
import type { IdSource } from "../core/ids.ts";
import { canonicalJson, type Json } from "../core/json.ts";
import type { Defer, Logger } from "../core/logger.ts";
import type { Documents } from "../storage/documents/documents.ts";
import type { AppContext } from "./context.ts";
import { refusal } from "./endpoint.ts";
import { createIdempotencyRecords, type IdempotencyRecords, type KeptAnswer } from "./idempotency-records.ts";
import { IDEMPOTENCY_ANSWER_MAX_BYTES, IDEMPOTENCY_KEY_MAX_CHARS, IDEMPOTENCY_RETRY_SECONDS } from "./limits.ts";

export const IDEMPOTENCY_HEADER = "Idempotency-Key";
export const REPLAYED_HEADER = "Idempotency-Replayed";

const VALID_KEY = new RegExp(`^[\\x21-\\x7e]{1,${IDEMPOTENCY_KEY_MAX_CHARS}}$`);

const encoder = new TextEncoder();

/** What an answer says beside its body; the other headers belong to the request that asks. */
const KEPT_HEADERS = ["content-type", "cache-control", "location", "x-run-id"];

/**
 * Runs `execute` at most once for a caller's `Idempotency-Key`, or gives its first answer again. `body` is what was
 * read of the request's. Without a key, and for callers without an identity, it just runs.
 */
export type Idempotency = (c: AppContext, body: Json | undefined, execute: Execute) => Promise<Response>;

/** `keyed`: what the call is told. */
type Execute = (keyed: Pick<Call, "operation">) => Promise<Response>;

/**
 * Idempotency keys in the documents store, for 24 hours each. Kept are final answers: below 500, and none that asks to
 * come again (429, or any with `Retry-After`); after the others the key is free, so that a retry does the work. A retry
 * of the same request is the same operation, since what failed may have been done.
 *
 * Once begun, an operation goes on when its caller hangs up, and its answer is kept for the retry. One that died with
 * its isolate leaves a claim whose lease runs out; the next request with the key then runs the operation again, so what
 * is declared `idempotent` must find its own traces. Where the store does not answer, nothing is run.
 */
export function createIdempotency(deps: {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly defer: Defer;
  readonly log: Logger;
}): Idempotency {
  const records = createIdempotencyRecords(deps);

  return async function answerOnce(c, body, execute) {
    const key = c.req.header(IDEMPOTENCY_HEADER);
    const actor = c.get("actor");
    if (key === undefined || actor.kind === "anonymous") return execute({});
    if (!VALID_KEY.test(key)) return refuseKey(c);
    const id = toHex(await sha256(JSON.stringify([actor.id, key])));
    const claimed = await records.claim(id, await fingerprintOf(c, body));
    noteOutcome(c, claimed.kind === "won" && claimed.takenOver ? "taken_over" : claimed.kind);
    switch (claimed.kind) {
      case "won": {
        const { operation } = claimed;
        const work = runAndKeep(id, claimed.claim, () => execute({ operation }), records, deps.log);
        deps.defer("idempotent_operation", work.then(ignore, ignore));
        return work;
      }
      case "running":
        return refuseRunning(c);
      case "mismatch":
        return refusal(c, {
          code: "IDEMPOTENCY_MISMATCH",
          detail: `this ${IDEMPOTENCY_HEADER} was sent with another request: use a new key for a new request`,
        });
      case "done":
        return replay(c, claimed.answer);
    }
  };
}

async function runAndKeep(
  id: string,
  claim: string,
  execute: () => Promise<Response>,
  records: IdempotencyRecords,
  log: Logger,
): Promise<Response> {
  /** The operation is done whatever becomes of its record: a lost one ends with its lease. */
  const note = async (work: Promise<unknown>) => {
    try {
      if ((await work) === false) log.warn("idempotency_claim_lost", { claim });
    } catch (error) {
      log.warn("idempotency_not_kept", { claim, error: toError(error) });
    }
  };
  try {
    const response = await execute();
    if (!isFinal(response)) {
      await note(records.release(id, claim));
      return response;
    }
    const text = await response.text();
    await note(records.keep(id, claim, toKept(response, text)));
    return new Response(text === "" ? null : text, response);
  } catch (error) {
    await note(records.release(id, claim));
    throw error;
  }
}

function isFinal({ status, headers }: Response): boolean {
  return status < 500 && status !== 429 && !headers.has("Retry-After");
}

function toKept({ status, headers }: Response, text: string): KeptAnswer {
  const complete = encoder.encode(text).length <= IDEMPOTENCY_ANSWER_MAX_BYTES;
  const kept = KEPT_HEADERS.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return { status, headers: Object.fromEntries(kept), body: complete && text !== "" ? text : null, complete };
}

function replay(c: AppContext, { status, headers, body, complete }: KeptAnswer): Response {
  const answer = complete
    ? new Response(body, { status, headers })
    : refusal(c, {
        code: "DUPLICATE",
        detail: `the first request with this ${IDEMPOTENCY_HEADER} was answered with ${status}; its answer is too large to be given again`,
      });
  answer.headers.set(REPLAYED_HEADER, "true");
  return answer;
}

function refuseRunning(c: AppContext): Response {
  const response = refusal(c, {
    code: "DUPLICATE",
    detail: `the first request with this ${IDEMPOTENCY_HEADER} is still running: ask again for its answer`,
  });
  response.headers.set("Retry-After", String(IDEMPOTENCY_RETRY_SECONDS));
  return response;
}

function refuseKey(c: AppContext): Response {
  const message = `1 to ${IDEMPOTENCY_KEY_MAX_CHARS} visible ASCII characters, without spaces`;
  return refusal(c, {
    code: "VALIDATION_FAILED",
    detail: `${IDEMPOTENCY_HEADER}: ${message}`,
    errors: [{ path: IDEMPOTENCY_HEADER, message }],
  });
}

/** By what the operation is given: bodies that differ in white space or the order of their keys are the same. */
async function fingerprintOf(c: AppContext, body: Json | undefined): Promise<string> {
  const { pathname, search } = new URL(c.req.url);
  return toHex(await sha256(canonicalJson([c.req.method, pathname, search, body ?? null])));
}

function noteOutcome(c: AppContext, outcome: string): void {
  c.get("event").idempotency = outcome;
}

function ignore(): void {}
