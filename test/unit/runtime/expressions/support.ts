import type { Json } from "../../../../src/core/json.ts";
import type { Expression } from "../../../../src/runtime/expressions/expression.ts";
import { loadExpressions } from "../../../../src/runtime/expressions/load-expressions.ts";
import { createRunWork } from "../../../../src/runtime/run-work.ts";

const expressions = await loadExpressions();

export function compiled(text: string): Expression {
  const result = expressions.compile(text);
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

/** Why it does not compile. */
export function refusal(text: string): string {
  const result = expressions.compile(text);
  if (result.ok) throw new Error("it compiled");
  return result.error;
}

export function scopeOf(outputs: Readonly<Record<string, Json>>): ReadonlyMap<string, Json> {
  return new Map(Object.entries(outputs));
}

export function evaluated(text: string, outputs: Readonly<Record<string, Json>> = {}): Json {
  const result = compiled(text).evaluate(scopeOf(outputs), createRunWork());
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

/** Why it has no value. */
export function faultOf(text: string, outputs: Readonly<Record<string, Json>> = {}): string {
  const result = compiled(text).evaluate(scopeOf(outputs), createRunWork());
  if (result.ok) throw new Error("it has a value");
  return result.error;
}
