import { CHARS_PER_STEP, WORK_MAX_STEPS } from "./limits.ts";

/** Looking at documents took more than one operation may. It is a `RangeError`, as the port says of what is too large. */
export class TooMuchWork extends RangeError {
  override readonly name = "TooMuchWork";
}

/** Counts what one operation does, so that none holds up the others for long: it runs in one go. */
export interface Work {
  /** @throws TooMuchWork */
  spend(steps: number): void;
}

export function createWork(maxSteps: number = WORK_MAX_STEPS): Work {
  let left = maxSteps;
  return {
    spend(steps) {
      left -= steps;
      if (left < 0) throw new TooMuchWork("the operation looks at more than one may: narrow the filter");
    },
  };
}

/** The steps that reading or comparing so many characters takes. */
export function stepsOf(chars: number): number {
  return 1 + Math.floor(chars / CHARS_PER_STEP);
}
