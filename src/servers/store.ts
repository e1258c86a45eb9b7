import { mayAccess, type OwnerAccess } from "../core/actor.ts";
import { type Clock, isoTime } from "../core/clock.ts";
import { notFound } from "../core/errors.ts";
import { isJsonObject, type Json } from "../core/json.ts";
import { ok, type Result } from "../core/result.ts";
import { owners, serverOwners, servers } from "../storage/documents/collections.ts";
import type { Document, Documents, Filter, StoredDocument } from "../storage/documents/documents.ts";
import type { DeploymentState, ServerRecord } from "./contract.ts";
import { fromStoredServer, toStoredServer } from "./record.ts";

/** Who is changing a server's deployment, and until when nobody else may. Kept in the record, never shown. */
export interface Claim {
  readonly id: string;
  readonly expiresAt: string;
}

export interface ClaimedServer {
  readonly record: ServerRecord;
  readonly claim: Claim | null;
}

/** Which server a change is meant for; both, so that a filter holds on a store without partitions. */
interface ServerKey {
  readonly serverId: string;
  readonly ownerId: string;
}

/** The fields that a finished deploy writes. */
export interface DeploymentFields {
  readonly agentId: string;
  readonly endpoint: string;
  readonly dashboardUrl: string;
  readonly deployedAt: string;
  readonly target: string;
  readonly version: number;
}

/** Server records in the documents store. Every change of a deployment is one conditional update. */
export interface ServerStore {
  /**
   * Takes an id over all owners. True when it is this owner's: taken now, or by an earlier create of the same owner
   * that stopped half-way; whether a record stands behind it is for `insert` to find out.
   */
  takeId(key: ServerKey): Promise<boolean>;
  /** False when the owner has a server of this id. */
  insert(record: ServerRecord): Promise<boolean>;
  /** 404 where there is none that this access reaches. One more read when the owner has to be found first. */
  load(access: OwnerAccess, serverId: string): Promise<Result<ClaimedServer>>;
  list(
    ownerId: string,
    query: {
      readonly state?: DeploymentState | undefined;
      readonly after?: string | undefined;
      readonly limit: number;
    },
  ): Promise<readonly ServerRecord[]>;
  /** Owners that have ever made a server, in order of their ids. */
  listOwners(query: { readonly after?: string | undefined; readonly limit: number }): Promise<readonly string[]>;
  /** Of any number of claims at once, one is true. Possible from `draft`, `failed` and an expired claim. */
  claimDeploy(key: ServerKey, claim: Claim, target: string): Promise<boolean>;
  /** False when the claim was lost meanwhile; then nothing is written. */
  completeDeploy(key: ServerKey, claimId: string, fields: DeploymentFields): Promise<boolean>;
  failDeploy(key: ServerKey, claimId: string, error: string): Promise<boolean>;
}

export function createServerStore(deps: { readonly documents: Documents; readonly clock: Clock }): ServerStore {
  const { documents, clock } = deps;

  async function findOwner(serverId: string): Promise<string | null> {
    const entry = await documents.findOne(serverOwners(serverId), { _id: serverId });
    return typeof entry?.ownerId === "string" ? entry.ownerId : null;
  }

  async function change({ serverId, ownerId }: ServerKey, condition: Filter, set: Document): Promise<boolean> {
    const changed = await documents.updateOne(servers(ownerId), { serverId, ownerId, ...condition }, { $set: set });
    return changed.ok && changed.value.modifiedCount === 1;
  }

  return {
    async takeId({ serverId, ownerId }) {
      const inserted = await documents.insertOne(serverOwners(serverId), { _id: serverId, ownerId });
      return inserted.ok || (await findOwner(serverId)) === ownerId;
    },

    async insert(record) {
      await documents.insertOne(owners(), { _id: record.ownerId });
      const inserted = await documents.insertOne(servers(record.ownerId), toStoredServer(record), {
        unique: ["serverId"],
      });
      return inserted.ok;
    },

    async load(access, serverId) {
      const ownerId = access.kind === "owner" ? access.ownerId : await findOwner(serverId);
      const stored = ownerId === null ? null : await documents.findOne(servers(ownerId), { serverId, ownerId });
      if (stored === null) return notFound("server");
      const record = fromStoredServer(stored);
      return mayAccess(access, record.ownerId) ? ok({ record, claim: claimOf(stored) }) : notFound("server");
    },

    async list(ownerId, { state, after, limit }) {
      const filter = {
        ownerId,
        ...(state === undefined ? {} : { "deployment.state": state }),
        ...(after === undefined ? {} : { _id: { $gt: after } }),
      };
      const found = await documents.find(servers(ownerId), { filter, sort: { _id: 1 }, limit });
      return found.map(fromStoredServer);
    },

    async listOwners({ after, limit }) {
      const filter = after === undefined ? {} : { _id: { $gt: after } };
      return (await documents.find(owners(), { filter, sort: { _id: 1 }, limit })).map((owner) => owner._id);
    },

    claimDeploy: (key, claim, target) =>
      change(key, claimable(isoTime(clock.now())), {
        "deployment.state": "deploying",
        "deployment.target": target,
        "deployment.error": null,
        "deployment.claim": { ...claim },
      }),

    completeDeploy: (key, claimId, fields) =>
      change(
        key,
        { "deployment.claim.id": claimId },
        {
          deployment: { state: "deployed", target: fields.target, version: fields.version, error: null },
          archestraAgentId: fields.agentId,
          archestraEndpoint: fields.endpoint,
          archestraDashboardUrl: fields.dashboardUrl,
          archestraDeployedAt: fields.deployedAt,
        },
      ),

    failDeploy: (key, claimId, error) =>
      change(
        key,
        { "deployment.claim.id": claimId },
        {
          "deployment.state": "failed",
          "deployment.error": error,
          "deployment.claim": null,
        },
      ),
  };
}

/** Records that other programs wrote have no `deployment` at all: they are drafts unless they name an agent. */
function claimable(now: string): Filter {
  return {
    $or: [
      { "deployment.state": { $in: ["draft", "failed"] } },
      { "deployment.state": { $exists: false }, archestraAgentId: null },
      { "deployment.state": "deploying", "deployment.claim.expiresAt": { $lt: now } },
    ],
  };
}

function claimOf(stored: StoredDocument): Claim | null {
  const deployment: Json = stored.deployment ?? null;
  const claim = isJsonObject(deployment) ? deployment.claim : null;
  if (!isJsonObject(claim)) return null;
  const { id, expiresAt } = claim;
  return typeof id === "string" && typeof expiresAt === "string" ? { id, expiresAt } : null;
}
