import type { Call } from "../../core/actor.ts";
import type { Result } from "../../core/result.ts";
import type { CreateAgent } from "../../runtime/contract.ts";

export interface DeployedAgent {
  readonly agentId: string;
  readonly endpoint: string;
  readonly dashboardUrl: string;
}

/** Which server an agent belongs to, as the target knows it. */
export interface ServerRef {
  readonly serverId: string;
  readonly ownerId: string;
}

/**
 * A host of agents. There is one agent for a server there, however often `create` is repeated, by whatever means the
 * host offers: each method looks before it repeats what may have happened already.
 *
 * Failures are `UPSTREAM_FAILED`, `UPSTREAM_TIMEOUT` (the work may have been done all the same) and
 * `TARGET_NOT_CONFIGURED`; their detail is the host's message made safe to show. Nothing is thrown.
 * No method outlives the time that the target was made with, retries included. None is cancelled with its caller: what
 * was begun at a host is brought to an end that can be saved.
 */
export interface Target {
  readonly name: string;
  /** The agent of `metadata.serverId` runs this graph afterwards, whether it was there before or not. */
  create(call: Call, agent: CreateAgent): Promise<Result<DeployedAgent>>;
  /** The same agent, with the same id and endpoint, runs this graph afterwards. `NOT_FOUND` where it is gone. */
  replace(call: Call, agentId: string, agent: CreateAgent): Promise<Result<DeployedAgent>>;
  /**
   * True when it was there. Afterwards it is not, and nothing that belonged to it is, nor what a deploy of it left half
   * done. The id is null where it was never known: the server says which agent is meant.
   */
  remove(call: Call, agentId: string | null, server: ServerRef): Promise<Result<boolean>>;
  /** The server's agent, or null where the host has none. */
  find(call: Call, server: ServerRef): Promise<Result<DeployedAgent | null>>;
  /** Does the host answer, and does it know our key. */
  health(call: Call): Promise<Result<null>>;
}
