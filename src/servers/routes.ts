import * as z from "zod";
import { notFound } from "../core/errors.ts";
import { ok } from "../core/result.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { pageOf, pageQuery } from "../http/schemas.ts";
import {
  createServerBody,
  listServersQuery,
  ownerQuery,
  serverParams,
  serverRecord,
  templateName,
  templateSchema,
  templateSummary,
  toolList,
} from "./contract.ts";
import { logEventSchema } from "./execution-log.ts";
import type { ServerService } from "./service.ts";
import { templates } from "./templates/templates.ts";

const tag = "Servers";

export function createServerEndpoints(servers: ServerService): readonly Endpoint[] {
  return [
    endpoint(
      {
        method: "post",
        path: "/mcp/servers",
        operationId: "createServer",
        tag,
        summary: "Create a server from its tool graph",
        access: "servers:write",
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
        responses: [{ status: 200, description: "Events, newest first", schema: pageOf(logEventSchema) }],
        errors: ["NOT_FOUND"],
      },
      ({ params, query, call }) => servers.logs(call, params.serverId, query),
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
