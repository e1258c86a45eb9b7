import { authorize, type Call, type OwnerAccess } from "../core/actor.ts";
import { notFound } from "../core/errors.ts";
import type { IdSource } from "../core/ids.ts";
import type { Defer } from "../core/logger.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { ServerRecord } from "../servers/contract.ts";
import type { Forget, RemovedServers } from "../servers/removed-servers.ts";
import type { LoadedServer, ServerStore } from "../servers/store.ts";
import type { Filter } from "../storage/documents/documents.ts";
import type { Ledger } from "./ledger.ts";
import { inProgress } from "./operations.ts";
import { alreadyDeployed, type DeployService } from "./service.ts";

/** States in which no agent is known to run and nobody is at work. */
const DELETABLE = ["draft", "failed"];

/**
 * Deletes a server, undeploying it first where that is asked for. Where a failed deploy may have left an agent behind,
 * the ledger is told before the record goes, so that the agent is found and removed.
 */
export function createServerRemoval(deps: {
  readonly store: ServerStore;
  readonly ledger: Ledger;
  readonly deploys: Pick<DeployService, "undeploy">;
  readonly removed: Pick<RemovedServers, "note">;
  readonly forget: Forget;
  readonly ids: IdSource;
  readonly defer: Defer;
}) {
  const { store, ledger, deploys } = deps;

  async function undeployFirst(call: Call, record: ServerRecord, wanted: boolean): Promise<Result<unknown>> {
    const { serverId, ownerId } = record;
    if (wanted) return deploys.undeploy(call, serverId, { ownerId });
    const detail = `${serverId} is deployed: undeploy it first, or delete it with ?undeploy=true`;
    return record.deployment.state === "deployed" ? err(alreadyDeployed(record, detail)) : inProgress();
  }

  /** Another delete was faster, whatever has been made under the id since; or another change is at work. */
  async function refuseDelete(access: OwnerAccess, { record, place }: LoadedServer): Promise<Result<never>> {
    const reloaded = await store.load(access, record.serverId);
    if (!reloaded.ok) return reloaded;
    return reloaded.value.place === place ? inProgress() : notFound("server");
  }

  return async function deleteServer(
    call: Call,
    serverId: string,
    options: { readonly ownerId?: string | undefined; readonly undeploy: boolean },
  ): Promise<Result<null>> {
    const access = authorize(call.actor, "servers:write", options.ownerId);
    if (!access.ok) return access;
    const loaded = await store.load(access.value, serverId);
    if (!loaded.ok) return loaded;
    const { record } = loaded.value;
    if (DELETABLE.includes(record.deployment.state)) await ledger.noteLeftover(loaded.value, call.origin);
    else {
      const undeployed = await undeployFirst(call, record, options.undeploy);
      if (!undeployed.ok) return undeployed;
    }
    const { ownerId } = record;
    await deps.removed.note({ serverId, ownerId });
    // As long as the record stands: what is made anew has later ids.
    const before = deps.ids.next("removed");
    if (!(await store.deleteIf(loaded.value, deletable(loaded.value)))) return refuseDelete(access.value, loaded.value);
    deps.defer("forget_server", deps.forget({ serverId, ownerId }, before));
    return ok(null);
  };
}

/** Settled still, and uncertain by now only where the ledger was told: a deploy may have come in between. */
function deletable({ record, deployment }: LoadedServer): Filter {
  const { state, target } = record.deployment;
  const certain = { "deployment.uncertain": { $ne: true } };
  const told = DELETABLE.includes(state) && deployment.uncertain;
  return {
    $and: [
      { $or: [{ "deployment.state": { $in: DELETABLE } }, { "deployment.state": { $exists: false } }] },
      told ? { $or: [certain, { "deployment.target": target }] } : certain,
    ],
  };
}
