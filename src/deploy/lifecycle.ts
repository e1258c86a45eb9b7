import type { DeploymentState } from "../servers/contract.ts";
import type { Operation } from "../servers/deployment-fields.ts";

interface Transition {
  /** States from which the operation may be claimed. A claim that ran out may be taken over whatever its state. */
  readonly from: readonly DeploymentState[];
  /** While the claim is held. */
  readonly during: DeploymentState;
  readonly succeeded: DeploymentState;
  /** Where there was an agent before, it is still there; what went wrong is told in `deployment.error`. */
  readonly failed: DeploymentState;
}

/** The life of a deployment. README.md shows this table. */
export const TRANSITIONS: Readonly<Record<Operation, Transition>> = {
  deploy: { from: ["draft", "failed"], during: "deploying", succeeded: "deployed", failed: "failed" },
  redeploy: { from: ["deployed"], during: "deploying", succeeded: "deployed", failed: "deployed" },
  rollback: { from: ["deployed"], during: "deploying", succeeded: "deployed", failed: "deployed" },
  undeploy: { from: ["deployed"], during: "undeploying", succeeded: "draft", failed: "deployed" },
};

/** Why an operation can't begin now, or null when its claim may be tried. */
export type Obstacle = "already_deployed" | "not_deployed" | "in_progress" | null;

/** Decides from the state that was read; the claim's conditional update decides for good. */
export function obstacleTo(
  operation: Operation,
  state: DeploymentState,
  claimExpiresAt: string | null,
  now: string,
): Obstacle {
  if (TRANSITIONS[operation].from.includes(state)) return null;
  if (state === "deploying" || state === "undeploying") {
    return claimExpiresAt !== null && claimExpiresAt < now ? null : "in_progress";
  }
  return operation === "deploy" ? "already_deployed" : "not_deployed";
}
