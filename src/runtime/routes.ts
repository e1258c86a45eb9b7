import * as z from "zod";
import { goOn } from "../core/at-once.ts";
import type { Json } from "../core/json.ts";
import { acceptsEventStream } from "../http/accept.ts";
import { type AppContext, clientAddress } from "../http/context.ts";
import { type Endpoint, endpoint, refusal } from "../http/endpoint.ts";
import { CURSOR_REFUSED } from "../http/event-stream.ts";
import { cursorOf, ownerId, pageOf, pageQuery, serverId } from "../http/schemas.ts";
import type { StreamPlaces } from "../http/stream-places.ts";
import { agentAnswer, createAgentBody, RUN_OUTCOMES, runIdSchema, runTraceSchema } from "./contract.ts";
import type { ToRunRequest } from "./execution/run-request.ts";
import { toResponse } from "./execution/run-response.ts";
import type { Run } from "./runner.ts";
import type { RuntimeService } from "./service.ts";

const TAG = "Agents";

const agentParams = z.object({ agentId: z.string().min(1) });
const runParams = z.object({ agentId: z.string().min(1), runId: z.string().min(1) });

/** Any JSON, checked as such while it was read; no body is null. */
const runInput = z
  .unknown()
  .optional()
  .transform((value) => (value ?? null) as Json);

/** JSON, unless the graph names another type. */
const ANYTHING = { schema: z.unknown(), contentType: "*/*" };

/** The agents contract, as this Worker's own runtime serves it. */
export function createRuntimeEndpoints(
  runtime: RuntimeService,
  toRunRequest: ToRunRequest,
  streams: StreamPlaces,
): readonly Endpoint[] {
  return [...keepingAgents(runtime), ...runningAgents(runtime, toRunRequest, streams)];
}

function keepingAgents(runtime: RuntimeService): readonly Endpoint[] {
  return [
    endpoint(
      {
        method: "post",
        path: "/mcp/agents",
        operationId: "createAgent",
        tag: TAG,
        summary: "Deploy a graph as an agent",
        description:
          "One agent per `metadata.serverId`: a repeat answers 200 with the same agent, which runs the new graph.",
        access: "deploy",
        body: createAgentBody,
        responses: [
          { status: 201, description: "The new agent", schema: agentAnswer },
          { status: 200, description: "The agent that the server had already", schema: agentAnswer },
        ],
        errors: ["DUPLICATE"],
      },
      async ({ call, body }) => {
        const made = await runtime.createAgent(call, body);
        if (!made.ok) return made;
        const { agent, created } = made.value;
        return Response.json(agent, { status: created ? 201 : 200, headers: { "Cache-Control": "no-store" } });
      },
    ),
    endpoint(
      {
        method: "get",
        path: "/mcp/agents",
        operationId: "findAgent",
        tag: TAG,
        summary: "Look up the agent of a server",
        access: "servers:read",
        query: z.object({ serverId, ownerId: ownerId.optional() }),
        responses: [{ status: 200, description: "The agent", schema: agentAnswer }],
        errors: ["NOT_FOUND"],
      },
      ({ call, query }) => runtime.findAgent(call, query.serverId, query.ownerId),
    ),
    endpoint(
      {
        method: "get",
        path: "/mcp/agents/{agentId}",
        operationId: "getAgent",
        tag: TAG,
        summary: "Look up an agent",
        access: "servers:read",
        params: agentParams,
        responses: [{ status: 200, description: "The agent", schema: agentAnswer }],
        errors: ["NOT_FOUND"],
      },
      ({ call, params }) => runtime.getAgent(call, params.agentId),
    ),
    endpoint(
      {
        method: "put",
        path: "/mcp/agents/{agentId}",
        operationId: "replaceAgent",
        tag: TAG,
        summary: "Replace an agent's graph",
        access: "deploy",
        params: agentParams,
        body: createAgentBody,
        responses: [{ status: 200, description: "The agent", schema: agentAnswer }],
        errors: ["NOT_FOUND"],
      },
      ({ call, params, body }) => runtime.replaceAgent(call, params.agentId, body),
    ),
    endpoint(
      {
        method: "delete",
        path: "/mcp/agents/{agentId}",
        operationId: "removeAgent",
        tag: TAG,
        summary: "Remove an agent",
        access: "deploy",
        params: agentParams,
        responses: [{ status: 204, description: "Removed" }],
        errors: ["NOT_FOUND"],
      },
      ({ call, params }) => runtime.removeAgent(call, params.agentId),
    ),
  ];
}

function answerRun(c: AppContext, { runId, result }: Run): Response {
  c.get("event").runId = runId;
  if (result.ok) return toResponse(result.value, runId);
  const response = refusal(c, result.error);
  response.headers.set("X-Run-Id", runId);
  return response;
}

function runningAgents(
  runtime: RuntimeService,
  toRunRequest: ToRunRequest,
  streams: StreamPlaces,
): readonly Endpoint[] {
  return [
    endpoint(
      {
        method: "post",
        path: "/agents/{agentId}",
        operationId: "runAgent",
        tag: TAG,
        summary: "Run an agent",
        description:
          "The body is the graph's input; status, headers and body are what its `response` tool says. " +
          "`X-Run-Id` names the run. An agent that is not public needs a key of its owner with `agents:run`.",
        access: "agent",
        params: agentParams,
        body: runInput,
        anyText: true,
        responses: [
          { status: 200, description: "The graph's own answer, where it says no other status", ...ANYTHING },
          { status: "default", description: "The graph's own answer, with the status that it says", ...ANYTHING },
        ],
        errors: [
          "UNAUTHENTICATED",
          "FORBIDDEN",
          "NOT_FOUND",
          "DUPLICATE",
          "POLICY_REFUSED",
          "RUN_FAILED",
          "RUN_TIMEOUT",
          "OVERLOADED",
        ],
      },
      ({ call, params, body, c }) => {
        const request = toRunRequest(c.req.raw, body, call.actor);
        const options = { trigger: "http", callerAddress: clientAddress(c) } as const;
        return goOn(runtime.run(call, params.agentId, request, options), (run) =>
          run.ok ? answerRun(c, run.value) : run,
        );
      },
    ),
    endpoint(
      {
        method: "get",
        path: "/agents/{agentId}/runs",
        operationId: "listRuns",
        tag: TAG,
        summary: "List the runs of an agent, newest first, or follow them",
        description:
          "With `Accept: text/event-stream` the runs follow live as server-sent events named `run`; `Last-Event-ID` " +
          "goes on where a stream ended, and without it `limit` says with how many of the newest runs it begins. With " +
          "`outcome` only runs of that outcome are told. Of too many streams at once the next is refused with 429.",
        access: "servers:read",
        params: agentParams,
        query: z.object({ ...pageQuery, cursor: cursorOf(runIdSchema), outcome: z.enum(RUN_OUTCOMES).optional() }),
        responses: [
          { status: 200, description: "One page of traces", schema: pageOf(runTraceSchema) },
          { status: 200, description: "Runs as they happen", schema: z.string(), contentType: "text/event-stream" },
        ],
        errors: ["NOT_FOUND"],
      },
      async ({ call, params, query, c }) => {
        if (!acceptsEventStream(c.req.header("accept"))) return runtime.listRuns(call, params.agentId, query);
        const { limit, cursor, outcome } = query;
        if (cursor !== undefined) return CURSOR_REFUSED;
        const stream = await streams.open(c, (place) =>
          runtime.followRuns(call, params.agentId, {
            limit,
            outcome,
            lastEventId: c.req.header("last-event-id"),
            signal: call.signal?.(),
            mayContinue: c.get("mayContinue"),
            place,
          }),
        );
        return stream.ok ? stream.value : stream;
      },
    ),
    endpoint(
      {
        method: "get",
        path: "/agents/{agentId}/runs/{runId}",
        operationId: "getRun",
        tag: TAG,
        summary: "Look up the trace of a run",
        access: "servers:read",
        params: runParams,
        responses: [{ status: 200, description: "The trace", schema: runTraceSchema }],
        errors: ["NOT_FOUND"],
      },
      ({ call, params }) => runtime.getRun(call, params.agentId, params.runId),
    ),
  ];
}
