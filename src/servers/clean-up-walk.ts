import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { servers } from "../storage/documents/collections.ts";
import type { Documents } from "../storage/documents/documents.ts";
import { CLEAN_UP_PAGE_OWNERS, SERVERS_PER_PAGE } from "./limits.ts";
import type { ServerStore } from "./store.ts";

/** What was looked at last: an owner, one of its servers, or, behind all of them, an agent. */
export type Position =
  | { readonly kind: "owner"; readonly ownerId: string }
  | { readonly kind: "server"; readonly ownerId: string; readonly serverId: string }
  | { readonly kind: "agent"; readonly agent: string };

/** Every owner and server after a position, owner by owner. */
export async function* walkServers(
  { documents, store }: { readonly documents: Documents; readonly store: Pick<ServerStore, "listOwners"> },
  from: Exclude<Position, { kind: "agent" }> | null,
): AsyncGenerator<Exclude<Position, { kind: "agent" }>> {
  /** Reads the ids as they stand, so that a record which cannot be read does not end the walk. */
  async function* walkOwner(ownerId: string, begin: string): AsyncGenerator<Position & { kind: "server" }> {
    for (let after = begin; ; ) {
      const filter = { ownerId, serverId: { $gt: after } };
      const query = { filter, sort: { serverId: 1 }, limit: SERVERS_PER_PAGE } as const;
      const page = await documents.find(servers(ownerId), query);
      const serverIds = page.map(({ serverId }) => serverId).filter((id) => typeof id === "string");
      for (const serverId of serverIds) yield { kind: "server", ownerId, serverId };
      const last = serverIds.at(-1);
      if (page.length < SERVERS_PER_PAGE || last === undefined) return;
      after = last;
    }
  }

  if (from !== null) yield* walkOwner(from.ownerId, from.kind === "server" ? from.serverId : "");
  for (let after = from?.ownerId; ; ) {
    const owners = await store.listOwners({ after, limit: CLEAN_UP_PAGE_OWNERS });
    for (const ownerId of owners) {
      yield { kind: "owner", ownerId };
      yield* walkOwner(ownerId, "");
    }
    if (owners.length < CLEAN_UP_PAGE_OWNERS) return;
    after = owners.at(-1);
  }
}

export function readPosition(stored: Json): Position | null {
  if (!isJsonObject(stored)) return null;
  const { ownerId, serverId, agent } = stored;
  if (typeof agent === "string") return { kind: "agent", agent };
  if (typeof ownerId !== "string") return null;
  return typeof serverId === "string" ? { kind: "server", ownerId, serverId } : { kind: "owner", ownerId };
}

export function writePosition(position: Position | null): JsonObject | null {
  return position === null ? null : { ...position };
}
