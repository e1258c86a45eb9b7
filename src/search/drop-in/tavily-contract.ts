import * as z from "zod";
import { QUERY_MAX_CHARS } from "../../config/limits.ts";
import { searchRequest } from "../contract.ts";
import {
  TAVILY_DEFAULT_RESULTS,
  TAVILY_MAX_EXCLUDE_DOMAINS,
  TAVILY_MAX_INCLUDE_DOMAINS,
  TAVILY_MAX_RESULTS,
} from "./limits.ts";

const flag = z.boolean().nullish();

/**
 * Tavily's request. Fields that it has and that change nothing here (`chunks_per_source`, `include_images`, session ids …)
 * are let through unread, as are those that it does not have.
 */
export const tavilySearchBody = z
  .object({
    query: z
      .string("Query is missing.")
      .trim()
      .min(1, "Query is missing.")
      .refine(
        (text) => [...text].length <= QUERY_MAX_CHARS,
        `Query is too long. Max query length is ${QUERY_MAX_CHARS} characters.`,
      )
      .pipe(searchRequest.shape.query),
    /** For clients of before: the key in the body. */
    api_key: z.string().nullish(),
    search_depth: z
      .enum(
        ["basic", "advanced", "fast", "ultra-fast"],
        "Invalid search_depth. Must be 'basic', 'advanced', 'fast' or 'ultra-fast'.",
      )
      .nullish(),
    topic: z.enum(["general", "news", "finance"], "Invalid topic. Must be 'general', 'news' or 'finance'.").nullish(),
    max_results: z
      .int()
      .min(0)
      .max(TAVILY_MAX_RESULTS, `Max results must be between 0 and ${TAVILY_MAX_RESULTS}.`)
      .nullish()
      .transform((count) => count ?? TAVILY_DEFAULT_RESULTS),
    time_range: z
      .enum(
        ["day", "week", "month", "year", "d", "w", "m", "y"],
        "Invalid time range. Must be day, week, month or year.",
      )
      .nullish(),
    start_date: z.string().nullish(),
    end_date: z.string().nullish(),
    /** Days back from today, for the topic news. */
    days: z.number().positive().nullish(),
    include_domains: z.array(z.string()).max(TAVILY_MAX_INCLUDE_DOMAINS).nullish(),
    exclude_domains: z.array(z.string()).max(TAVILY_MAX_EXCLUDE_DOMAINS).nullish(),
    /** `prefer` puts the pages of `include_domains` first; anything else keeps to them. */
    include_domains_mode: z.string().nullish(),
    include_answer: z.union([z.boolean(), z.enum(["basic", "advanced"])], "Invalid include_answer.").nullish(),
    include_raw_content: z.union([z.boolean(), z.enum(["markdown", "text"])], "Invalid include_raw_content.").nullish(),
    /** English name, for the topic general. */
    country: z.string().nullish(),
    /** ISO 639-1; a preference. */
    language: z.string().nullish(),
    filter_by_language: flag,
    exact_match: flag,
    safe_search: flag,
    auto_parameters: flag,
    include_usage: flag,
    include_favicon: flag,
    include_published_date: flag,
  })
  .meta({ id: "TavilySearchBody" });

export type TavilySearchBody = z.output<typeof tavilySearchBody>;

const tavilyResult = z
  .object({
    title: z.string(),
    url: z.string(),
    content: z.string(),
    score: z.number(),
    /** Null unless asked for. */
    raw_content: z.string().nullable(),
    published_date: z.string().nullable().optional(),
    favicon: z.null().optional(),
  })
  .meta({ id: "TavilySearchResult" });

export const tavilySearchAnswer = z
  .object({
    query: z.string(),
    follow_up_questions: z.null(),
    answer: z.string().nullable(),
    /** Always empty: no images are searched. */
    images: z.array(z.never()),
    results: z.array(tavilyResult),
    /** Seconds. */
    response_time: z.number(),
    request_id: z.string(),
    /** What of Tavily's credits this answer cost: none from a cache or another provider. */
    usage: z.object({ credits: z.number() }).optional(),
    /** What was asked with: nothing is guessed from the query. */
    auto_parameters: z.record(z.string(), z.json()).optional(),
  })
  .meta({ id: "TavilySearchAnswer" });

export type TavilySearchAnswer = z.output<typeof tavilySearchAnswer>;
