import { createIdSource } from "../../core/ids.ts";

/** Ids of runs are `run_` and a ULID in lower case: the time of the start first, so that they sort by it. */
const RUN_ID = /^run_[0-9a-hjkmnp-tv-z]{26}$/;
const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_FROM = "run_".length;
const TIME_CHARS = 10;

/** Greater than the id of every run before this time, smaller than those of the runs from it on. */
export function runIdAt(epochMs: number): string {
  const then = { now: () => Math.max(0, Math.floor(epochMs)), after: () => () => {} };
  return createIdSource(then, (length) => new Uint8Array(length)).next("run");
}

/** Epoch milliseconds; null where the text is no id of a run. */
export function runIdTime(runId: string): number | null {
  if (!RUN_ID.test(runId)) return null;
  let time = 0;
  for (const char of runId.slice(TIME_FROM, TIME_FROM + TIME_CHARS)) time = time * DIGITS.length + DIGITS.indexOf(char);
  return time;
}

const TESTS_PREFIX = "server:";

/** Whose tests they are: an id that one owner gives up may become another's. */
export interface TestedBy {
  readonly ownerId: string;
  readonly serverId: string;
}

/**
 * Where tests of a server's graph are kept: no agent's id, since it holds a colon. A serverId holds none, so no two
 * servers share a name.
 */
export function testRunsOf({ ownerId, serverId }: TestedBy): string {
  return `${TESTS_PREFIX}${ownerId}:${serverId}`;
}

/** Under which name a run is kept: its agent's id, or its server's tests. */
export function keeperOf(run: TestedBy & { readonly tracedAgentId: string | null }): string {
  return run.tracedAgentId ?? testRunsOf(run);
}

export function agentOf(keeper: string): string | null {
  return keeper.startsWith(TESTS_PREFIX) ? null : keeper;
}
