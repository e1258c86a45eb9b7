import type { Clock } from "../core/clock.ts";
import { BREAK_WORK, RUN_MAX_WORK } from "./limits.ts";

/**
 * What a run and all that it calls may still compute, in steps of an expression: one object for all of them. Rules,
 * conditions, transforms, validations and large configs take of it.
 */
export interface RunWork {
  /** Below 0 once something was broken off for want of it: no step begins then. */
  left: number;
  /** Others are served once less than this is left. */
  breakBelow: number;
  /** A break that has not ended. */
  pause: Promise<void> | null;
}

export const WORK_SPENT =
  "this run and all that it calls compute too much: let expressions, rules and schemas look at fewer or smaller values";

export function createRunWork(): RunWork {
  return { left: RUN_MAX_WORK, breakBelow: RUN_MAX_WORK - BREAK_WORK, pause: null };
}

/** What may be done at once of something that takes at most so much by itself. */
export function roomFor({ left }: RunWork, most: number): number {
  return Math.max(0, Math.min(left, most));
}

export function isSpent({ left }: RunWork): boolean {
  return left < 0;
}

export function isBreakDue({ left, breakBelow }: RunWork): boolean {
  return left < breakBelow;
}

/**
 * Lets everything else that waits go on. Steps that run at once take the same break: whoever comes back from it asks
 * again whether one is due, for another step may have computed first.
 */
export function takeBreak(work: RunWork, clock: Clock): Promise<void> {
  work.pause ??= new Promise((resolve) => {
    clock.after(0, () => {
      work.breakBelow = work.left - BREAK_WORK;
      work.pause = null;
      resolve();
    });
  });
  return work.pause;
}
