import type { Frame } from "./faults.ts";
import type { Kind, StaticKind, Value } from "./values.ts";

/** One function. It may be written `name(a, b)` and, where its name has no dot, `a.name(b)`. Pays for its work before it does it. */
export interface CelFunction {
  /** The kinds that each argument may have; null for any. */
  readonly takes: readonly (readonly Kind[] | null)[];
  /** How many of the last ones may be left out. */
  readonly mayLack?: number;
  readonly gives: StaticKind;
  /** Steps of one call, beyond what it pays for the size of its arguments; CALL_STEPS unless said otherwise. */
  readonly steps?: number;
  /** As it is written, for the docs page. */
  readonly form: string;
  readonly does: string;
  readonly run: (args: readonly Value[], frame: Frame) => Value;
}
