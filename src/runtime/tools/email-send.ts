import * as z from "zod";
import { EMAIL_ADDRESS_MAX_CHARS, isEmailAddress, isOneLine } from "../../core/email-address.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { Email, EmailSender } from "../email/email-sender.ts";
import { EMAIL_CONTENT_MAX_CHARS, EMAIL_MAX_RECIPIENTS, EMAIL_SUBJECT_MAX_CHARS } from "../email/limits.ts";
import { defineTool, fail, failForNow, output } from "../tool.ts";

const address = z
  .string()
  .max(EMAIL_ADDRESS_MAX_CHARS)
  .refine(isEmailAddress, "an address such as ada@example.com or Ada <ada@example.com>");

const content = z.string().max(EMAIL_CONTENT_MAX_CHARS);

const config = z.strictObject({
  from: address.optional(),
  to: z.union(
    [address, z.array(address).min(1).max(EMAIL_MAX_RECIPIENTS)],
    `an address such as ada@example.com, or a list of 1 to ${EMAIL_MAX_RECIPIENTS}`,
  ),
  subject: z.string().trim().min(1).max(EMAIL_SUBJECT_MAX_CHARS).refine(isOneLine, "one line"),
  text: content.optional(),
  html: content.optional(),
});

export const emailSendTool = defineTool({
  name: "emailSend",
  description:
    "Sends a message through the e-mail service that the operator configured: as `text`, `html` or both. `from` is the " +
    "operator's default where it is left out. Each attempt of the step carries the same `Idempotency-Key`: a service that " +
    "knows it, as Resend does, sends once however often the step is tried; another one may send each time.",
  config,
  output: z.object({ id: z.string() }),
  effect: "write",
  check({ text, html }) {
    return text === undefined && html === undefined ? [{ path: "text", message: "text or html is needed" }] : [];
  },
  async run(settings, { services, asOwner, stepKey, signal }) {
    const ready = prepare(settings, services.email);
    if (!ready.ok) return fail(ready.error);
    const { sender, email } = ready.value;
    // The service is one that neither the caller nor the graph's author chose: the caller's state stays here.
    const traceparent = asOwner.trace?.()?.traceparent ?? null;
    const outcome = await sender.send(email, { idempotencyKey: stepKey, traceparent, signal });
    if (outcome.kind === "sent") return output({ id: outcome.id });
    return outcome.isPassing ? failForNow(outcome.message) : fail(outcome.message);
  },
  preview(settings, { services }) {
    const ready = prepare(settings, services.email);
    return ready.ok ? output({ id: "dry_run" }) : fail(ready.error);
  },
});

function prepare(
  settings: z.output<typeof config>,
  sender: EmailSender | null,
): Result<{ readonly sender: EmailSender; readonly email: Email }, string> {
  if (sender === null) return err("email is not configured here: the operator sets EMAIL_API_KEY");
  const { text = null, html = null } = settings;
  // References can leave both out.
  if (!text && !html) return err("text or html is needed");
  const { from = null, to, subject } = settings;
  const email = { from, to: typeof to === "string" ? [to] : to, subject, text, html };
  const fault = sender.faultOf(email);
  return fault === null ? ok({ sender, email }) : err(fault);
}
