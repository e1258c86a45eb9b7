import type { RunTrace } from "../../../src/runtime/contract.ts";
import type { RunHistory } from "../../../src/runtime/runs/run-history.ts";
import { keeperOf } from "../../../src/runtime/runs/run-ids.ts";

/** Whose graphs the tests in such a history are of. */
export const TESTING_OWNER = "user-1";

/** A history that keeps each trace as its agent's, or as a test of its server. */
export function keepByTrace(history: RunHistory) {
  const keeper = ({ agentId, serverId }: RunTrace) =>
    keeperOf({ tracedAgentId: agentId, serverId, ownerId: TESTING_OWNER });
  return {
    ...history,
    write: (trace: RunTrace) => history.write(keeper(trace), trace),
    record: (trace: RunTrace, onStored?: () => void) => history.record(keeper(trace), trace, onStored),
  };
}
