import type { RunTrace } from "../contract.ts";

/**
 * What is known of a run while it runs, should its process end: written before its first step that changes something, and
 * after each such step before the next begins. A run of steps that change nothing is not journalled.
 */
export interface RunJournal {
  /**
   * The trace so far of a run that is kept as the `keeper`'s (see `keeperOf`), with the outcome `running`; the step that is about to begin is not in it.
   * @throws StorageUnavailable where it could not be written: the step must not begin.
   */
  write(keeper: string, trace: RunTrace): Promise<void>;
}
