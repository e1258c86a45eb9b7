import "../config/zod-settings.ts";
import * as z from "zod";
import { OWNER_ID_MAX_CHARS, PAGE_DEFAULT_ITEMS, PAGE_MAX_ITEMS } from "../config/limits.ts";
import type { JsonObject } from "../core/json.ts";

/** Pieces that the features' contracts share. */

export const serverId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, "1 to 64 letters, digits, _ or -, starting with a letter or digit");

/** Free text of the caller's user system. Control characters and surrogates on their own are refused. */
export const ownerId = z
  .string()
  .min(1, "must not be empty")
  .max(OWNER_ID_MAX_CHARS)
  .refine((text) => !/\p{C}/u.test(text), "must hold no control characters");

export const jsonObject = z.record(z.string(), z.json()).transform((value) => value as JsonObject);

/** A whole number from 1 to `max`, as a query string writes it; `fallback` where it is left out. */
export function countUpTo(max: number, fallback: number) {
  return z
    .string()
    .refine(
      (text) => /^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= max,
      `a whole number from 1 to ${max}`,
    )
    .transform(Number)
    .default(fallback)
    .meta({ type: "integer", minimum: 1, maximum: max, description: `${fallback} where it is left out` });
}

export const NO_CURSOR = "a nextCursor of an earlier page";

/** `?limit=&cursor=` of every list. A cursor is opaque to the caller: the id of the last item of the page before. */
export const pageQuery = {
  limit: countUpTo(PAGE_MAX_ITEMS, PAGE_DEFAULT_ITEMS),
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9_:-]{1,128}$/, NO_CURSOR)
    .optional(),
};

/** The `cursor` of a list whose items have such ids. */
export function cursorOf(id: z.ZodType<string>) {
  return z
    .string()
    .refine((text) => id.safeParse(text).success, NO_CURSOR)
    .optional();
}

export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** One page: `items` were read with one more than `limit` asked, so that the last page is known as such. */
export function toPage<T>(
  read: readonly T[],
  limit: number,
  cursorOf: (item: T) => string,
): { items: readonly T[]; nextCursor: string | null } {
  const items = read.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: read.length > limit && last !== undefined ? cursorOf(last) : null };
}
