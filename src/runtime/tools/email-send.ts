import * as z from "zod";
import { isEmailAddress, isOneLine } from "../email/address.ts";
import {
  EMAIL_ADDRESS_MAX_CHARS,
  EMAIL_CONTENT_MAX_CHARS,
  EMAIL_MAX_RECIPIENTS,
  EMAIL_SUBJECT_MAX_CHARS,
} from "../email/limits.ts";
import { defineTool, fail, failForNow, output } from "../tool.ts";

const address = z
  .string()
  .max(EMAIL_ADDRESS_MAX_CHARS)
  .refine(isEmailAddress, "an address such as ada@example.com or Ada <ada@example.com>");

const content = z.string().max(EMAIL_CONTENT_MAX_CHARS);

export const emailSendTool = defineTool({
  name: "emailSend",
  description:
    "Sends a message through the e-mail service that the operator configured: as `text`, `html` or both. `from` is the " +
    "operator's default where it is left out. Sent once, however often the step is tried.",
  config: z.strictObject({
    from: address.optional(),
    to: z.union(
      [address, z.array(address).min(1).max(EMAIL_MAX_RECIPIENTS)],
      `an address such as ada@example.com, or a list of 1 to ${EMAIL_MAX_RECIPIENTS}`,
    ),
    subject: z.string().trim().min(1).max(EMAIL_SUBJECT_MAX_CHARS).refine(isOneLine, "one line"),
    text: content.optional(),
    html: content.optional(),
  }),
  output: z.object({ id: z.string() }),
  effect: "write",
  check({ text, html }) {
    return text === undefined && html === undefined ? [{ path: "text", message: "text or html is needed" }] : [];
  },
  async run({ from = null, to, subject, text = null, html = null }, { services, stepKey, signal }) {
    if (services.email === null) return fail("email is not configured here: the operator sets EMAIL_API_KEY");
    // References can leave both out.
    if (!text && !html) return fail("text or html is needed");
    const message = { from, to: typeof to === "string" ? [to] : to, subject, text, html };
    const outcome = await services.email.send(message, { idempotencyKey: stepKey, signal });
    if (outcome.kind === "sent") return output({ id: outcome.id });
    return outcome.isPassing ? failForNow(outcome.message) : fail(outcome.message);
  },
  preview: () => output({ id: "dry_run" }),
});
