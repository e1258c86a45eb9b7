import type { Actor } from "../../core/actor.ts";
import type { NewLogEvent } from "../../servers/execution-log.ts";
import type { RunTrace } from "../contract.ts";

/** How a run stands in the log of its server. */
export function toRunEvent(trace: RunTrace, ownerId: string, actor: Actor): NewLogEvent {
  const { runId, agentId, serverId, requestId, outcome, status, durationMs, error } = trace;
  return {
    serverId,
    ownerId,
    type: outcome === "ok" ? "run_complete" : "run_failed",
    message: `run ${status === null ? `was ${outcome}` : `answered ${status}`} after ${durationMs} ms`,
    // The log is the owner's to read, and whose keys others hold is not their business.
    actor: actor.kind === "key" && actor.ownerId !== ownerId ? "anonymous" : actor.id,
    requestId,
    data: { runId, agentId, outcome, status, durationMs, error },
  };
}
