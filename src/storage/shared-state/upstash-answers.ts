import { StorageUnavailable } from "../../core/errors.ts";

/** The store answered what it never would. */
export function misfit(): StorageUnavailable {
  return new StorageUnavailable("the shared state gave an answer that does not fit");
}

/** Done, or (null) not done because of a condition. */
export function readDone(answer: unknown): boolean {
  if (answer !== "OK" && answer !== null) throw misfit();
  return answer === "OK";
}

export function readFlag(answer: unknown): boolean {
  if (answer !== 0 && answer !== 1) throw misfit();
  return answer === 1;
}

/** A whole number from `min` to `max`. */
export function readWhole(answer: unknown, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof answer !== "number" || !Number.isSafeInteger(answer) || answer < min || answer > max) throw misfit();
  return answer;
}
