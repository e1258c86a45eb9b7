import type { FieldError } from "../../../../src/core/errors.ts";
import type { Json } from "../../../../src/core/json.ts";
import { createEvaluator } from "../../../../src/runtime/json-schema/evaluator.ts";
import { readSchema } from "../../../../src/runtime/json-schema/json-schema.ts";

export interface Evaluated {
  readonly faults: readonly FieldError[];
  readonly work: number;
}

/** @throws Error where the schema is refused. */
export function evaluate(schema: Json, data: Json): Evaluated {
  const read = readSchema(schema);
  const [fault] = read.faults;
  if (fault !== undefined) throw new Error(`refused: ${fault.path} ${fault.message}`);
  return createEvaluator(read)(data, Number.POSITIVE_INFINITY);
}

export function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** The value inside so many objects, each with one property `a`. */
export function nest(depth: number, value: Json): Json {
  return times(depth, (i) => i).reduce<Json>((inner) => ({ a: inner }), value);
}
