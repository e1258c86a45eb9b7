import * as z from "zod";
import { QUERY_MAX_CHARS } from "../config/limits.ts";
import { ownerId } from "../http/schemas.ts";
import {
  DOCUMENT_ID_MAX_CHARS,
  DOCUMENT_MAX_BYTES,
  PUT_MAX_DOCUMENTS,
  RESULT_TITLE_MAX_CHARS,
  RESULT_URL_MAX_CHARS,
} from "./limits.ts";
import { safeUrl } from "./quality/urls.ts";

export const MAX_RESULTS = 20;
export const DEFAULT_RESULTS = 5;
export const MAX_DOMAINS = 20;

const domain = z
  .string()
  .trim()
  .toLowerCase()
  .regex(
    /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/,
    "a host name such as example.com",
  );

export const domainList = z.array(domain).max(MAX_DOMAINS);

const query = z
  .string()
  .trim()
  .min(1, "must hold 1 to 400 characters")
  .refine((text) => [...text].length <= QUERY_MAX_CHARS, `at most ${QUERY_MAX_CHARS} characters`)
  .refine(
    (text) => text.isWellFormed() && !/\p{Cc}/u.test(text.replace(/[\t\n\r]/g, "")),
    "must hold no control characters",
  );

export const searchRequest = z
  .strictObject({
    query,
    maxResults: z.int().min(1).max(MAX_RESULTS).default(DEFAULT_RESULTS),
    topic: z.enum(["general", "news", "finance"]).default("general"),
    searchDepth: z.enum(["basic", "advanced"]).default("basic"),
    timeRange: z.enum(["day", "week", "month", "year"]).nullable().default(null),
    includeDomains: domainList.default([]),
    excludeDomains: domainList.default([]),
    /** ISO 3166-1 alpha-2. */
    country: z
      .string()
      .regex(/^[A-Za-z]{2}$/, "a country code of two letters")
      .toLowerCase()
      .nullable()
      .default(null),
    /** ISO 639-1. */
    language: z
      .string()
      .regex(/^[A-Za-z]{2}$/, "a language code of two letters")
      .toLowerCase()
      .nullable()
      .default(null),
    includeAnswer: z.boolean().default(false),
    includeRawContent: z.boolean().default(false),
    cache: z.enum(["default", "bypass", "only"]).default("default"),
  })
  .meta({ id: "SearchRequest" });

export type SearchRequest = z.output<typeof searchRequest>;

export const ATTEMPT_REASONS = [
  "timeout",
  "rate_limited",
  "quota",
  "unauthorized",
  "server_error",
  "bad_response",
  "irrelevant",
  "empty",
  "circuit_open",
  "not_configured",
  "deadline",
] as const;
export type AttemptReason = (typeof ATTEMPT_REASONS)[number];

export const attemptSchema = z
  .object({
    provider: z.string(),
    outcome: z.enum(["ok", "failed", "skipped"]),
    reason: z.enum(ATTEMPT_REASONS).nullable(),
    httpStatus: z.int().nullable(),
    durationMs: z.number(),
  })
  .meta({ id: "SearchAttempt" });

export type Attempt = z.output<typeof attemptSchema>;

export const searchResult = z
  .object({
    title: z.string(),
    url: z.url(),
    content: z.string(),
    /** 0 to 1, higher is better; comparable across providers. */
    score: z.number(),
    publishedDate: z.string().nullable(),
    provider: z.string(),
    rawContent: z.string().nullable().optional(),
  })
  .meta({ id: "SearchResult" });

export type SearchResult = z.output<typeof searchResult>;

export const searchAnswer = z
  .object({
    query: z.string(),
    results: z.array(searchResult).readonly(),
    answer: z.string().nullable(),
    provider: z.string(),
    degraded: z.boolean(),
    cache: z.object({
      status: z.enum(["miss", "l1", "l2", "stale", "coalesced", "bypass"]),
      ageSeconds: z.number(),
    }),
    attempts: z.array(attemptSchema),
    requestId: z.string(),
    tookMs: z.number(),
  })
  .meta({ id: "SearchAnswer" });

export type SearchAnswer = z.output<typeof searchAnswer>;

export const cacheStats = z
  .object({
    l1: z
      .object({
        entries: z.int(),
        bytes: z.int(),
        maxBytes: z.int(),
        /** Entries that others displaced. */
        evictions: z.int(),
        oldestSeconds: z.int().nullable(),
      })
      .meta({ description: "The memory of the isolate that answered" }),
    /** Over all isolates, by what the cache did for them; null while that is not known. */
    searches: z.record(z.string(), z.number()).nullable(),
    /** Questions counted for the warming, and those of them that enough callers asked; null while not known. */
    popular: z.object({ queries: z.int(), listed: z.int() }).nullable(),
  })
  .meta({ id: "SearchCacheStats" });

export type CacheStats = z.output<typeof cacheStats>;

/** `entries` is null where the store can't tell. */
export const purgeAnswer = z.object({ entries: z.int().nullable() }).meta({ id: "SearchCachePurge" });

export const documentId = z
  .string()
  .max(DOCUMENT_ID_MAX_CHARS)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/, "letters, digits, _, ., : or -, starting with a letter or digit");

const document = z.strictObject({
  /** Absent: the one of the document at the same URL, or a new one. */
  id: documentId.optional(),
  url: z
    .string()
    .max(RESULT_URL_MAX_CHARS)
    .refine((text) => safeUrl(text) !== null, "an http or https URL without credentials"),
  title: z.string().trim().min(1, "must not be empty").max(RESULT_TITLE_MAX_CHARS),
  content: z
    .string()
    .refine(
      (text) => text.length <= DOCUMENT_MAX_BYTES && new TextEncoder().encode(text).length <= DOCUMENT_MAX_BYTES,
      `at most ${DOCUMENT_MAX_BYTES} bytes`,
    ),
});

export const putDocumentsBody = z
  .strictObject({ documents: z.array(document).min(1).max(PUT_MAX_DOCUMENTS), ownerId: ownerId.optional() })
  .meta({ id: "PutDocuments" });

export type PutDocuments = z.output<typeof putDocumentsBody>;

/** In the order of the documents. */
export const putDocumentsAnswer = z.object({ ids: z.array(z.string()) }).meta({ id: "PutDocumentsAnswer" });
