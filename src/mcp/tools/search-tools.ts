import { ok } from "../../core/result.ts";
import { ownerId } from "../../http/schemas.ts";
import { searchAnswer, searchRequest } from "../../search/contract.ts";
import type { ProductMcpDeps } from "../deps.ts";
import { defineTool, described, type ProductTool } from "../tool.ts";

export function createSearchTools({ search }: Pick<ProductMcpDeps, "search">): readonly ProductTool[] {
  const { query, maxResults, topic } = searchRequest.shape;
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
        query: described(query, "What to search for, 1 to 400 characters"),
        maxResults: described(maxResults, "How many results at most"),
        topic: described(topic, "What kind of sources to ask"),
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
