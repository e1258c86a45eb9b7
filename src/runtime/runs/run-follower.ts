import type { Clock } from "../../core/clock.ts";
import type { RunTrace } from "../contract.ts";
import {
  RUN_STREAM_INITIAL_RUNS,
  RUN_STREAM_PAGE_HEADS,
  RUN_STREAM_PAGE_RUNS,
  RUN_STREAM_RECENT_MS,
  RUN_STREAM_REMEMBERED_RUNS,
  RUN_STREAM_THOROUGH_MS,
  RUN_STREAM_WINDOW_MS,
} from "./limits.ts";
import type { RunHead } from "./run-heads.ts";
import type { RunHistory } from "./run-history.ts";
import { runIdAt, runIdTime } from "./run-ids.ts";
import type { RunText, RunTexts } from "./run-texts.ts";

/** What a client has: a run, as it ran or as it ended. */
export interface SeenRun {
  readonly runId: string;
  readonly stage: Stage;
}

/** A run is sent again when it comes further. */
const STAGES = ["running", "interrupted", "ended"] as const;
type Stage = (typeof STAGES)[number];

export type FollowedRuns = Pick<RunHistory, "newestHeads" | "headsAfter" | "findAll">;

/** One reader of one keeper's runs, on its way to the end and beyond. */
export interface RunFollower {
  /** One page of what is to be sent, which then counts as sent. `caughtUp` when there is no more of it now. */
  read(): Promise<{ readonly runs: readonly RunText[]; readonly caughtUp: boolean }>;
}

/**
 * Runs sort by their start, and show up when they write or end: up to RUN_STREAM_WINDOW_MS later. So every walk to the
 * end begins as far back; those between two thorough ones look at what began lately. What was sent is remembered. Walks
 * read how far runs have come, and whole only those that came further: while nothing happens no trace is read.
 */
export async function createRunFollower(deps: {
  readonly history: FollowedRuns;
  readonly texts: RunTexts;
  readonly clock: Clock;
  readonly keeper: string;
  /** Null to begin with the newest runs. What began at most a window before this one may come again. */
  readonly since: SeenRun | null;
  /** How many of the newest runs come first. */
  readonly limit?: number | undefined;
  /** Only runs of this outcome are sent. */
  readonly outcome?: RunTrace["outcome"] | undefined;
}): Promise<RunFollower> {
  const { history, texts, clock, keeper, since, limit = RUN_STREAM_INITIAL_RUNS, outcome: wanted } = deps;
  const sent = new Map<string, number>();
  /** Found by the walk, and not read yet. */
  let due: readonly RunHead[] = [];
  /** What goes up to here is settled. */
  let floor = beginOf(since, clock.now());
  let nextFloor = floor;
  let position = floor;
  let isFirst = since === null;
  let walk: { readonly beganAt: number; readonly thorough: boolean } | null = null;
  let thoroughAt = Number.NEGATIVE_INFINITY;

  if (since === null) {
    // Of fewer than these the others may still come further.
    const count = Math.max(limit, RUN_STREAM_INITIAL_RUNS);
    const newest = await history.newestHeads(keeper, count, wanted);
    const [oldest] = newest;
    if (oldest !== undefined && newest.length === count) raise(beforeRun(oldest.runId));
    for (const head of newest.slice(0, -limit)) note(head);
    due = newest.slice(-limit);
  } else sent.set(since.runId, STAGES.indexOf(since.stage));

  function raise(runId: string): void {
    if (runId > floor) floor = runId;
    if (runId > nextFloor) nextFloor = runId;
  }

  /** Forgets what is settled, and the oldest of too many. Only between pages: one that breaks off is not settled. */
  function settle(): void {
    raise(nextFloor);
    const surplus = sent.size - RUN_STREAM_REMEMBERED_RUNS;
    if (surplus > 0) raise([...sent.keys()].sort()[surplus - 1] ?? floor);
    for (const runId of sent.keys()) if (runId < floor) sent.delete(runId);
  }

  function beginWalk(): { readonly beganAt: number; readonly thorough: boolean } {
    const beganAt = clock.now();
    const thorough = beganAt - thoroughAt >= RUN_STREAM_THOROUGH_MS;
    const recent = runIdAt(beganAt - RUN_STREAM_RECENT_MS);
    position = thorough || recent < floor ? floor : recent;
    return { beganAt, thorough };
  }

  function endWalk({ beganAt, thorough }: { readonly beganAt: number; readonly thorough: boolean }): void {
    if (!thorough) return;
    thoroughAt = beganAt;
    nextFloor = runIdAt(beganAt - RUN_STREAM_WINDOW_MS);
  }

  /** False where the client has as much of the run already. */
  function note({ runId, outcome }: RunHead): boolean {
    const stage = STAGES.indexOf(stageOf(outcome));
    if ((sent.get(runId) ?? -1) >= stage) return false;
    sent.set(runId, stage);
    return true;
  }

  function isDue({ runId, outcome }: RunHead): boolean {
    if (wanted !== undefined && outcome !== wanted) note({ runId, outcome });
    return (sent.get(runId) ?? -1) < STAGES.indexOf(stageOf(outcome));
  }

  async function look(): Promise<void> {
    settle();
    walk ??= beginWalk();
    const { heads, next } = await history.headsAfter(keeper, RUN_STREAM_PAGE_HEADS, position);
    due = heads.filter(isDue);
    if (next === null) {
      endWalk(walk);
      walk = null;
    } else position = next;
  }

  async function takeDue(): Promise<readonly RunText[]> {
    if (due.length === 0) return [];
    const page = due.slice(0, RUN_STREAM_PAGE_RUNS);
    const found = (await texts.read(keeper, page)).filter(note);
    // What is gone, or cannot be read, is not asked for again.
    for (const head of page) note(head);
    due = due.slice(page.length);
    return wanted === undefined ? found : found.filter(({ outcome }) => outcome === wanted);
  }

  return {
    async read() {
      if (due.length === 0 && !isFirst) await look();
      isFirst = false;
      const runs = await takeDue();
      return { runs, caughtUp: due.length === 0 && walk === null };
    },
  };
}

export function stageOf(outcome: RunTrace["outcome"]): Stage {
  return outcome === "running" || outcome === "interrupted" ? outcome : "ended";
}

/** This run may still change, and those after it. */
function beforeRun(runId: string): string {
  return runIdAt(runIdTime(runId) ?? 0);
}

/** Where whatever may have changed since then begins. An id may be of a clock that is ahead. */
function beginOf(since: SeenRun | null, now: number): string {
  const sinceMs = since === null ? now : (runIdTime(since.runId) ?? now);
  return runIdAt(Math.min(sinceMs, now) - RUN_STREAM_WINDOW_MS);
}
