import { type Clock, isoTime } from "../core/clock.ts";
import type { Claim, Operation } from "../servers/deployment-fields.ts";
import type { LoadedServer, ServerKey, ServerStore } from "../servers/store.ts";
import type { Filter } from "../storage/documents/documents.ts";
import { TRANSITIONS } from "./lifecycle.ts";
import type { DeployedAgent } from "./targets/target.ts";

/**
 * The claim on a deployment: a lease in the server's record, taken, kept and given back by conditional updates. Of any
 * number of claims at once, on however many isolates, one is taken; whoever has lost it writes nothing any more.
 */
export interface Claims {
  /** Of this server, and of none that has been made anew under its id since it was loaded. */
  take(server: LoadedServer, operation: Operation, claim: Claim): Promise<boolean>;
  /** Takes over a claim that ran out, to bring its operation to an end. */
  takeOver(key: ServerKey, expired: Claim, claim: Claim): Promise<boolean>;
  /** The server is deployed: as the claim says, with this agent. */
  completeDeploy(key: ServerKey, claim: Claim, agent: DeployedAgent, deployedAt: string): Promise<boolean>;
  /** The server is a draft again. */
  completeUndeploy(key: ServerKey, claim: Claim): Promise<boolean>;
  /** `uncertain`: the target may have done the work all the same. */
  fail(key: ServerKey, claim: Claim, error: string, uncertain: boolean): Promise<boolean>;
}

export function createClaims(deps: { readonly store: ServerStore; readonly clock: Clock }): Claims {
  const { store, clock } = deps;
  const held = (claim: Claim): Filter => ({ "deployment.claim.id": claim.id });
  return {
    take({ record: { serverId, ownerId }, place }, operation, claim) {
      return store.changeIf({ serverId, ownerId, place }, claimable(operation, isoTime(clock.now())), {
        "deployment.state": TRANSITIONS[operation].during,
        "deployment.target": claim.target,
        "deployment.error": null,
        "deployment.claim": { ...claim },
      });
    },

    takeOver(key, expired, claim) {
      const condition = {
        "deployment.claim.id": expired.id,
        "deployment.claim.expiresAt": { $lt: isoTime(clock.now()) },
      };
      return store.changeIf(key, condition, { "deployment.claim": { ...claim } });
    },

    completeDeploy(key, claim, agent, deployedAt) {
      const { target, version, origin } = claim;
      return store.changeIf(key, held(claim), {
        deployment: { state: "deployed", target, version, error: null, claim: null, origin, uncertain: false },
        archestraAgentId: agent.agentId,
        archestraEndpoint: agent.endpoint,
        archestraDashboardUrl: agent.dashboardUrl,
        archestraDeployedAt: deployedAt,
      });
    },

    completeUndeploy(key, claim) {
      return store.changeIf(key, held(claim), {
        deployment: {
          state: "draft",
          target: null,
          version: null,
          error: null,
          claim: null,
          origin: null,
          uncertain: false,
        },
        archestraAgentId: null,
        archestraEndpoint: null,
        archestraDashboardUrl: null,
        archestraDeployedAt: null,
      });
    },

    fail(key, claim, error, uncertain) {
      return store.changeIf(key, held(claim), {
        "deployment.state": TRANSITIONS[claim.operation].failed,
        "deployment.error": error,
        "deployment.claim": null,
        "deployment.origin": claim.origin,
        "deployment.uncertain": uncertain,
      });
    },
  };
}

/** Records that other programs wrote have no `deployment` at all: what they are shows in whether they name an agent. */
function claimable(operation: Operation, now: string): Filter {
  const unwritten = { "deployment.state": { $exists: false } };
  return {
    $or: [
      { "deployment.state": { $in: [...TRANSITIONS[operation].from] } },
      operation === "deploy"
        ? { ...unwritten, archestraAgentId: null }
        : { ...unwritten, archestraAgentId: { $ne: null } },
      { "deployment.state": { $in: ["deploying", "undeploying"] }, "deployment.claim.expiresAt": { $lt: now } },
    ],
  };
}
