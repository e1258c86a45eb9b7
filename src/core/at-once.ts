/**
 * What is there at once or comes later. What is in memory is given at once: each promise on the way of a hot request costs
 * as much as a step of a graph, and leaves garbage behind.
 */
export type AtOnce<T> = T | Promise<T>;

/** Goes on with a value: at once where it is there, else when it comes. */
export function goOn<T, U>(value: AtOnce<T>, next: (value: T) => AtOnce<U>): AtOnce<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
