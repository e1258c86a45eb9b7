import { RUNS_KEPT_PER_AGENT } from "../../config/limits.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import { runs } from "../../storage/documents/collections.ts";
import type { Documents } from "../../storage/documents/documents.ts";
import { PRUNE_RUNS } from "./limits.ts";
import { runIdAt } from "./run-ids.ts";
import type { RunSums } from "./run-sums.ts";

const DAY_MS = 86_400_000;
/** What runs is not history yet. */
const ENDED = { outcome: { $ne: "running" } };

/** Each returns how many it removed. */
export interface RunRetention {
  /** Removes runs past their days. */
  removeOld(keeper: string): Promise<number>;
  /** Removes some of the runs beyond the number that is kept, PRUNE_RUNS at most. */
  removeSurplus(keeper: string): Promise<number>;
}

export function createRunRetention(deps: {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly log: Logger;
  readonly sums: RunSums;
  readonly keepDays: number;
}): RunRetention {
  const { documents, clock, log, sums, keepDays } = deps;

  async function remove(keeper: string, upTo: { readonly $lt: string } | { readonly $lte: string }): Promise<number> {
    const filter = { agentId: keeper, _id: upTo, ...ENDED };
    const { deletedCount } = await documents.deleteMany(runs(keeper), filter);
    if (deletedCount === 0) return 0;
    await sums.noteRemoved(keeper, deletedCount);
    log.debug("runs_removed", { keeper, removed: deletedCount });
    return deletedCount;
  }

  return {
    removeOld: (keeper) => remove(keeper, { $lt: runIdAt(clock.now() - keepDays * DAY_MS) }),
    async removeSurplus(keeper) {
      const surplus = (await sums.read(keeper)).kept - RUNS_KEPT_PER_AGENT;
      if (surplus <= 0) return 0;
      const limit = Math.min(surplus, PRUNE_RUNS);
      const query = { filter: { agentId: keeper, ...ENDED }, sort: { _id: 1 }, limit } as const;
      const last = (await documents.find(runs(keeper), query)).at(-1);
      return last === undefined ? 0 : remove(keeper, { $lte: last._id });
    },
  };
}
