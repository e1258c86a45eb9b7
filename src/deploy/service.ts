import { CLAIM_GRACE_MS } from "../config/limits.ts";
import { authorize, type Call, type OwnerAccess } from "../core/actor.ts";
import { type Clock, isoTime } from "../core/clock.ts";
import { type AppError, notFound } from "../core/errors.ts";
import type { IdSource } from "../core/ids.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunStats } from "../runtime/contract.ts";
import type { ServerRecord } from "../servers/contract.ts";
import type { Claim, Operation } from "../servers/deployment-fields.ts";
import type { LoadedServer, ServerStore } from "../servers/store.ts";
import type { Claims } from "./claims.ts";
import type {
  DeployAnswer,
  DeployBody,
  OwnerBody,
  RollbackBody,
  StatusAnswer,
  TargetName,
  UndeployAnswer,
} from "./contract.ts";
import type { Ledger } from "./ledger.ts";
import { obstacleTo } from "./lifecycle.ts";
import { inProgress, type OnProgress, type Operations, type Work } from "./operations.ts";

export interface DeployService {
  /**
   * Makes the server's agent on its target and answers where it is. However many calls arrive at once, one makes the
   * agent; the others get `DEPLOY_IN_PROGRESS` or `ALREADY_DEPLOYED`. After a failure it may be called again.
   */
  deploy(call: Call, serverId: string, body: DeployBody, onProgress?: OnProgress): Promise<Result<DeployAnswer>>;
  /** The same agent, id and endpoint, now with the server's current version. */
  redeploy(call: Call, serverId: string, body: OwnerBody): Promise<Result<DeployAnswer>>;
  /** The same with a version that the server had before; its current definition stays what it is. */
  rollback(call: Call, serverId: string, body: RollbackBody): Promise<Result<DeployAnswer>>;
  undeploy(call: Call, serverId: string, body: OwnerBody): Promise<Result<UndeployAnswer>>;
  status(call: Call, serverId: string, ownerId?: string): Promise<Result<StatusAnswer>>;
}

export function createDeployService(deps: {
  readonly store: ServerStore;
  readonly claims: Claims;
  readonly ledger: Ledger;
  readonly operations: Operations;
  readonly defaultTarget: TargetName;
  /** What a target may take; claims outlive it. */
  readonly timeoutMs: number;
  readonly runStats: (agentId: string) => Promise<RunStats>;
  readonly ids: IdSource;
  readonly clock: Clock;
}): DeployService {
  const { store, claims, ledger, operations, clock } = deps;

  /** One read and one conditional update where nobody is in the way. */
  async function takeClaim(
    call: Call,
    serverId: string,
    access: OwnerAccess,
    operation: Operation,
    wanted: { readonly target?: TargetName | undefined; readonly version?: number },
  ): Promise<Result<Work>> {
    const loaded = await store.load(access, serverId);
    if (!loaded.ok) return loaded;
    const { record, deployment } = loaded.value;
    const now = clock.now();
    const refused = refusal(operation, record, deployment.claim, isoTime(now));
    if (refused !== null) return err(refused);
    const definition = await store.definitionAt(record, wanted.version ?? record.version);
    if (definition === null) return notFound(`version ${wanted.version}`);
    const target =
      operation === "deploy" ? (wanted.target ?? deps.defaultTarget) : targetOf(record, deps.defaultTarget);
    if (record.deployment.target !== target || deployment.claim !== null)
      await ledger.noteLeftover(loaded.value, call.origin);
    const claim: Claim = {
      id: deps.ids.next("claim"),
      operation,
      target,
      version: definition.version,
      origin: call.origin,
      expiresAt: isoTime(now + deps.timeoutMs + CLAIM_GRACE_MS),
    };
    if (await claims.take(loaded.value, operation, claim))
      return ok({ record, claim, definition, first: whatComesFirst(loaded.value, claim) });
    return err(await whyLost(access, serverId, operation));
  }

  /** Somebody was faster; this is what they have made of it by now. */
  async function whyLost(access: OwnerAccess, serverId: string, operation: Operation): Promise<AppError> {
    const reloaded = await store.load(access, serverId);
    if (!reloaded.ok) return reloaded.error;
    const { record, deployment } = reloaded.value;
    return refusal(operation, record, deployment.claim, isoTime(clock.now())) ?? inProgress().error;
  }

  async function change(
    call: Call,
    serverId: string,
    operation: Exclude<Operation, "undeploy">,
    body: {
      readonly ownerId?: string | undefined;
      readonly target?: TargetName | undefined;
      readonly version?: number;
    },
    onProgress?: OnProgress,
  ): Promise<Result<DeployAnswer>> {
    const access = authorize(call.actor, "deploy", body.ownerId);
    if (!access.ok) return access;
    const taken = await takeClaim(call, serverId, access.value, operation, body);
    if (!taken.ok) return taken;
    onProgress?.("claimed");
    return operations.deploy(call, taken.value, onProgress);
  }

  return {
    deploy: (call, serverId, body, onProgress) => change(call, serverId, "deploy", body, onProgress),
    redeploy: (call, serverId, { ownerId }) => change(call, serverId, "redeploy", { ownerId }),
    rollback: (call, serverId, body) => change(call, serverId, "rollback", body),

    async undeploy(call, serverId, { ownerId }) {
      const access = authorize(call.actor, "deploy", ownerId);
      if (!access.ok) return access;
      const taken = await takeClaim(call, serverId, access.value, "undeploy", {});
      return taken.ok ? operations.undeploy(call, taken.value.record, taken.value.claim) : taken;
    },

    async status(call, serverId, ownerId) {
      const access = authorize(call.actor, "servers:read", ownerId);
      if (!access.ok) return access;
      const loaded = await store.load(access.value, serverId);
      if (!loaded.ok) return loaded;
      const { record } = loaded.value;
      const agentId = record.archestraAgentId;
      return ok({
        serverId,
        state: record.deployment.state,
        target: record.deployment.target,
        version: record.deployment.version ?? record.version,
        agentId,
        endpoint: record.archestraEndpoint,
        dashboardUrl: record.archestraDashboardUrl,
        deployedAt: record.archestraDeployedAt,
        lastError: record.deployment.error,
        runs: agentId === null ? { total: 0, failed: 0, p50Ms: null, p99Ms: null } : await deps.runStats(agentId),
      });
    },
  };
}

/** A claim that is still there ran out: how far its operation came is not known. */
function whatComesFirst({ record, deployment }: LoadedServer, { operation, target }: Claim): Work["first"] {
  const brokenOff = deployment.claim?.operation;
  if (brokenOff !== "undeploy") return deployment.uncertain || brokenOff !== undefined ? "look" : null;
  // Not the agent of that time: its removal may go on after all. A redeploy keeps it where it can.
  if (operation === "deploy" && record.deployment.target === target) return "remove";
  return "look";
}

/** A record of another program's may name no target. */
function targetOf(record: ServerRecord, fallback: TargetName): string {
  return record.deployment.target ?? fallback;
}

function refusal(operation: Operation, record: ServerRecord, claim: Claim | null, now: string): AppError | null {
  switch (obstacleTo(operation, record.deployment.state, claim?.expiresAt ?? null, now)) {
    case null:
      return null;
    case "in_progress":
      return inProgress().error;
    case "not_deployed":
      return { code: "NOT_DEPLOYED", detail: `${record.serverId} is not deployed` };
    case "already_deployed":
      return alreadyDeployed(record, `${record.serverId} is already deployed`);
  }
}

export function alreadyDeployed(record: ServerRecord, detail: string): AppError {
  return {
    code: "ALREADY_DEPLOYED",
    detail,
    agentId: record.archestraAgentId ?? "",
    endpoint: record.archestraEndpoint ?? "",
    dashboardUrl: record.archestraDashboardUrl ?? "",
  };
}
