import { CLAIM_GRACE_MS } from "../config/limits.ts";
import { authorize, type Call } from "../core/actor.ts";
import { type Clock, isoTime } from "../core/clock.ts";
import type { AppError } from "../core/errors.ts";
import type { IdSource } from "../core/ids.ts";
import type { JsonObject } from "../core/json.ts";
import type { Defer } from "../core/logger.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunStats } from "../runtime/contract.ts";
import type { ServerRecord } from "../servers/contract.ts";
import type { ExecutionLog, LogEventType } from "../servers/execution-log.ts";
import type { ClaimedServer, ServerStore } from "../servers/store.ts";
import type { DeployAnswer, DeployBody, StatusAnswer, TargetName } from "./contract.ts";
import type { DeployedAgent, Target } from "./targets/target.ts";
import { toAgentRequest } from "./transform.ts";

export interface DeployService {
  /**
   * Makes the server's agent on its target and answers where it is. However many calls arrive at once, one makes the
   * agent; the others get `DEPLOY_IN_PROGRESS` or `ALREADY_DEPLOYED`. After a failure it may be called again.
   */
  deploy(call: Call, serverId: string, body: DeployBody): Promise<Result<DeployAnswer>>;
  status(call: Call, serverId: string, ownerId?: string): Promise<Result<StatusAnswer>>;
}

export function createDeployService(deps: {
  readonly store: ServerStore;
  readonly targets: Readonly<Record<TargetName, Target>>;
  readonly defaultTarget: TargetName;
  readonly timeoutMs: number;
  readonly runStats: (agentId: string) => Promise<RunStats>;
  readonly executionLog: ExecutionLog;
  readonly defer: Defer;
  readonly ids: IdSource;
  readonly clock: Clock;
}): DeployService {
  const { store, clock } = deps;

  /** Events are written off the critical path, one after the other, so that their order is the order of what happened. */
  function createEventTrail(call: Call, record: ServerRecord) {
    let written: Promise<unknown> = Promise.resolve();
    return (type: LogEventType, message: string, data: JsonObject) => {
      const { serverId, ownerId } = record;
      const event = { serverId, ownerId, type, message, actor: call.actor.id, requestId: call.requestId, data };
      written = written.then(() => deps.executionLog.append(event));
      deps.defer(`log ${type}`, written);
    };
  }

  async function makeAgent(
    call: Call,
    record: ServerRecord,
    claimId: string,
    target: TargetName,
  ): Promise<Result<DeployAnswer>> {
    const startedAt = clock.now();
    const log = createEventTrail(call, record);
    log("deployment_start", `Deploying version ${record.version} to ${target}`, { target, version: record.version });
    const agent = await deps.targets[target].create(call, toAgentRequest(record, isoTime(startedAt)));
    const outcome = agent.ok
      ? await save(record, claimId, target, agent.value)
      : await giveUp(record, claimId, agent.error);
    const durationMs = clock.now() - startedAt;
    if (outcome.ok) {
      const { agentId, endpoint } = outcome.value;
      log("deployment_complete", `Deployed to ${target}`, { target, agentId, endpoint, durationMs });
    } else {
      const { code, detail } = outcome.error;
      log("deployment_failed", detail, { target, code, durationMs });
    }
    return outcome;
  }

  async function save(
    record: ServerRecord,
    claimId: string,
    target: TargetName,
    agent: DeployedAgent,
  ): Promise<Result<DeployAnswer>> {
    const deployedAt = isoTime(clock.now());
    const saved = await store.completeDeploy(record, claimId, {
      ...agent,
      deployedAt,
      target,
      version: record.version,
    });
    if (!saved) {
      // Slower than its own lease: whoever holds the claim now decides, and finds the same agent.
      return inProgress();
    }
    return ok({ success: true, serverId: record.serverId, ...agent, deployedAt, target, version: record.version });
  }

  async function giveUp(record: ServerRecord, claimId: string, error: AppError): Promise<Result<never>> {
    await store.failDeploy(record, claimId, error.detail);
    return err(error);
  }

  return {
    async deploy(call, serverId, body) {
      const access = authorize(call.actor, "deploy", body.ownerId);
      if (!access.ok) return access;
      const loaded = await store.load(access.value, serverId);
      if (!loaded.ok) return loaded;
      const now = clock.now();
      const refused = refusal(loaded.value, isoTime(now));
      if (refused !== null) return err(refused);
      const { record } = loaded.value;
      const target = body.target ?? deps.defaultTarget;
      const claim = { id: deps.ids.next("claim"), expiresAt: isoTime(now + deps.timeoutMs + CLAIM_GRACE_MS) };
      if (await store.claimDeploy(record, claim, target)) return makeAgent(call, record, claim.id, target);
      // Somebody was faster; say what they have made of it by now.
      const reloaded = await store.load(access.value, serverId);
      if (!reloaded.ok) return reloaded;
      const lost = refusal(reloaded.value, isoTime(clock.now()));
      return lost === null ? inProgress() : err(lost);
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

/** Why a server can't be deployed now, or null when a claim may be tried. */
function refusal({ record, claim }: ClaimedServer, now: string): AppError | null {
  switch (record.deployment.state) {
    case "draft":
    case "failed":
      return null;
    case "deployed":
      return {
        code: "ALREADY_DEPLOYED",
        detail: `${record.serverId} is already deployed`,
        agentId: record.archestraAgentId ?? "",
        endpoint: record.archestraEndpoint ?? "",
        dashboardUrl: record.archestraDashboardUrl ?? "",
      };
    case "deploying":
    case "undeploying":
      return claim !== null && claim.expiresAt < now ? null : inProgress().error;
  }
}

/** Deploys on the edge take well under this. */
const IN_PROGRESS_RETRY_SECONDS = 2;

function inProgress() {
  return err({
    code: "DEPLOY_IN_PROGRESS",
    detail: "another deploy of this server is running",
    retryAfterSeconds: IN_PROGRESS_RETRY_SECONDS,
  } as const satisfies AppError);
}
