import * as z from "zod";
import { QUERY_MAX_CHARS } from "../../config/limits.ts";
import { searchRequest } from "../contract.ts";
import {
  PERPLEXITY_DEFAULT_RESULTS,
  PERPLEXITY_MAX_DOMAINS,
  PERPLEXITY_MAX_QUERIES,
  PERPLEXITY_MAX_RESULTS,
} from "./limits.ts";

const { query } = searchRequest.shape;
const date = z.string().nullish();
const tokens = z.int().min(1).nullish();

/**
 * Perplexity's request, which is LiteLLM's too. Fields that it does not have (`search_tool_name`, `model`, `metadata` …)
 * are let through unread.
 */
export const perplexitySearchBody = z
  .object({
    query: z.union(
      [query, z.array(query).min(1).max(PERPLEXITY_MAX_QUERIES)],
      `a text of 1 to ${QUERY_MAX_CHARS} characters, or a list of 1 to ${PERPLEXITY_MAX_QUERIES} of them`,
    ),
    /** Over all queries together. */
    max_results: z
      .int()
      .min(1)
      .max(PERPLEXITY_MAX_RESULTS)
      .nullish()
      .transform((count) => count ?? PERPLEXITY_DEFAULT_RESULTS),
    /** Hosts or URLs; with a leading `-` they are excluded. */
    search_domain_filter: z.array(z.string()).max(PERPLEXITY_MAX_DOMAINS).nullish(),
    country: searchRequest.shape.country.optional(),
    /** ISO 639-1. One at a time. */
    search_language_filter: z.array(z.string()).nullish(),
    /** `hour` is answered with the last day. */
    search_recency_filter: z.enum(["hour", "day", "week", "month", "year"]).nullish(),
    /** MM/DD/YYYY, as all dates here. */
    search_after_date_filter: date,
    search_before_date_filter: date,
    last_updated_after_filter: date,
    last_updated_before_filter: date,
    search_mode: z.string().nullish(),
    /** What all snippets together may hold, at about four characters a token. */
    max_tokens: tokens,
    max_tokens_per_page: tokens,
    display_server_time: z.boolean().nullish(),
  })
  .meta({ id: "PerplexitySearchBody" });

export type PerplexitySearchBody = z.output<typeof perplexitySearchBody>;

export const perplexitySearchAnswer = z
  .object({
    object: z.literal("search"),
    id: z.string(),
    results: z.array(
      z
        .object({
          title: z.string(),
          url: z.string(),
          snippet: z.string(),
          /** YYYY-MM-DD, where it is known. */
          date: z.string().nullable(),
          last_updated: z.null(),
        })
        .meta({ id: "PerplexitySearchResult" }),
    ),
    server_time: z.string().optional(),
  })
  .meta({ id: "PerplexitySearchAnswer" });

export type PerplexitySearchAnswer = z.output<typeof perplexitySearchAnswer>;
