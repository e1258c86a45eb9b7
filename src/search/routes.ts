import * as z from "zod";
import { ok } from "../core/result.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { countUpTo, ownerId } from "../http/schemas.ts";
import { formatCacheStatus } from "./cache/cache-status.ts";
import {
  cacheStats,
  DEFAULT_RESULTS,
  documentId,
  domainList,
  MAX_DOMAINS,
  MAX_RESULTS,
  purgeAnswer,
  putDocumentsAnswer,
  putDocumentsBody,
  type SearchAnswer,
  searchAnswer,
  searchRequest,
} from "./contract.ts";
import type { SearchReply } from "./reply.ts";
import type { SearchService } from "./service.ts";

const { query, topic, searchDepth, timeRange, country, language, cache } = searchRequest.shape;

const domainsByComma = z
  .string()
  .default("")
  .transform((text) => text.split(",").filter((part) => part.trim() !== ""))
  .pipe(domainList)
  .describe(`Host names, separated by commas; at most ${MAX_DOMAINS}`);

const flag = z
  .enum(["true", "false"])
  .default("false")
  .transform((text) => text === "true");

/** The same fields as in the body, written as text; domains are separated by commas. */
const searchQuery = z.strictObject({
  q: query,
  maxResults: countUpTo(MAX_RESULTS, DEFAULT_RESULTS),
  topic,
  searchDepth,
  timeRange,
  includeDomains: domainsByComma,
  excludeDomains: domainsByComma,
  country,
  language,
  includeAnswer: flag,
  includeRawContent: flag,
  cache,
  ownerId: ownerId.optional(),
});

const searchBody = searchRequest.extend({ ownerId: ownerId.optional() }).meta({ id: "SearchBody" });

const responses = [{ status: 200, description: "What was found, by whom, and who was asked", schema: searchAnswer }];

export function createSearchEndpoints(service: SearchService): readonly Endpoint[] {
  return [
    endpoint(
      {
        method: "post",
        path: "/search",
        operationId: "search",
        tag: "Search",
        summary: "Search the web, or what is known of it while the web does not answer",
        access: "search",
        admission: "with_look_up",
        body: searchBody,
        repeats: true,
        responses,
        errors: ["SEARCH_UNAVAILABLE", "NOT_FOUND"],
      },
      async ({ call, gate, body: { ownerId: claimed, ...request } }) => {
        const reply = await service.search(call, request, claimed, gate);
        return reply.ok ? searchResponse(reply.value) : reply;
      },
    ),
    endpoint(
      {
        method: "get",
        path: "/search",
        operationId: "searchByQuery",
        tag: "Search",
        summary: "The same with the request in the query string",
        access: "search",
        admission: "with_look_up",
        query: searchQuery,
        repeats: true,
        responses,
        errors: ["SEARCH_UNAVAILABLE", "NOT_FOUND"],
      },
      async ({ call, gate, query: { q, ownerId: claimed, ...fields } }) => {
        const reply = await service.search(call, { query: q, ...fields }, claimed, gate);
        return reply.ok ? searchResponse(reply.value) : reply;
      },
    ),
    endpoint(
      {
        method: "get",
        path: "/search/cache",
        operationId: "getSearchCache",
        tag: "Search",
        summary: "What the caches hold and did",
        access: "admin",
        responses: [{ status: 200, description: "Statistics", schema: cacheStats }],
      },
      ({ call }) => service.cacheStats(call),
    ),
    endpoint(
      {
        method: "delete",
        path: "/search/cache",
        operationId: "purgeSearchCache",
        tag: "Search",
        summary: "Forget every cached answer",
        description: "At once in the shared cache and here; within ten seconds in the memory of other isolates.",
        access: "admin",
        responses: [{ status: 200, description: "How many shared entries went", schema: purgeAnswer }],
      },
      ({ call }) => service.purgeCache(call),
    ),
    endpoint(
      {
        method: "put",
        path: "/search/documents",
        operationId: "putSearchDocuments",
        tag: "Search",
        summary: "Put documents into the index; they answer their owner's questions alone",
        description: "A document with a known id, or at the URL of another, replaces that one.",
        access: "search",
        body: putDocumentsBody,
        responses: [{ status: 200, description: "The ids, in the order given", schema: putDocumentsAnswer }],
      },
      ({ call, body }) => service.putDocuments(call, body),
    ),
    endpoint(
      {
        method: "delete",
        path: "/search/documents/{id}",
        operationId: "deleteSearchDocument",
        tag: "Search",
        summary: "Take a document out of the index",
        access: "search",
        params: z.object({ id: documentId }),
        query: z.strictObject({ ownerId: ownerId.optional() }),
        responses: [{ status: 204, description: "Gone from the very next answer" }],
        errors: ["NOT_FOUND"],
      },
      async ({ call, params, query: { ownerId: claimed } }) => {
        const removed = await service.deleteDocument(call, params.id, claimed);
        return removed.ok ? ok(undefined) : removed;
      },
    ),
  ];
}

/** A stale answer tells its age and promises no freshness. */
export function searchHeaders({ answer, trace }: SearchReply): Readonly<Record<string, string>> {
  const { status } = trace;
  return {
    "Cache-Control": "no-store",
    "Cache-Status": formatCacheStatus(trace),
    ...(status === "l1" || status === "l2" || status === "stale" ? { Age: String(answer.cache.ageSeconds) } : {}),
  };
}

function searchResponse(reply: SearchReply): Response {
  return new Response(toJson(reply.answer), {
    headers: { "Content-Type": "application/json", ...searchHeaders(reply) },
  });
}

/** Results as JSON, for as long as a cache holds them: the same list is given many times. */
const resultsJson = new WeakMap<SearchAnswer["results"], string>();

function toJson({ query, results, ...rest }: SearchAnswer): string {
  let text = resultsJson.get(results);
  if (text === undefined) {
    text = JSON.stringify(results);
    resultsJson.set(results, text);
  }
  return `{"query":${JSON.stringify(query)},"results":${text},${JSON.stringify(rest).slice(1)}`;
}
