import type { SharedState } from "../../../src/storage/shared-state/shared-state.ts";

export interface SharedStateUnderTest {
  readonly store: SharedState;
  /** Lets this much of the store's time pass. */
  passTime(ms: number): Promise<void>;
}

export type MakeSharedState = () => SharedStateUnderTest | Promise<SharedStateUnderTest>;

export const PARALLEL = 100;
export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;

export const ODD_NAMES = [
  "a b",
  "a:b",
  "a",
  "é\u{1f600}",
  "__proto__",
  "a\0b",
  "*",
  "[a]",
  "a/../b",
  "x".repeat(2_000),
  "",
  '"\ud800"',
  // Halves of surrogate pairs, which UTF-8 has no bytes for.
  "\ud800",
  "\ud801",
  "\udc00a",
];

export function fresh(what: string): string {
  return `${what}-${crypto.randomUUID()}`;
}
