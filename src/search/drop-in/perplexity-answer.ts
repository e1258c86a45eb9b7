import { isoTime } from "../../core/clock.ts";
import type { SearchAnswer, SearchResult } from "../contract.ts";
import { urlIdentity } from "../quality/urls.ts";
import { parsePublished } from "./dates.ts";
import type { PerplexitySearchAnswer } from "./perplexity-contract.ts";
import type { PerplexityPlan } from "./perplexity-request.ts";

const DATE_CHARS = "YYYY-MM-DD".length;

/** Our answers, one for each query, as Perplexity would write them. */
export function toPerplexityAnswer(
  plan: PerplexityPlan,
  answers: readonly SearchAnswer[],
  nowMs: number,
): Pick<PerplexitySearchAnswer, "object" | "results"> {
  const lists = answers.map(({ results }) => results.filter(plan.keep));
  let charsLeft = plan.totalChars;
  const results = interleave(lists, plan.maxResults).map(({ title, url, content, publishedDate }) => {
    const snippet = cut(content, Math.min(plan.snippetChars, charsLeft));
    charsLeft -= snippet.length;
    return { title, url, snippet, date: toDate(publishedDate, nowMs), last_updated: null };
  });
  return { object: "search", results };
}

/** The first of each list, then the second of each, each page once, up to `limit`. */
export function interleave(lists: readonly (readonly SearchResult[])[], limit: number): SearchResult[] {
  const seen = new Set<string>();
  const merged: SearchResult[] = [];
  const longest = Math.max(0, ...lists.map((list) => list.length));
  for (let rank = 0; rank < longest; rank++) {
    for (const list of lists) {
      const result = list[rank];
      if (result === undefined) continue;
      const identity = urlIdentity(result.url) ?? result.url;
      if (seen.has(identity)) continue;
      seen.add(identity);
      merged.push(result);
      if (merged.length === limit) return merged;
    }
  }
  return merged;
}

/** Never ends in half a character. */
function cut(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const end = /[\ud800-\udbff]/.test(text.charAt(chars - 1)) ? chars - 1 : chars;
  return text.slice(0, Math.max(0, end));
}

function toDate(published: string | null, nowMs: number): string | null {
  const ms = published === null ? null : parsePublished(published, nowMs);
  return ms === null ? null : isoTime(ms).slice(0, DATE_CHARS);
}
