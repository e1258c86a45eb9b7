import type { ListResourcesResult, ReadResourceResult } from "@modelcontextprotocol/server";
import { OWNER_ID_MAX_CHARS, PAGE_DEFAULT_ITEMS } from "../config/limits.ts";
import type { Call } from "../core/actor.ts";
import { notFound, validationFailed } from "../core/errors.ts";
import { ok, type Result } from "../core/result.ts";
import { NO_CURSOR, ownerId as ownerIdSchema } from "../http/schemas.ts";
import { listServersQuery } from "../servers/contract.ts";
import type { ProductMcpDeps } from "./deps.ts";
import { LOG_SHOWN_EVENTS, OWNER_ID_ENCODED_CHARS_PER_BYTE } from "./limits.ts";

const ALL = "orchestrix://servers";
const JSON_TYPE = "application/json";

/** What is announced beside the servers themselves. */
export const RESOURCE_TEMPLATES = [
  {
    uriTemplate: `${ALL}/{serverId}`,
    name: "server",
    title: "A server",
    description: "A server's record: its tool graph, its policy, its deployment",
    mimeType: JSON_TYPE,
  },
  {
    uriTemplate: `${ALL}/{serverId}/logs`,
    name: "server-logs",
    title: "A server's log",
    description: "The newest events of a server: changes, deploys and runs",
    mimeType: JSON_TYPE,
  },
  {
    uriTemplate: `${ALL}{?ownerId}`,
    name: "servers-of-owner",
    title: "An owner's servers",
    description: "The first page of an owner's servers; only an admin key has to name the owner",
    mimeType: JSON_TYPE,
  },
];

const SERVERS = {
  uri: ALL,
  name: "servers",
  title: "Servers",
  description: "The first page of the servers that this key's owner has",
  mimeType: JSON_TYPE,
};

/** The servers of the key's owner, one page. An admin key acts for no owner by itself: it gets the templates alone. */
export async function listResources(
  { servers }: Pick<ProductMcpDeps, "servers">,
  call: Call,
  cursor: string | undefined,
): Promise<Result<ListResourcesResult>> {
  if (!listServersQuery.shape.cursor.safeParse(cursor).success)
    return validationFailed([{ path: "cursor", message: NO_CURSOR }]);
  if (call.actor.kind !== "key") return ok({ resources: [] });
  const read = await servers.list(call, { limit: PAGE_DEFAULT_ITEMS, cursor });
  if (!read.ok) return read;
  const { items, nextCursor } = read.value;
  const listed = items.flatMap(({ serverId, name, description, updatedAt }) => [
    {
      uri: `${ALL}/${serverId}`,
      name: serverId,
      title: name,
      description: description === "" ? name : description,
      mimeType: JSON_TYPE,
      annotations: { lastModified: updatedAt },
    },
    {
      uri: `${ALL}/${serverId}/logs`,
      name: `${serverId}-logs`,
      title: `${name}: log`,
      description: `The newest events of ${serverId}`,
      mimeType: JSON_TYPE,
    },
  ]);
  return ok({
    resources: cursor === undefined ? [SERVERS, ...listed] : listed,
    ...(nextCursor === null ? {} : { nextCursor }),
  });
}

/** An owner's id as it stands in a URI, percent-encoded. */
const OWNER = `[^&#]{1,${OWNER_ID_MAX_CHARS * OWNER_ID_ENCODED_CHARS_PER_BYTE}}`;
const RESOURCE = new RegExp(
  `^${ALL}(?:/(?<serverId>[A-Za-z0-9][A-Za-z0-9_-]{0,63})(?<logs>/logs)?)?(?:\\?ownerId=(?<ownerId>${OWNER}))?$`,
);

/** A URI that means nothing, or something of another owner's, is equally not found. */
export async function readResource(
  { servers }: Pick<ProductMcpDeps, "servers">,
  call: Call,
  uri: string,
): Promise<Result<ReadResourceResult>> {
  const groups = RESOURCE.exec(uri)?.groups;
  if (groups === undefined) return notFound("resource");
  const { serverId, logs } = groups;
  const ownerId = groups.ownerId === undefined ? undefined : decodeOwner(groups.ownerId);
  if (ownerId === null) return notFound("resource");
  const read = await (serverId === undefined
    ? servers.list(call, { limit: PAGE_DEFAULT_ITEMS, ownerId })
    : logs === undefined
      ? servers.get(call, serverId, ownerId)
      : servers.logs(call, serverId, { limit: LOG_SHOWN_EVENTS, ownerId }));
  if (!read.ok) return read;
  return ok({ contents: [{ uri, mimeType: JSON_TYPE, text: JSON.stringify(read.value) }] });
}

function decodeOwner(encoded: string): string | null {
  try {
    const owner = ownerIdSchema.safeParse(decodeURIComponent(encoded));
    return owner.success ? owner.data : null;
  } catch {
    return null;
  }
}
