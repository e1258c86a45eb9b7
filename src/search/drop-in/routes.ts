import { type Clock, isoTime } from "../../core/clock.ts";
import { ownProperty } from "../../core/json.ts";
import { type Endpoint, endpoint } from "../../http/endpoint.ts";
import { searchHeaders } from "../routes.ts";
import { perplexityProblem, tavilyProblem } from "./errors.ts";
import { toPerplexityAnswer } from "./perplexity-answer.ts";
import { type PerplexitySearchAnswer, perplexitySearchAnswer, perplexitySearchBody } from "./perplexity-contract.ts";
import { planPerplexitySearch } from "./perplexity-request.ts";
import { searchAll } from "./perplexity-search.ts";
import type { Searches } from "./searches.ts";
import { toTavilyAnswer } from "./tavily-answer.ts";
import { tavilySearchAnswer, tavilySearchBody } from "./tavily-contract.ts";
import { planTavilySearch } from "./tavily-request.ts";

/** Searches in the shapes of other APIs, so that their clients work with nothing but their base URL changed. */
export function createDropInEndpoints(service: Searches, clock: Clock): readonly Endpoint[] {
  return [createPerplexityEndpoint(service, clock), createTavilyEndpoint(service, clock)];
}

function createPerplexityEndpoint(service: Searches, clock: Clock): Endpoint {
  return endpoint(
    {
      method: "post",
      path: "/v1/search",
      operationId: "searchAsPerplexity",
      tag: "Search",
      summary: "Search in the shape of Perplexity and LiteLLM",
      description:
        "Several queries are asked at once; their results are interleaved, each page once. A filter that no provider " +
        "can honour is refused. Failures are `{error: {message, type, code}}`.",
      access: "search",
      admission: "with_look_up",
      problem: perplexityProblem,
      body: perplexitySearchBody,
      responses: [{ status: 200, description: "What was found", schema: perplexitySearchAnswer }],
      errors: ["SEARCH_UNAVAILABLE"],
    },
    async ({ call, gate, body }) => {
      const plan = planPerplexitySearch(body, clock.now());
      if (!plan.ok) return plan;
      const replies = await searchAll(service, call, plan.value.requests, gate);
      if (!replies.ok) return replies;
      const nowMs = clock.now();
      const answer: PerplexitySearchAnswer = {
        ...toPerplexityAnswer(
          plan.value,
          replies.value.map((reply) => reply.answer),
          nowMs,
        ),
        id: call.requestId,
        ...(body.display_server_time === true ? { server_time: isoTime(nowMs) } : {}),
      };
      return Response.json(answer, { headers: searchHeaders(replies.value[0]) });
    },
  );
}

function createTavilyEndpoint(service: Searches, clock: Clock): Endpoint {
  return endpoint(
    {
      method: "post",
      path: "/tavily/search",
      operationId: "searchAsTavily",
      tag: "Search",
      summary: "Search in the shape of Tavily",
      description:
        "For Tavily's clients with their base URL set to `<origin>/tavily`. The key may stand in the body, as " +
        "`api_key`. A filter that no provider can honour is refused. Failures are `{detail: {error}}`.",
      access: "search",
      admission: "with_look_up",
      bodyCredential: readApiKey,
      problem: tavilyProblem,
      body: tavilySearchBody,
      responses: [{ status: 200, description: "What was found", schema: tavilySearchAnswer }],
      errors: ["SEARCH_UNAVAILABLE"],
    },
    async ({ call, gate, body }) => {
      const plan = planTavilySearch(body, clock.now());
      if (!plan.ok) return plan;
      const reply = await service.search(call, plan.value.request, undefined, gate);
      if (!reply.ok) return reply;
      return Response.json(toTavilyAnswer(body, plan.value, reply.value.answer), {
        headers: searchHeaders(reply.value),
      });
    },
  );
}

/** Clients of before sent it there alone. */
function readApiKey(body: unknown): string | null {
  const key = ownProperty(body, "api_key");
  return typeof key === "string" && key.trim() !== "" ? key.trim() : null;
}
