import * as z from "zod";
import { notFound } from "../core/errors.ts";
import { ok, type Result } from "../core/result.ts";
import { acceptsEventStream } from "../http/accept.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { CURSOR_REFUSED } from "../http/event-stream.ts";
import { pageOf, pageQuery } from "../http/schemas.ts";
import type { StreamPlaces } from "../http/stream-places.ts";
import type { ServerRecord } from "./contract.ts";
import {
  createServerBody,
  listServersQuery,
  ownerQuery,
  patchServerBody,
  replaceServerBody,
  serverParams,
  serverRecord,
  serverVersion,
  templateName,
  templateSchema,
  templateSummary,
  toolList,
  versionParams,
} from "./contract.ts";
import { logEventSchema } from "./execution-log.ts";
import type { LogStreamOptions } from "./log-stream.ts";
import type { ServerService } from "./service.ts";
import { templates } from "./templates/templates.ts";

const tag = "Servers";

/** A server's log as it happens, see `log-stream.ts`. */
type FollowLog = (
  server: Pick<ServerRecord, "serverId" | "ownerId">,
  options: Pick<LogStreamOptions, "lastEventId" | "limit" | "signal" | "mayContinue" | "place">,
) => Promise<Result<Response>>;

export function createServerEndpoints(
  servers: ServerService,
  followLog: FollowLog,
  streams: StreamPlaces,
): readonly Endpoint[] {
  return [
    endpoint(
      {
        method: "post",
        path: "/mcp/servers",
        operationId: "createServer",
        tag,
        summary: "Create a server from its tool graph",
        access: "servers:write",
        idempotent: true,
        query: ownerQuery,
        body: createServerBody,
        responses: [{ status: 201, description: "The record", schema: serverRecord }],
        errors: ["DUPLICATE"],
      },
      ({ query, body, call }) => servers.create(call, body, query.ownerId),
    ),
    endpoint(
      {
        method: "get",
        path: "/mcp/servers",
        operationId: "listServers",
        tag,
        summary: "List an owner's servers",
        access: "servers:read",
        query: listServersQuery,
        responses: [{ status: 200, description: "One page, in order of serverId", schema: pageOf(serverRecord) }],
      },
      ({ query, call }) => servers.list(call, query),
    ),
    endpoint(
      {
        method: "get",
        path: "/mcp/servers/{serverId}",
        operationId: "getServer",
        tag,
        summary: "Read a server, deployment included",
        access: "servers:read",
        params: serverParams,
        query: ownerQuery,
        responses: [{ status: 200, description: "The record", schema: serverRecord }],
        errors: ["NOT_FOUND"],
      },
      ({ params, query, call }) => servers.get(call, params.serverId, query.ownerId),
    ),
    endpoint(
      {
        method: "put",
        path: "/mcp/servers/{serverId}",
        operationId: "replaceServer",
        tag,
        summary: "Replace a server's definition",
        description:
          "Needs the version that was read; the new one is one higher. What is deployed stays as it is. Leave out an " +
          "`inputSchema` that is the `input` tool's: the record tells it twice, and a large one may be too much for a body.",
        access: "servers:write",
        params: serverParams,
        query: ownerQuery,
        body: replaceServerBody,
        responses: [{ status: 200, description: "The record", schema: serverRecord }],
        errors: ["NOT_FOUND", "VERSION_CONFLICT"],
      },
      ({ params, query, body, call }) => servers.replace(call, params.serverId, body, query.ownerId),
    ),
    endpoint(
      {
        method: "patch",
        path: "/mcp/servers/{serverId}",
        operationId: "patchServer",
        tag,
        summary: "Change some fields of a server's definition (JSON Merge Patch)",
        access: "servers:write",
        params: serverParams,
        query: ownerQuery,
        body: patchServerBody,
        bodyTypes: ["application/json", "application/merge-patch+json"],
        responses: [{ status: 200, description: "The record", schema: serverRecord }],
        errors: ["NOT_FOUND", "VERSION_CONFLICT"],
      },
      ({ params, query, body, call }) => servers.patch(call, params.serverId, body, query.ownerId),
    ),
    endpoint(
      {
        method: "get",
        path: "/mcp/servers/{serverId}/versions",
        operationId: "listServerVersions",
        tag,
        summary: "List every definition that a server had",
        access: "servers:read",
        params: serverParams,
        query: ownerQuery.extend(pageQuery),
        responses: [
          { status: 200, description: "Newest first, the current one included", schema: pageOf(serverVersion) },
        ],
        errors: ["NOT_FOUND"],
      },
      ({ params, query, call }) => servers.versions(call, params.serverId, query),
    ),
    endpoint(
      {
        method: "get",
        path: "/mcp/servers/{serverId}/versions/{version}",
        operationId: "getServerVersion",
        tag,
        summary: "Read a definition that a server had",
        access: "servers:read",
        params: versionParams,
        query: ownerQuery,
        responses: [{ status: 200, description: "The definition", schema: serverVersion }],
        errors: ["NOT_FOUND"],
      },
      ({ params, query, call }) => servers.version(call, params.serverId, params.version, query.ownerId),
    ),
    endpoint(
      {
        method: "get",
        path: "/mcp/servers/{serverId}/tools",
        operationId: "listServerTools",
        tag,
        summary: "Read a server's tools and their order",
        access: "servers:read",
        params: serverParams,
        query: ownerQuery,
        responses: [{ status: 200, description: "The graph's tools", schema: toolList }],
        errors: ["NOT_FOUND"],
      },
      async ({ params, query, call }) => {
        const record = await servers.get(call, params.serverId, query.ownerId);
        if (!record.ok) return record;
        const { serverId, tools, executionOrder } = record.value;
        return ok({ serverId, tools, executionOrder });
      },
    ),
    endpoint(
      {
        method: "get",
        path: "/mcp/servers/{serverId}/logs",
        operationId: "listServerLogs",
        tag,
        summary: "Read a server's execution log",
        access: "servers:read",
        params: serverParams,
        query: ownerQuery.extend(pageQuery),
        description:
          "With `Accept: text/event-stream` it follows live: the newest `limit` events first, or with `Last-Event-ID` " +
          "what is newer; each with `id`, its type as `event`, and the event as `data`. Streams end after some minutes: come back " +
          "with the last id. Of too many streams at once the next is refused with 429.",
        responses: [
          { status: 200, description: "Events, newest first", schema: pageOf(logEventSchema) },
          { status: 200, description: "Events as they happen", schema: z.string(), contentType: "text/event-stream" },
        ],
        errors: ["NOT_FOUND"],
      },
      async ({ params, query, call, c }) => {
        if (!acceptsEventStream(c.req.header("accept"))) return servers.logs(call, params.serverId, query);
        if (query.cursor !== undefined) return CURSOR_REFUSED;
        const record = await servers.get(call, params.serverId, query.ownerId);
        if (!record.ok) return record;
        const stream = await streams.open(c, (place) =>
          followLog(record.value, {
            limit: query.limit,
            lastEventId: c.req.header("last-event-id"),
            signal: call.signal?.(),
            mayContinue: c.get("mayContinue"),
            place,
          }),
        );
        return stream.ok ? stream.value : stream;
      },
    ),
    ...templateEndpoints,
  ];
}

const templateEndpoints: readonly Endpoint[] = [
  endpoint(
    {
      method: "get",
      path: "/mcp/templates",
      operationId: "listTemplates",
      tag,
      summary: "List the graphs that ship with the product",
      access: "open",
      responses: [{ status: 200, description: "Templates", schema: z.object({ items: z.array(templateSummary) }) }],
    },
    async () =>
      ok({
        items: Object.entries(templates).map(([template, { name, description }]) => ({ template, name, description })),
      }),
  ),
  endpoint(
    {
      method: "get",
      path: "/mcp/templates/{template}",
      operationId: "getTemplate",
      tag,
      summary: "Read a template: a body for POST /mcp/servers",
      access: "open",
      params: z.object({ template: templateName }),
      responses: [{ status: 200, description: "A server's definition", schema: templateSchema }],
      errors: ["NOT_FOUND"],
    },
    async ({ params }) =>
      Object.hasOwn(templates, params.template) ? ok(templates[params.template]) : notFound("template"),
  ),
];
