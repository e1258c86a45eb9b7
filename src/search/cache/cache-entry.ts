import * as z from "zod";
import { JSON_MAX_DEPTH } from "../../config/limits.ts";
import { parseUntrustedJson } from "../../core/json.ts";
import { MAX_RESULTS, searchResult } from "../contract.ts";
import {
  ANSWER_MAX_CHARS,
  CACHE_ENTRY_MAX_CHARS,
  CLOCK_SKEW_MS,
  PUBLISHED_DATE_MAX_CHARS,
  RESULT_CONTENT_MAX_CHARS,
  RESULT_RAW_CONTENT_MAX_CHARS,
  RESULT_TITLE_MAX_CHARS,
} from "../limits.ts";
import { INDEX_PROVIDER } from "../providers/index.ts";
import { hasMarkup, isUnclean } from "../quality/text.ts";
import { safeUrl } from "../quality/urls.ts";
import type { Freshness } from "./freshness.ts";

/** Raised with every change of the shape: what an older version stored is then a miss. */
const ENTRY_VERSION = 2;

const plainText = (maxChars: number) => z.string().refine((text) => !isUnclean(text, maxChars) && !hasMarkup(text));
const providerName = z.string().refine((name) => /^[a-z][a-z0-9-]{0,31}$/.test(name) && name !== INDEX_PROVIDER);

const cachedAnswer = z.strictObject({
  results: z
    .array(
      z.strictObject({
        ...searchResult.shape,
        title: plainText(RESULT_TITLE_MAX_CHARS).min(1),
        url: z.string().refine((url) => safeUrl(url) !== null),
        content: plainText(RESULT_CONTENT_MAX_CHARS),
        score: z.number().min(0).max(1),
        publishedDate: plainText(PUBLISHED_DATE_MAX_CHARS).nullable(),
        provider: providerName,
        rawContent: plainText(RESULT_RAW_CONTENT_MAX_CHARS).nullable().optional(),
      }),
    )
    .max(MAX_RESULTS),
  answer: plainText(ANSWER_MAX_CHARS).nullable(),
  provider: providerName,
});

/** What of an answer is the same for everybody who asks: neither the question nor who asked it. */
export type CachedAnswer = Readonly<z.output<typeof cachedAnswer>>;

const time = z.int().min(0);
const entrySchema = z.strictObject({
  v: z.literal(ENTRY_VERSION),
  value: cachedAnswer,
  storedAt: time,
  freshUntil: time,
  staleUntil: time,
  errorUntil: time,
});

export interface CacheEntry extends Freshness {
  readonly value: CachedAnswer;
}

export function encodeEntry({ value, storedAt, freshUntil, staleUntil, errorUntil }: CacheEntry): string {
  return JSON.stringify({ v: ENTRY_VERSION, value, storedAt, freshUntil, staleUntil, errorUntil });
}

/**
 * What the shared store gave back, trusted as little as an upstream: null where it is not exactly what `encodeEntry`
 * makes, holds markup or an unsafe address, has its times out of order, or claims a longer life than `maxLifeMs` or a
 * birth in the future.
 */
export function decodeEntry(text: string, nowMs: number, maxLifeMs: number): CacheEntry | null {
  if (text.length > CACHE_ENTRY_MAX_CHARS) return null;
  const json = parseUntrustedJson(text, JSON_MAX_DEPTH);
  const parsed = json.ok ? entrySchema.safeParse(json.value) : undefined;
  if (!parsed?.success) return null;
  const { v: _, ...entry } = parsed.data;
  const inOrder = entry.storedAt <= entry.freshUntil && entry.freshUntil <= entry.staleUntil;
  // Clocks of two machines differ by little; a lifetime further off was not set by us.
  const isOurs = entry.errorUntil - entry.storedAt <= maxLifeMs && entry.storedAt <= nowMs + CLOCK_SKEW_MS;
  return inOrder && entry.staleUntil <= entry.errorUntil && isOurs ? entry : null;
}
