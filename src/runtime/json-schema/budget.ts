/** Ends the evaluation whatever is around it. */
export class Exhausted extends Error {
  override readonly name = "Exhausted";
}

/** What one evaluation may still do. */
export interface Budget {
  left: number;
}

/** @throws Exhausted when there is nothing left. */
export function spend(budget: Budget, work: number): void {
  budget.left -= work;
  if (budget.left < 0) throw new Exhausted("the work is too much");
}
