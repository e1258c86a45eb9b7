import * as z from "zod";

export const WEBHOOK_SOURCES = ["standard", "github"] as const;
export type WebhookSource = (typeof WEBHOOK_SOURCES)[number];

export const webhookAnswer = z
  .object({
    /** It is, or was already, taken on. False where the event asks for nothing that is done here. */
    accepted: z.boolean(),
    /** The sender's own id of the message. */
    deliveryId: z.string(),
    /** There when the id came before; it is acted on once. */
    duplicate: z.literal(true).optional(),
    /** Why it was not taken on. */
    reason: z.string().optional(),
  })
  .meta({ id: "WebhookAnswer" });

export type WebhookAnswer = z.output<typeof webhookAnswer>;
