import * as z from "zod";
import type { FieldError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { compileTemplate } from "../graph/references.ts";
import { SECRET_MAX_CHARS, SECRET_MIN_BYTES } from "./jwt-limits.ts";

const encoder = new TextEncoder();

/** A key of the author's for HS256, as text. */
export const jwtSecret = z
  .string()
  .max(SECRET_MAX_CHARS)
  .refine((text) => encoder.encode(text).length >= SECRET_MIN_BYTES, `at least ${SECRET_MIN_BYTES} bytes`);

export function toKey(secret: string): Uint8Array {
  return encoder.encode(secret);
}

/**
 * Faults of a config that would trust others where a value is missing: without its `secret` the agent's own key holds,
 * without its `audience` none is asked for. Told of the whole: what is wrong at a reference is looked at again in a run.
 */
export function vanishingTrust(config: JsonObject): readonly FieldError[] {
  return ["secret", "audience"].flatMap((name) => {
    const { template } = compileTemplate(config[name] ?? null);
    if (template.kind !== "reference" || !template.reference.optional) return [];
    return [
      { path: "", message: `${name}: ${template.reference.text} is optional, and without it others are trusted` },
    ];
  });
}
