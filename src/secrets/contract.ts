import * as z from "zod";
import { isPrototypeKey } from "../core/json.ts";
import { ownerId } from "../http/schemas.ts";
import { SECRET_VALUE_MAX_CHARS, SECRET_VALUE_MIN_CHARS } from "./limits.ts";

/** What stands behind `secrets.` in a reference. Holds no colon and no dot. */
export const secretName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, "1 to 64 letters, digits or _, starting with a letter or _")
  .refine((name) => !isPrototypeKey(name), "is a name that references cannot reach");

export function isSecretName(name: string): boolean {
  return secretName.safeParse(name).success;
}

const TOO_SHORT =
  `at least ${SECRET_VALUE_MIN_CHARS} characters, spaces around them not counted: a shorter value could not be masked ` +
  "where it shows, and would soon be found out by trying";

export const putSecretBody = z
  .strictObject({
    value: z
      .string()
      .max(SECRET_VALUE_MAX_CHARS)
      .refine((text) => text.trim().length >= SECRET_VALUE_MIN_CHARS, TOO_SHORT)
      .refine((text) => text.isWellFormed(), "must be valid Unicode")
      .meta({
        minLength: SECRET_VALUE_MIN_CHARS,
        writeOnly: true,
        description: "Stored as it is, spaces and line breaks included. Never shown again.",
      }),
    ownerId: ownerId.optional(),
  })
  .meta({ id: "PutSecret" });

export type PutSecret = z.output<typeof putSecretBody>;

/** All that is ever shown of a secret. */
export const secretRecord = z
  .object({
    name: secretName,
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    /** One higher with every put, also one of the same value: so it tells nothing of what is stored. */
    version: z.int().min(1),
  })
  .meta({ id: "Secret" });

export type SecretRecord = z.output<typeof secretRecord>;

export const secretParams = z.object({ name: secretName });
export const secretQuery = z.object({ ownerId: ownerId.optional() });
