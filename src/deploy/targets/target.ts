import type { Call } from "../../core/actor.ts";
import type { Result } from "../../core/result.ts";
import type { CreateAgent } from "../../runtime/contract.ts";

export interface DeployedAgent {
  readonly agentId: string;
  readonly endpoint: string;
  readonly dashboardUrl: string;
}

/** A host of agents. Failures are `UPSTREAM_FAILED` or `UPSTREAM_TIMEOUT`, with the host's message made safe to show. */
export interface Target {
  /** One agent per `metadata.serverId`: repeating a create that succeeded gives the same agent. */
  create(call: Call, agent: CreateAgent): Promise<Result<DeployedAgent>>;
}
