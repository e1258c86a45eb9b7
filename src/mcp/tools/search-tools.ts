import { QUERY_MAX_CHARS } from "../../config/limits.ts";
import { ok } from "../../core/result.ts";
import { ownerId } from "../../http/schemas.ts";
import { MAX_DOMAINS, MAX_RESULTS, searchAnswer, searchRequest } from "../../search/contract.ts";
import type { ProductMcpDeps } from "../deps.ts";
import { defineTool, described, type ProductTool } from "../tool.ts";

const AT_MOST = `at most ${MAX_DOMAINS}`;

export function createSearchTools({ search }: Pick<ProductMcpDeps, "search">): readonly ProductTool[] {
  const { shape } = searchRequest;
  return [
    defineTool({
      name: "web_search",
      title: "Search the web",
      description:
        "Searches the web over several providers and answers with titles, URLs and excerpts. While no provider answers " +
        "it answers out of what is known already, and says so in `degraded` and `cache`.",
      annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
      scope: "search",
      input: searchRequest.extend({
        query: described(shape.query, `What to search for, 1 to ${QUERY_MAX_CHARS} characters`, {
          maxLength: QUERY_MAX_CHARS,
        }),
        maxResults: described(shape.maxResults, `How many results, 1 to ${MAX_RESULTS}; there may be fewer`),
        topic: described(shape.topic, "What kind of sources to ask: `news` for what happened lately"),
        searchDepth: described(shape.searchDepth, "`advanced` looks closer where a provider can; slower and dearer"),
        timeRange: described(shape.timeRange, "Only pages of the last day, week, month or year; null for any time"),
        includeDomains: described(
          shape.includeDomains,
          `Only pages of these hosts and those below them, such as example.com; ${AT_MOST}`,
        ),
        excludeDomains: described(shape.excludeDomains, `No pages of these hosts and those below them; ${AT_MOST}`),
        country: described(shape.country, "Results for this country first: two letters (ISO 3166-1), such as de"),
        language: described(shape.language, "Results in this language first: two letters (ISO 639-1), such as fr"),
        includeAnswer: described(
          shape.includeAnswer,
          "Also a short answer in `answer`, from a provider that writes one",
        ),
        includeRawContent: described(
          shape.includeRawContent,
          "Also the text of each page in `rawContent`; much longer",
        ),
        cache: described(
          shape.cache,
          "`bypass` asks the providers even where the answer is known; `only` asks none, and fails where it is not",
        ),
        ownerId: described(ownerId.optional(), "Whose documents to search too; only an admin key names one"),
      }),
      output: searchAnswer,
      async run({ ownerId: claimed, ...request }, { call }) {
        const found = await search(call, request, claimed);
        return found.ok ? ok({ value: found.value }) : found;
      },
    }),
  ];
}
