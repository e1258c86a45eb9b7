import * as z from "zod";
import { JSON_MAX_DEPTH } from "../config/limits.ts";
import { parseUntrustedJson } from "../core/json.ts";
import { searchResult } from "./contract.ts";
import { CACHE_ENTRY_MAX_BYTES } from "./limits.ts";
import { INDEX_PROVIDER } from "./providers/index.ts";
import { hasMarkup } from "./text.ts";
import { safeUrl } from "./urls.ts";

/** Raised with every change of the shape: what an older version stored is then a miss. */
const ENTRY_VERSION = 1;

const plainText = z.string().refine((text) => !hasMarkup(text));
const providerName = z.string().refine((name) => name !== INDEX_PROVIDER);

const cachedAnswer = z.strictObject({
  results: z.array(
    z.strictObject({
      ...searchResult.shape,
      title: plainText.min(1),
      url: z.string().refine((url) => safeUrl(url) !== null),
      content: plainText,
      score: z.number().min(0).max(1),
      provider: providerName,
      rawContent: plainText.nullable().optional(),
    }),
  ),
  answer: plainText.nullable(),
  provider: providerName,
});

/** What of an answer is the same for everybody who asks: neither the question nor who asked it. */
export type CachedAnswer = Readonly<z.output<typeof cachedAnswer>>;

const entrySchema = z.strictObject({
  v: z.literal(ENTRY_VERSION),
  value: cachedAnswer,
  storedAt: z.int().min(0),
  freshUntil: z.int().min(0),
});

/** Times are milliseconds since the epoch. */
export interface CacheEntry {
  readonly value: CachedAnswer;
  readonly storedAt: number;
  readonly freshUntil: number;
}

export function encodeEntry(entry: CacheEntry): string {
  return JSON.stringify({ v: ENTRY_VERSION, ...entry });
}

/**
 * What the shared store gave back, trusted as little as an upstream: null where it is not exactly what `encodeEntry`
 * makes, holds markup or an unsafe address, or claims a longer life than `maxTtlMs` or a birth in the future.
 */
export function decodeEntry(text: string, nowMs: number, maxTtlMs: number): CacheEntry | null {
  if (text.length > CACHE_ENTRY_MAX_BYTES) return null;
  const json = parseUntrustedJson(text, JSON_MAX_DEPTH);
  const parsed = json.ok ? entrySchema.safeParse(json.value) : undefined;
  if (!parsed?.success) return null;
  const { value, storedAt, freshUntil } = parsed.data;
  // Clocks of two machines differ by little; a lifetime further off was not set by us.
  return freshUntil - storedAt <= maxTtlMs && freshUntil - nowMs <= maxTtlMs ? { value, storedAt, freshUntil } : null;
}
