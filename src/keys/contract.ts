import * as z from "zod";
import { NAME_MAX_CHARS } from "../config/limits.ts";
import { SCOPES } from "../core/actor.ts";
import { ownerId } from "../http/schemas.ts";

const tierLimit = z.int().min(1).max(100_000_000);

/** What a key may use up; a field left out takes the deployment's setting. */
const limits = z.strictObject({
  burst: tierLimit.optional(),
  perMinute: tierLimit.optional(),
  perHour: tierLimit.optional(),
});

export type KeyLimits = z.output<typeof limits>;

export const keyId = z.string().regex(/^key_[0-9a-f]{2}_[0-9a-z]{26}$/, "a key's id");

export const createKeyBody = z
  .strictObject({
    ownerId,
    name: z.string().trim().min(1).max(NAME_MAX_CHARS),
    scopes: z
      .array(z.enum(SCOPES))
      .min(1)
      .transform((scopes) => [...new Set(scopes)]),
    expiresAt: z.iso.datetime({ offset: true }).nullable().optional(),
    limits: limits.optional(),
  })
  .meta({ id: "CreateKey" });

export type CreateKey = z.output<typeof createKeyBody>;

export const keyRecord = z
  .object({
    id: keyId,
    ownerId: z.string(),
    name: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    limits,
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime({ offset: true }).nullable(),
    revokedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "Key" });

export type KeyRecord = z.output<typeof keyRecord>;

export const createdKey = keyRecord.extend({ key: z.string() }).meta({ id: "CreatedKey" });

export const keyQuery = z.object({ ownerId: ownerId.optional() });
