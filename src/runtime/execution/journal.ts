import { waitAtMost } from "../../core/deadline.ts";
import { StorageUnavailable } from "../../core/errors.ts";
import { keeperOf } from "../runs/run-ids.ts";
import { type ActiveRun, toRunTrace } from "./active-run.ts";

/**
 * Writes down what is known of the run so far, before a step that changes something. False where the store does not
 * answer, or not within the run's time. Writes of one run never overlap: each says all that the one before said.
 */
export async function writeJournal(run: ActiveRun): Promise<boolean> {
  const { deps, order, context } = run;
  const written = run.journalled === null ? writeAll(run) : run.journalled.then(() => writeAll(run));
  run.journalled = written.catch(() => {});
  try {
    return (await waitAtMost(deps.clock, context.deadlineAtMs - deps.clock.now(), written)) !== null;
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    deps.log.warn("run_journal_unavailable", { runId: order.runId, agentId: order.agentId, error });
    return false;
  }
}

/** Once more where a step of the same group has changed something meanwhile. */
async function writeAll(run: ActiveRun): Promise<void> {
  let known: number;
  do {
    known = run.writesEnded;
    await run.deps.journal.write(keeperOf(run.order), toRunTrace(run, null));
  } while (run.writesEnded !== known);
}
