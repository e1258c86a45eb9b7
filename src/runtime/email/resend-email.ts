import * as z from "zod";
import { decodeUtf8, readBodyBounded } from "../../core/bounded-body.ts";
import type { Clock } from "../../core/clock.ts";
import { runWithin } from "../../core/deadline.ts";
import type { Fetch } from "../../core/fetch.ts";
import { maskText } from "../../core/mask.ts";
import type { Email, EmailSender } from "./email-sender.ts";
import { EMAIL_ANSWER_MAX_BYTES, EMAIL_TIMEOUT_MS } from "./limits.ts";

export interface ResendOptions {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Who writes where the graph names nobody; null where the operator names nobody either. */
  readonly from: string | null;
  readonly fetch: Fetch;
  readonly clock: Clock;
}

type SendOptions = Parameters<EmailSender["send"]>[1];
type Outcome = Awaited<ReturnType<EmailSender["send"]>>;

const sentAnswer = z.object({ id: z.string().min(1).max(256) });
const errorAnswer = z.object({ name: z.string().optional(), message: z.string() });

/** Two attempts met: the other one's answer will be this one's. */
const CONCURRENT = "concurrent_idempotent_requests";

const REQUEST_TIMEOUT = 408;
const TOO_MANY_REQUESTS = 429;
const SERVER_ERRORS = 500;

/**
 * Resend's HTTP API, and whatever has its form. Every message carries its key, so that one whose answer was lost may be
 * sent again: the service keeps keys for a day.
 */
export function createResendEmail({ baseUrl, apiKey, from, fetch, clock }: ResendOptions): EmailSender {
  async function post(body: string, { idempotencyKey, traceparent, signal }: SendOptions): Promise<Outcome> {
    const headers = {
      Authorization: `Bearer ${apiKey}`,
      "Content-Type": "application/json",
      Accept: "application/json",
      "Idempotency-Key": idempotencyKey,
      ...(traceparent === null ? {} : { traceparent }),
    };
    try {
      // The key travels in a header: it must not follow a redirect to somebody else.
      const response = await fetch(`${baseUrl}/emails`, { method: "POST", headers, body, redirect: "manual", signal });
      const bytes = await readBodyBounded(response, EMAIL_ANSWER_MAX_BYTES);
      return toOutcome(response, bytes === null ? undefined : parseJson(bytes), apiKey);
    } catch {
      signal.throwIfAborted();
      return failed("the e-mail service could not be reached", true);
    }
  }

  function faultOf(email: Email): string | null {
    return (email.from ?? from) === null ? "nobody to send it from: set `from`, or the operator sets EMAIL_FROM" : null;
  }

  return {
    faultOf,
    async send(email, options) {
      const fault = faultOf(email);
      if (fault !== null) return failed(fault, false);
      const sender = email.from ?? from;
      const { to, subject, text, html } = email;
      const body = JSON.stringify({ from: sender, to, subject, text: text ?? undefined, html: html ?? undefined });
      const outcome = await runWithin(clock, EMAIL_TIMEOUT_MS, options.signal, (signal) =>
        post(body, { ...options, signal }),
      );
      return outcome.kind === "done" ? outcome.value : failed("the e-mail service did not answer in time", true);
    },
  };
}

function toOutcome({ ok, status }: Response, answer: unknown, apiKey: string): Outcome {
  const sent = sentAnswer.safeParse(answer);
  if (ok && sent.success) return { kind: "sent", id: sent.data.id };
  // It may have been sent; the key makes another attempt safe.
  if (ok) return failed("the e-mail service answered with what is no receipt", true);
  const { name, message = "" } = errorAnswer.safeParse(answer).data ?? {};
  const isPassing =
    status === REQUEST_TIMEOUT || status === TOO_MANY_REQUESTS || status >= SERVER_ERRORS || name === CONCURRENT;
  const said = oneLine(maskText(message, [apiKey]));
  return failed(`the e-mail service answered with status ${status}${said === "" ? "" : `: ${said}`}`, isPassing);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(bytes) ?? "");
  } catch {
    return undefined;
  }
}

/** Another's words, for a line in a trace. Whole: a secret in them that was cut would no longer be known as one. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
}

function failed(message: string, isPassing: boolean): Outcome {
  return { kind: "failed", message, isPassing };
}
