import * as z from "zod";
import { jsonObject } from "../../http/schemas.ts";
import { ATTEMPT_REASONS, searchRequest } from "../contract.ts";
import { CUSTOM_ERROR_REASONS, customDefinition, customSubmission } from "./custom-definition.ts";
import { CHECK_QUERY, INDEX_PRIORITY, PRIORITY_MAX, PRIORITY_MIN } from "./provider-limits.ts";

export const providerName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, "1 to 32 lower-case letters, digits or -, starting with a letter");

const priority = z.int().min(PRIORITY_MIN).max(PRIORITY_MAX);

export const registerProviderBody = z
  .strictObject({
    name: providerName,
    priority: priority.optional(),
    ...customSubmission,
    /** What the provider is asked before it is taken on. */
    checkQuery: searchRequest.shape.query.default(CHECK_QUERY),
  })
  .meta({ id: "RegisterProvider" });

export type RegisterProvider = z.output<typeof registerProviderBody>;

export const changeProviderBody = z
  .strictObject({
    priority: z.int().min(PRIORITY_MIN).max(INDEX_PRIORITY).optional(),
    enabled: z.boolean().optional(),
    /** Closes the provider's circuit breaker, everywhere. */
    resetCircuit: z.literal(true).optional(),
  })
  .refine((change) => Object.keys(change).length > 0, "name what to change: priority, enabled or resetCircuit")
  .meta({ id: "ChangeProvider" });

export type ChangeProvider = z.output<typeof changeProviderBody>;

/** How a registered provider is asked and read; of its headers the names alone. */
const shownDefinition = z.object({
  request: z.object({
    method: z.enum(["GET", "POST"]),
    url: z.string(),
    headers: z.array(z.string()),
    body: jsonObject.optional(),
  }),
  answer: customDefinition.shape.answer,
  errors: z.record(z.string(), z.enum(CUSTOM_ERROR_REASONS)).optional(),
});

export const providerView = z
  .object({
    name: z.string(),
    /** The lowest is asked first. */
    priority: z.int(),
    enabled: z.boolean(),
    /** False where it lacks a key, an address, or the ENCRYPTION_KEY that opens its headers. */
    configured: z.boolean(),
    degraded: z.boolean(),
    custom: z.boolean(),
    circuit: z.object({
      state: z.enum(["closed", "open", "half_open"]),
      reason: z.enum(ATTEMPT_REASONS).nullable(),
      openUntil: z.iso.datetime().nullable(),
    }),
    /** In the provider's own units; null where it does not say. */
    quota: z.object({ used: z.number(), limit: z.number().nullable() }).nullable(),
    /** Null for a built-in one. */
    definition: shownDefinition.nullable(),
  })
  .meta({ id: "SearchProvider" });

export type ProviderView = z.output<typeof providerView>;

export const providerList = z.object({ providers: z.array(providerView) }).meta({ id: "SearchProviders" });
