import type { Call } from "../core/actor.ts";
import { type Clock, isoTime } from "../core/clock.ts";
import type { AppError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Defer } from "../core/logger.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { ServerRecord, ServerVersion } from "../servers/contract.ts";
import type { Claim } from "../servers/deployment-fields.ts";
import type { ExecutionLog, LogEventType } from "../servers/execution-log.ts";
import type { ServerStore } from "../servers/store.ts";
import type { Claims } from "./claims.ts";
import type { DeployAnswer, TargetName, UndeployAnswer } from "./contract.ts";
import type { Ledger } from "./ledger.ts";
import type { DeployedAgent, Target } from "./targets/target.ts";
import { toAgentRequest } from "./transform.ts";

/** Brings a claimed operation to its end: the target, then the record, and the log off the critical path. */
/** How far a deploy has come: it is this call's to do; the target has the agent, and the record is still to be written. */
export type OnProgress = (phase: "claimed" | "at_target") => void;

export interface Operations {
  /** A deploy, redeploy or rollback: afterwards the target's agent runs the definition. */
  deploy(call: Call, work: Work, onProgress?: OnProgress): Promise<Result<DeployAnswer>>;
  undeploy(call: Call, record: ServerRecord, claim: Claim): Promise<Result<UndeployAnswer>>;
}

export interface Work {
  readonly record: ServerRecord;
  readonly claim: Claim;
  readonly definition: ServerVersion;
  /**
   * `look`: an earlier try may have left an agent at the target, which is looked for before another one is asked for.
   * `remove`: an undeploy from the target broke off, and is brought to its end before an agent is asked for.
   */
  readonly first: "look" | "remove" | null;
}

/** Targets by name. A new one is a file in `targets/`, a line in `compose.ts`, and its name in `contract.ts`. */
export type Targets = Readonly<Record<TargetName, Target>>;

export function createOperations(deps: {
  readonly store: ServerStore;
  readonly claims: Claims;
  readonly ledger: Ledger;
  readonly targetOf: (name: string) => Target;
  readonly executionLog: ExecutionLog;
  readonly defer: Defer;
  readonly clock: Clock;
}): Operations {
  const { store, claims, ledger, targetOf, clock } = deps;

  /** Events are written one after the other, so that their order is the order of what happened. */
  function createEventTrail(call: Call, record: ServerRecord, claim: Claim) {
    const startedAt = clock.now();
    let written: Promise<unknown> = Promise.resolve();
    return (type: LogEventType, message: string, data: JsonObject = {}) => {
      const { serverId, ownerId } = record;
      const { operation, target, version } = claim;
      const durationMs = clock.now() - startedAt;
      const event = {
        serverId,
        ownerId,
        type,
        message,
        actor: call.actor.id,
        requestId: call.requestId,
        data: { operation, target, version, durationMs, ...data },
      };
      written = written.then(() => deps.executionLog.append(event));
      deps.defer(`log ${type}`, written);
    };
  }

  /** The agent that is to be replaced, or null where one is to be made. */
  async function findAgent(call: Call, target: Target, work: Work): Promise<Result<string | null>> {
    const { record, claim, first } = work;
    if (first === "remove") {
      const removed = await target.remove(call, record.archestraAgentId, record);
      return removed.ok ? ok(null) : removed;
    }
    const known = claim.operation === "deploy" ? null : record.archestraAgentId;
    if (known !== null || first === null) return ok(known);
    const found = await target.find(call, record);
    return found.ok ? ok(found.value?.agentId ?? null) : found;
  }

  /** Replaces the agent that is known; makes one where none is, or where the target has lost it. */
  async function reachTarget(call: Call, work: Work): Promise<Result<DeployedAgent>> {
    const { record, claim, definition } = work;
    const target = targetOf(claim.target);
    const request = toAgentRequest(definition, record.ownerId, isoTime(clock.now()));
    const known = await findAgent(call, target, work);
    if (!known.ok) return known;
    if (known.value === null) return target.create(call, request);
    const replaced = await target.replace(call, known.value, request);
    return !replaced.ok && replaced.error.code === "NOT_FOUND" ? target.create(call, request) : replaced;
  }

  return {
    async deploy(call, work, onProgress) {
      const { record, claim } = work;
      const log = createEventTrail(call, record, claim);
      log("deployment_start", `${SAYING[claim.operation]} version ${claim.version} to ${claim.target}`);
      const agent = await reachTarget(call, work);
      const { serverId, ownerId } = record;
      const { target, version, origin } = claim;
      if (!agent.ok) {
        const happened = mayHaveHappened(agent.error);
        // First, and where the claim is lost too: whoever has it may have found nothing so far.
        if (happened) await ledger.noteLate({ serverId, ownerId, target, agentId: null, origin });
        // What an earlier try may have left is as uncertain as it was.
        await claims.fail(record, claim, agent.error.detail, happened || work.first !== null);
        log("deployment_failed", agent.error.detail, { code: agent.error.code });
        return agent;
      }
      onProgress?.("at_target");
      const { agentId, endpoint, dashboardUrl } = agent.value;
      const deployedAt = isoTime(clock.now());
      if (!(await claims.completeDeploy(record, claim, agent.value, deployedAt))) {
        // Slower than its own lease: whoever has had the claim since decides, and may have looked too early.
        await ledger.noteLate({ serverId, ownerId, target, agentId, origin });
        log("deployment_failed", "the deploy lost its claim", { code: "DEPLOY_IN_PROGRESS", agentId });
        return inProgress();
      }
      log("deployment_complete", `Deployed version ${version} to ${target}`, { agentId, endpoint });
      deps.defer("ledger", ledger.note({ serverId, ownerId, target, agentId, origin }));
      deps.defer("register owner", store.registerOwner(ownerId));
      return ok({ success: true, serverId, agentId, endpoint, dashboardUrl, deployedAt, target, version });
    },

    async undeploy(call, record, claim) {
      const log = createEventTrail(call, record, claim);
      const { serverId } = record;
      log("undeployment_start", `Undeploying from ${claim.target}`);
      const removed = await targetOf(claim.target).remove(call, record.archestraAgentId, record);
      if (!removed.ok) {
        await claims.fail(record, claim, removed.error.detail, false);
        log("undeployment_failed", removed.error.detail, { code: removed.error.code });
        return removed;
      }
      if (!(await claims.completeUndeploy(record, claim))) {
        log("undeployment_failed", "the undeploy lost its claim", { code: "DEPLOY_IN_PROGRESS" });
        return inProgress();
      }
      log("undeployment_complete", `Undeployed from ${claim.target}`);
      deps.defer("ledger", ledger.strike({ ...record, target: claim.target }));
      return ok({ success: true, serverId });
    },
  };
}

const SAYING = { deploy: "Deploying", redeploy: "Redeploying", rollback: "Rolling back to", undeploy: "Undeploying" };

/** After these the target may have an agent that no record names. */
function mayHaveHappened(error: AppError): boolean {
  return error.code === "UPSTREAM_FAILED" || error.code === "UPSTREAM_TIMEOUT";
}

/** Deploys take well under this where the target is well. */
const IN_PROGRESS_RETRY_SECONDS = 2;

export function inProgress() {
  return err({
    code: "DEPLOY_IN_PROGRESS",
    detail: "another change of this server's deployment is running",
    retryAfterSeconds: IN_PROGRESS_RETRY_SECONDS,
  } as const satisfies AppError);
}
