import { mayAccess, type OwnerAccess } from "../core/actor.ts";
import { type Clock, isoTime } from "../core/clock.ts";
import { notFound } from "../core/errors.ts";
import { ok, type Result } from "../core/result.ts";
import { owners, serverOwners, servers, serverVersions } from "../storage/documents/collections.ts";
import type { Document, Documents, Filter, StoredDocument } from "../storage/documents/documents.ts";
import type { DeploymentState, ServerRecord, ServerVersion } from "./contract.ts";
import { type Deployment, deploymentOf } from "./deployment-fields.ts";
import type { Places } from "./places.ts";
import {
  fromStoredServer,
  fromStoredVersion,
  isPlaceName,
  nameOfPlace,
  toStoredFields,
  toStoredServer,
} from "./record.ts";

/** A record, and what of its deployment is nobody's to see. */
export interface LoadedServer {
  readonly record: ServerRecord;
  readonly deployment: Deployment;
  /** What the owner's places call it. */
  readonly place: string;
  /** The operation that made it; null where that is not known. */
  readonly operation: string | null;
}

/** Which server a change is meant for; both, so that a filter holds on a store without partitions. */
export interface ServerKey {
  readonly serverId: string;
  readonly ownerId: string;
}

interface ListQuery {
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Server records in the documents store. */
export interface ServerStore {
  /**
   * Takes an id over all owners. True when it is this owner's: taken now, or by an earlier create of the same owner
   * that stopped half-way; whether a record stands behind it is for `insert` to find out. `place` is the create's.
   */
  takeId(key: ServerKey, place: string): Promise<boolean>;
  /**
   * For a create that has stored no record, and will not. The id stays taken where this create did not take it, or
   * where another of the same owner has come to it since: that one may write its record.
   */
  freeId(key: ServerKey, place: string): Promise<void>;
  /** False when the owner has a server of this id. `place` is the name of the place that it takes. */
  insert(record: ServerRecord, place: string, operation?: string): Promise<boolean>;
  /** 404 where there is none that this access reaches. One more read when the owner has to be found first. */
  load(access: OwnerAccess, serverId: string): Promise<Result<LoadedServer>>;
  list(
    ownerId: string,
    query: ListQuery & { readonly state?: DeploymentState | undefined },
  ): Promise<readonly LoadedServer[]>;
  findOwner(serverId: string): Promise<string | null>;
  /** Makes sure that the owner is among those whom scheduled jobs look after. */
  registerOwner(ownerId: string): Promise<void>;
  /** Owners that have ever made or deployed a server, in order of their ids. */
  listOwners(query: ListQuery): Promise<readonly string[]>;
  /** Keeps the definition that `current` has, then writes the new one. False when somebody else wrote meanwhile. */
  replaceDefinition(current: ServerRecord, next: ServerRecord): Promise<boolean>;
  /** One conditional update of the record: `set` is written if the condition holds when it is written. */
  changeIf(key: ServerKey, condition: Filter, set: Document): Promise<boolean>;
  /** False when the condition did not hold. Earlier definitions go too, and the id and its place are free again. */
  deleteIf(server: LoadedServer, condition: Filter): Promise<boolean>;
  /**
   * Earlier definitions, newest first; `before` is a version. Two calls of the store at once: those that an older version
   * of Orchestrix kept stay under their ids, which do not name the owner.
   */
  listVersions(
    key: ServerKey,
    query: { readonly before?: number | undefined; readonly limit: number },
  ): Promise<readonly ServerVersion[]>;
  /** The definition of this version: the record's own, or one that it had. */
  definitionAt(record: ServerRecord, version: number): Promise<ServerVersion | null>;
}

export function createServerStore(deps: {
  readonly documents: Documents;
  readonly places: Places;
  readonly clock: Clock;
}): ServerStore {
  const { documents, places, clock } = deps;

  async function findOwner(serverId: string): Promise<string | null> {
    const entry = await documents.findOne(serverOwners(serverId), { _id: serverId });
    return typeof entry?.ownerId === "string" ? entry.ownerId : null;
  }

  async function changeIf({ serverId, ownerId }: ServerKey, condition: Filter, set: Document): Promise<boolean> {
    const changed = await documents.updateOne(servers(ownerId), { serverId, ownerId, ...condition }, { $set: set });
    return changed.ok && changed.value.matchedCount === 1;
  }

  async function registerOwner(ownerId: string): Promise<void> {
    await documents.insertOne(owners(), { _id: ownerId });
  }

  return {
    findOwner,
    changeIf,
    registerOwner,

    async takeId({ serverId, ownerId }, place) {
      const inserted = await documents.insertOne(serverOwners(serverId), { _id: serverId, ownerId, place });
      if (inserted.ok) return true;
      // Shared from here on: whoever took it may no longer free it.
      const own = { _id: serverId, ownerId };
      const shared = await documents.updateOne(serverOwners(serverId), own, { $unset: { place: "" } });
      return shared.ok && shared.value.matchedCount === 1;
    },

    async freeId({ serverId, ownerId }, place) {
      await documents.deleteOne(serverOwners(serverId), { _id: serverId, ownerId, place });
    },

    async insert(record, place, operation) {
      const stored = toStoredServer(record, place, operation);
      return (await documents.insertOne(servers(record.ownerId), stored, { unique: ["serverId"] })).ok;
    },

    async load(access, serverId) {
      const ownerId = access.kind === "owner" ? access.ownerId : await findOwner(serverId);
      const stored = ownerId === null ? null : await documents.findOne(servers(ownerId), { serverId, ownerId });
      if (stored === null) return notFound("server");
      const loaded = toLoaded(stored);
      return mayAccess(access, loaded.record.ownerId) ? ok(loaded) : notFound("server");
    },

    async list(ownerId, { state, after, limit }) {
      const filter = {
        ownerId,
        ...(state === undefined ? {} : { "deployment.state": state }),
        ...(after === undefined ? {} : { serverId: { $gt: after } }),
      };
      // By serverId: records that other programs wrote have an _id of another kind.
      return (await documents.find(servers(ownerId), { filter, sort: { serverId: 1 }, limit })).map(toLoaded);
    },

    async listOwners({ after, limit }) {
      const filter = after === undefined ? {} : { _id: { $gt: after } };
      return (await documents.find(owners(), { filter, sort: { _id: 1 }, limit })).map((owner) => owner._id);
    },

    async replaceDefinition(current, next) {
      const { ownerId, version } = current;
      // First: a crash before the update leaves a copy of what is still current, which the next update writes again.
      const _id = versionId(current, version);
      const archived = { ownerId, ...toStoredFields(definitionOf(current)) };
      await documents.replaceOne(serverVersions(ownerId), { _id }, { _id, ...archived }, { upsert: true });
      return changeIf(current, { version }, { ...toStoredFields(definitionOf(next)), updatedAt: isoTime(clock.now()) });
    },

    async deleteIf({ record: { serverId, ownerId }, place: name }, condition) {
      const place = await places.beginLeaving({ ownerId, serverId, name });
      places.assertHeld(place);
      // Not a later record of the same id, which has another place.
      const same = { serverId, ownerId, ...(isPlaceName(name) ? { place: name } : {}) };
      const { deletedCount } = await documents.deleteOne(servers(ownerId), { ...same, ...condition });
      if (deletedCount === 0) {
        await places.keep(place);
        return false;
      }
      await documents.deleteMany(serverVersions(ownerId), { serverId, ownerId });
      await documents.deleteOne(serverOwners(serverId), { _id: serverId, ownerId });
      await places.free(place);
      return true;
    },

    async listVersions(key, { before, limit }) {
      const { serverId, ownerId } = key;
      const read = (idOf: typeof versionId) => {
        const _id = { $gte: idOf(key, 0), $lt: idOf(key, before ?? VERSION_END) };
        return documents.find(serverVersions(ownerId), {
          filter: { serverId, ownerId, _id },
          sort: { _id: -1 },
          limit,
        });
      };
      const found = (await Promise.all([read(versionId), read(versionIdOfBefore)])).flat().map(fromStoredVersion);
      // An update that stopped half-way may have kept the same under both ids.
      const distinct = new Map(found.map((version) => [version.version, version]));
      return [...distinct.values()].sort((a, b) => b.version - a.version).slice(0, limit);
    },

    async definitionAt(record, version) {
      if (version === record.version) return definitionOf(record);
      const { serverId, ownerId } = record;
      const _id = { $in: [versionId(record, version), versionIdOfBefore(record, version)] };
      const found = await documents.findOne(serverVersions(ownerId), { _id, serverId, ownerId });
      return found === null ? null : fromStoredVersion(found);
    },
  };
}

/** What a version is a version of. */
export function definitionOf(record: ServerRecord): ServerVersion {
  const { serverId, version, name, description, tools, executionOrder, inputSchema, access, policy, updatedAt } =
    record;
  return { serverId, version, name, description, tools, executionOrder, inputSchema, access, policy, updatedAt };
}

const VERSION_DIGITS = 8;

/** Above every version. */
const VERSION_END = 10 ** VERSION_DIGITS;

/** With the owner: another one may have had the id before, and something still at work for that server. */
function versionId(key: ServerKey, version: number): string {
  return `${encodeURIComponent(key.ownerId)}:${versionIdOfBefore(key, version)}`;
}

function versionIdOfBefore({ serverId }: ServerKey, version: number): string {
  return `${serverId}:${String(version).padStart(VERSION_DIGITS, "0")}`;
}

function toLoaded(stored: StoredDocument): LoadedServer {
  const operation = typeof stored.operation === "string" ? stored.operation : null;
  return { record: fromStoredServer(stored), deployment: deploymentOf(stored), place: nameOfPlace(stored), operation };
}
