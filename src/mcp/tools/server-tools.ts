import * as z from "zod";
import { PAGE_DEFAULT_ITEMS, PAGE_MAX_ITEMS } from "../../config/limits.ts";
import { ok } from "../../core/result.ts";
import { statusAnswer } from "../../deploy/contract.ts";
import { ownerId, pageOf, pageQuery, serverId } from "../../http/schemas.ts";
import { deploymentState, listServersQuery, serverRecord } from "../../servers/contract.ts";
import type { ProductMcpDeps } from "../deps.ts";
import { defineTool, described, type ProductTool } from "../tool.ts";

const LOOKS = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false } as const;

export const namedServer = {
  serverId: described(serverId, "The server's id"),
  ownerId: described(ownerId.optional(), "Whose server it is; only an admin key has to name the owner"),
};

const limit = described(z.int().min(1).max(PAGE_MAX_ITEMS).default(PAGE_DEFAULT_ITEMS), "How many items at most");
const CURSOR = "`nextCursor` of the page before";

/** Without its graph, which `get_server` shows: a list is for choosing. */
const serverSummary = serverRecord.pick({
  serverId: true,
  ownerId: true,
  name: true,
  description: true,
  access: true,
  version: true,
  updatedAt: true,
  deployment: true,
  archestraEndpoint: true,
});

export function createServerTools({
  servers,
  deploys,
}: Pick<ProductMcpDeps, "servers" | "deploys">): readonly ProductTool[] {
  return [
    defineTool({
      name: "list_servers",
      title: "List servers",
      description: "Lists an owner's servers in order of their ids, with the state of each one's deployment.",
      annotations: LOOKS,
      scope: "servers:read",
      input: z.strictObject({
        ownerId: described(ownerId.optional(), "Whose servers; only an admin key has to name the owner"),
        state: described(deploymentState.optional(), "Only those in this state"),
        limit,
        cursor: described(listServersQuery.shape.cursor, CURSOR),
      }),
      output: pageOf(serverSummary),
      async run(query, { call }) {
        const read = await servers.list(call, query);
        if (!read.ok) return read;
        const { items, nextCursor } = read.value;
        return ok({ value: { items: items.map((record) => serverSummary.parse(record)), nextCursor } });
      },
    }),
    defineTool({
      name: "get_server",
      title: "Read a server",
      description: "Reads a server whole: its tool graph, its policy, and its deployment.",
      annotations: LOOKS,
      scope: "servers:read",
      input: z.strictObject(namedServer),
      output: serverRecord,
      async run(named, { call }) {
        const read = await servers.get(call, named.serverId, named.ownerId);
        return read.ok ? ok({ value: read.value }) : read;
      },
    }),
    defineTool({
      name: "get_server_status",
      title: "Read a server's status",
      description:
        "Tells whether a server is deployed, where its agent answers, why the last deploy failed, and how its runs went.",
      annotations: LOOKS,
      scope: "servers:read",
      input: z.strictObject(namedServer),
      output: statusAnswer,
      async run(named, { call }) {
        const read = await deploys.status(call, named.serverId, named.ownerId);
        return read.ok ? ok({ value: read.value }) : read;
      },
    }),
  ];
}

export function createLogTools({
  servers,
  schemas,
}: Pick<ProductMcpDeps, "servers" | "schemas">): readonly ProductTool[] {
  return [
    defineTool({
      name: "get_logs",
      title: "Read a server's log",
      description: "Reads what happened to a server, newest first: changes, deploys and runs.",
      annotations: LOOKS,
      scope: "servers:read",
      input: z.strictObject({ ...namedServer, limit, cursor: described(pageQuery.cursor, CURSOR) }),
      output: pageOf(schemas.logEvent),
      async run({ serverId: id, ...query }, { call }) {
        const read = await servers.logs(call, id, query);
        return read.ok ? ok({ value: { ...read.value, items: [...read.value.items] } }) : read;
      },
    }),
  ];
}
