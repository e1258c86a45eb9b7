import { authorize, type Call } from "../core/actor.ts";
import type { IdSource } from "../core/ids.ts";
import type { Defer } from "../core/logger.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { ServerRecord } from "../servers/contract.ts";
import type { Forget, RemovedServers } from "../servers/removed-servers.ts";
import type { ServerStore } from "../servers/store.ts";
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
    const settled = {
      $or: [{ "deployment.state": { $in: DELETABLE } }, { "deployment.state": { $exists: false } }],
    };
    const { ownerId } = record;
    await deps.removed.note({ serverId, ownerId });
    // As long as the record stands: what is made anew has later ids.
    const before = deps.ids.next("removed");
    if (!(await store.deleteIf(loaded.value, settled))) return inProgress();
    deps.defer("forget_server", deps.forget({ serverId, ownerId }, before));
    return ok(null);
  };
}
