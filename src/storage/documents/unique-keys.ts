import type { Json, JsonObject } from "../../core/json.ts";
import { eachIndexedValue } from "./paths.ts";
import { createWork, stepsOf, type Work } from "./work.ts";

/** The text under which a value of a unique field is kept: equal values, and only they, have the same. */
export function uniqueKeyOf(value: Json | undefined): string {
  return JSON.stringify(value ?? null);
}

/**
 * The keys that a document takes in a unique field, and the value of each; a list takes one for each of its elements.
 * @throws TooMuchWork
 */
export function uniqueValuesAt(
  document: JsonObject,
  field: string,
  work: Work = createWork(),
): ReadonlyMap<string, Json> {
  const values = new Map<string, Json>();
  const take = (value: Json | undefined) => {
    const key = uniqueKeyOf(value);
    work.spend(stepsOf(key.length));
    values.set(key, value ?? null);
  };
  eachIndexedValue(document, field, take, work);
  return values;
}

/** @throws TooMuchWork */
export function uniqueKeysAt(document: JsonObject, field: string, work?: Work): ReadonlySet<string> {
  return new Set(uniqueValuesAt(document, field, work).keys());
}
