import type { AppError } from "./errors.ts";

/** What can be expected to fail comes back as a value; only bugs and lost infrastructure throw. */
export type Result<T, E = AppError> = Ok<T> | Err<E>;

export interface Ok<T> {
  readonly ok: true;
  readonly value: T;
}

export interface Err<E> {
  readonly ok: false;
  readonly error: E;
}

export function ok<T>(value: T): Ok<T> {
  return { ok: true, value };
}

export function err<const E>(error: E): Err<E> {
  return { ok: false, error };
}
