import { mayAccess, type OwnerAccess } from "../core/actor.ts";
import { type Clock, isoTime } from "../core/clock.ts";
import { notFound } from "../core/errors.ts";
import { ok, type Result } from "../core/result.ts";
import { ownedId, owners, servers, serverVersions } from "../storage/documents/collections.ts";
import type { Document, Documents, Filter, StoredDocument } from "../storage/documents/documents.ts";
import type { DeploymentState, ServerRecord, ServerVersion } from "./contract.ts";
import { type Deployment, deploymentOf } from "./deployment-fields.ts";
import type { Places } from "./places.ts";
import {
  fromStoredServer,
  fromStoredVersion,
  nameOfPlace,
  placeFields,
  toStoredFields,
  toStoredServer,
} from "./record.ts";
import { createServerIds, type ServerIds } from "./server-ids.ts";

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
  /** Before `insert`. */
  readonly takeId: ServerIds["take"];
  readonly freeId: ServerIds["giveBack"];
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
  /**
   * Keeps the definition that `current` has, then writes the new one. False when somebody else wrote or deleted
   * meanwhile; what has been made anew under the id since then keeps what it has.
   */
  replaceDefinition(current: LoadedServer, next: ServerRecord): Promise<boolean>;
  /**
   * One conditional update of the record: `set` is written if the condition holds when it is written. Where the key names
   * the server's place, to no record that has been made anew under the id.
   */
  changeIf(key: ServerKey & { readonly place?: string }, condition: Filter, set: Document): Promise<boolean>;
  /**
   * False when the condition did not hold. Earlier definitions go too, and the place is free again; so is the id, where
   * no other create of the owner has come to it of late.
   */
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

  const serverIds = createServerIds(deps);

  const changeIf: ServerStore["changeIf"] = async ({ serverId, ownerId, place }, condition, set) => {
    const same = { serverId, ownerId, ...(place === undefined ? {} : placeFields(place)) };
    const changed = await documents.updateOne(servers(ownerId), { ...same, ...condition }, { $set: set });
    return changed.ok && changed.value.matchedCount === 1;
  };

  /** False where it is gone, also where another has been made anew under its id. */
  async function stands({ record: { serverId, ownerId }, place }: LoadedServer): Promise<boolean> {
    return (await documents.findOne(servers(ownerId), { serverId, ownerId, ...placeFields(place) })) !== null;
  }

  /** Copies the current definition. False where the server is gone and another one has kept a version of this number. */
  async function keepVersion(server: LoadedServer): Promise<boolean> {
    const { record, place } = server;
    const versions = serverVersions(record.ownerId);
    const _id = versionId(record, record.version);
    const own = placeFields(place);
    const kept = { _id, ownerId: record.ownerId, ...toStoredFields(definitionOf(record)), ...own };
    const ownPlaces = [own.place ?? null, null];
    const write = async () => {
      const mine = { _id, place: { $in: ownPlaces } };
      return (await documents.replaceOne(versions, mine, kept, { upsert: true })).ok;
    };
    if (await write()) return true;
    // Of two updates that keep the same one at once, the second finds the first one's here.
    const other = await documents.findOne(versions, { _id, place: { $nin: ownPlaces } });
    if (!(await stands(server))) return false;
    // The other is gone, then, and this was left of it.
    if (other !== null) await documents.deleteOne(versions, { _id, place: other.place ?? null });
    return write();
  }

  /** Of an update that came too late. Nobody looks for it where the server is gone. */
  async function dropVersion(server: LoadedServer): Promise<void> {
    const { record, place } = server;
    const own = placeFields(place);
    if (own.place === undefined || (await stands(server))) return;
    await documents.deleteOne(serverVersions(record.ownerId), { _id: versionId(record, record.version), ...own });
  }

  async function registerOwner(ownerId: string): Promise<void> {
    await documents.insertOne(owners(), { _id: ownerId });
  }

  return {
    takeId: serverIds.take,
    freeId: serverIds.giveBack,
    findOwner: serverIds.findOwner,
    changeIf,
    registerOwner,

    async insert(record, place, operation) {
      const stored = toStoredServer(record, place, operation);
      return (await documents.insertOne(servers(record.ownerId), stored, { unique: ["serverId"] })).ok;
    },

    async load(access, serverId) {
      const ownerId = access.kind === "owner" ? access.ownerId : await serverIds.findOwner(serverId);
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
      // First: a crash before the update leaves a copy of what is still current, which the next update writes again.
      if (!(await keepVersion(current))) return false;
      const { serverId, ownerId, version } = current.record;
      const set = { ...toStoredFields(definitionOf(next)), updatedAt: isoTime(clock.now()) };
      if (await changeIf({ serverId, ownerId, place: current.place }, { version }, set)) return true;
      await dropVersion(current);
      return false;
    },

    async deleteIf({ record: { serverId, ownerId }, place: name }, condition) {
      const place = await places.beginLeaving({ ownerId, serverId, name });
      places.assertHeld(place);
      // Not a later record of the same id, which has another place.
      const same = { serverId, ownerId, ...placeFields(name) };
      const { deletedCount } = await documents.deleteOne(servers(ownerId), { ...same, ...condition });
      if (deletedCount === 0) {
        await places.keep(place);
        return false;
      }
      const own = { place: { $in: [placeFields(name).place ?? null, null] } };
      await documents.deleteMany(serverVersions(ownerId), { serverId, ownerId, ...own });
      await serverIds.free({ serverId, ownerId }, name);
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
  return ownedId(key.ownerId, versionIdOfBefore(key, version));
}

function versionIdOfBefore({ serverId }: ServerKey, version: number): string {
  return `${serverId}:${String(version).padStart(VERSION_DIGITS, "0")}`;
}

function toLoaded(stored: StoredDocument): LoadedServer {
  const operation = typeof stored.operation === "string" ? stored.operation : null;
  return { record: fromStoredServer(stored), deployment: deploymentOf(stored), place: nameOfPlace(stored), operation };
}
