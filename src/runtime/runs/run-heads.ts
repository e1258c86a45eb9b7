import type { Clock } from "../../core/clock.ts";
import { runs } from "../../storage/documents/collections.ts";
import type { Documents, Filter } from "../../storage/documents/documents.ts";
import { RUN_OUTCOMES, type RunTrace } from "../contract.ts";
import { RUN_DEAD_AFTER_MS } from "./limits.ts";
import { runIdAt } from "./run-ids.ts";

/** How far a run has come: what of it can be read without its trace. */
export type RunHead = Pick<RunTrace, "runId" | "outcome">;

export interface RunHeads {
  readonly heads: readonly RunHead[];
  /** The id to read on from; null where there is no more now. */
  readonly next: string | null;
}

/** Reads a page of heads. A run that is dead, or whose end is not counted yet, is settled first, as by `find`. */
export function createRunHeads(deps: {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly find: (keeper: string, runId: string) => Promise<RunTrace | null>;
}): (keeper: string, direction: 1 | -1, limit: number, wanted: Filter) => Promise<RunHeads> {
  const { documents, clock, find } = deps;

  return async function readHeads(keeper, direction, limit, wanted) {
    const query = { filter: { agentId: keeper, ...wanted }, sort: { _id: direction }, limit, fields: FIELDS };
    const page = await documents.find(runs(keeper), query);
    const heads: RunHead[] = [];
    for (const { _id, outcome, uncounted } of page) {
      const isDead = outcome === "running" && _id < runIdAt(clock.now() - RUN_DEAD_AFTER_MS);
      const standing = isDead || uncounted === true ? (await find(keeper, _id))?.outcome : readOutcome(outcome);
      if (standing !== undefined) heads.push({ runId: _id, outcome: standing });
    }
    return { heads, next: page.length < limit ? null : (page.at(-1)?._id ?? null) };
  };
}

const FIELDS = ["outcome", "uncounted"];

function readOutcome(stored: unknown): RunTrace["outcome"] | undefined {
  return RUN_OUTCOMES.find((outcome) => outcome === stored);
}
