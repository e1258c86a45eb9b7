import type { SearchAnswer, SearchResult } from "../contract.ts";
import { matchesAny } from "./domain-rules.ts";
import { TAVILY_CREDITS } from "./limits.ts";
import type { TavilySearchAnswer, TavilySearchBody } from "./tavily-contract.ts";
import type { TavilyPlan } from "./tavily-request.ts";

const MS_PER_SECOND = 1_000;

/** Our answer as Tavily would write it. */
export function toTavilyAnswer(body: TavilySearchBody, plan: TavilyPlan, answer: SearchAnswer): TavilySearchAnswer {
  const { request } = plan;
  const kept = answer.results.filter(plan.keep);
  const isPreferred = ({ url }: SearchResult) => matchesAny(url, plan.preferred);
  const ordered =
    plan.preferred.length === 0
      ? kept
      : [...kept.filter(isPreferred), ...kept.filter((result) => !isPreferred(result))];
  return {
    query: answer.query,
    follow_up_questions: null,
    answer: request.includeAnswer ? answer.answer : null,
    images: [],
    results: ordered.slice(0, plan.maxResults).map((result) => toTavilyResult(body, result)),
    response_time: answer.tookMs / MS_PER_SECOND,
    request_id: answer.requestId,
    ...(body.auto_parameters === true
      ? { auto_parameters: { topic: request.topic, search_depth: request.searchDepth, time_range: request.timeRange } }
      : {}),
    ...(body.include_usage === true ? { usage: { credits: creditsOf(request.searchDepth, answer) } } : {}),
  };
}

function toTavilyResult(body: TavilySearchBody, result: SearchResult): TavilySearchAnswer["results"][number] {
  const { title, url, content, score, rawContent, publishedDate } = result;
  const tellsDate = publishedDate !== null || body.topic === "news" || body.include_published_date === true;
  return {
    title,
    url,
    content,
    score,
    raw_content: rawContent ?? null,
    ...(tellsDate ? { published_date: publishedDate } : {}),
    ...(body.include_favicon === true ? { favicon: null } : {}),
  };
}

/** Who waited for another's search shows its attempts, and paid nothing. */
function creditsOf(depth: keyof typeof TAVILY_CREDITS, { attempts, cache }: SearchAnswer): number {
  if (cache.status === "coalesced") return 0;
  const paid = attempts.filter(({ provider, outcome }) => provider === "tavily" && outcome === "ok");
  return paid.length * TAVILY_CREDITS[depth];
}
