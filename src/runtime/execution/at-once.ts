/**
 * Goes on with a value: at once where it is there, else when it comes. Most steps only compute, and a run of them is over
 * in one go: each promise on the way would cost as much as the step.
 */
export function goOn<T, U>(value: T | Promise<T>, next: (value: T) => U | Promise<U>): U | Promise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
