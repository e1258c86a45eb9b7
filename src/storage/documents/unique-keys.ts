import type { Json, JsonObject } from "../../core/json.ts";
import { indexedValuesAt } from "./paths.ts";

/** The text under which a value of a unique field is kept: equal values, and only they, have the same. */
export function uniqueKeyOf(value: Json | undefined): string {
  return JSON.stringify(value ?? null);
}

/** The keys that a document takes in a unique field; a list takes one for each of its elements. */
export function uniqueKeysAt(document: JsonObject, field: string): ReadonlySet<string> {
  return new Set(indexedValuesAt(document, field).map(uniqueKeyOf));
}
