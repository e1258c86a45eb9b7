import { type Clock, sleep } from "../../core/clock.ts";
import { createRecent } from "../../core/recent.ts";
import type { RunTrace } from "../contract.ts";
import { RUN_TEXTS_MAX_CHARS, RUN_TEXTS_TURN_MAX_MS, RUN_TEXTS_TURN_MS } from "./limits.ts";
import type { RunHead } from "./run-heads.ts";
import type { RunHistory } from "./run-history.ts";

/** A run as JSON, whole. */
export interface RunText extends RunHead {
  readonly json: string;
}

/** What an isolate's streams read of runs: those that have ended are read once for all who follow them at a time. */
export interface RunTexts {
  /** Those of these runs that are there, in their order. */
  read(keeper: string, heads: readonly RunHead[]): Promise<readonly RunText[]>;
}

/**
 * Long traces take milliseconds each to read and megabytes together, so one page is read at a time: others wait and find
 * it kept. They wait by timers of their own, since a request that is cut off gives nobody a sign.
 */
export function createRunTexts(deps: {
  readonly history: Pick<RunHistory, "findAll">;
  readonly clock: Clock;
}): RunTexts {
  const { history, clock } = deps;
  const kept = createRecent<RunText>(RUN_TEXTS_MAX_CHARS, undefined, ({ json }) => json.length);
  let readingSince: number | null = null;

  const nameOf = (keeper: string, runId: string) => `${keeper} ${runId}`;
  const isKept = (keeper: string, head: RunHead) =>
    hasEnded(head) && kept.get(nameOf(keeper, head.runId)) !== undefined;

  async function load(keeper: string, missing: readonly RunHead[]): Promise<readonly RunText[]> {
    const since = clock.now();
    readingSince = since;
    try {
      const ids = missing.map(({ runId }) => runId);
      return (await history.findAll(keeper, ids)).map(toText);
    } finally {
      if (readingSince === since) readingSince = null;
    }
  }

  function isOthersTurn(): boolean {
    return readingSince !== null && clock.now() - readingSince < RUN_TEXTS_TURN_MAX_MS;
  }

  return {
    async read(keeper, heads) {
      const isMissing = (head: RunHead) => !isKept(keeper, head);
      while (heads.some(isMissing) && isOthersTurn()) {
        await sleep(clock, RUN_TEXTS_TURN_MS);
      }
      const found = new Map<string, RunText>();
      for (const { runId } of heads) {
        const text = kept.get(nameOf(keeper, runId));
        if (text !== undefined) found.set(runId, text);
      }
      const missing = heads.filter(isMissing);
      for (const text of missing.length === 0 ? [] : await load(keeper, missing)) {
        found.set(text.runId, text);
        if (hasEnded(text)) kept.set(nameOf(keeper, text.runId), text);
      }
      return heads.flatMap(({ runId }) => found.get(runId) ?? []);
    },
  };
}

/** What interrupted a run is told of it until its true end comes. */
function hasEnded({ outcome }: RunHead): boolean {
  return outcome !== "running" && outcome !== "interrupted";
}

function toText(run: RunTrace): RunText {
  return { runId: run.runId, outcome: run.outcome, json: JSON.stringify(run) };
}
