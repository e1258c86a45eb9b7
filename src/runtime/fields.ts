import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";

/** The value at a dotted path of own properties, or undefined. Lists are not entered. */
export function fieldAt(object: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = object;
  for (const key of path.split(".")) {
    value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

/** Whether a list stands on the way to the field, so that the path means many values or none. */
export function passesList(object: JsonObject, path: string): boolean {
  const keys = path.split(".");
  return keys.some((_key, i) => i > 0 && Array.isArray(fieldAt(object, keys.slice(0, i).join("."))));
}

/** A copy with the value at the path replaced, or left out where `value` is undefined. A missing field stays missing. */
export function withField(object: JsonObject, path: string, value: Json | undefined): JsonObject {
  return replaceAt(object, path.split("."), value);
}

export function withoutFields(object: JsonObject, paths: readonly string[]): JsonObject {
  return paths.reduce((copy, path) => withField(copy, path, undefined), object);
}

/** Also through lists, whose every object is meant: a hidden field is hidden in all of them. */
function replaceAt(object: JsonObject, keys: readonly string[], value: Json | undefined): JsonObject {
  const [key, ...rest] = keys;
  if (key === undefined || !Object.hasOwn(object, key)) return object;
  const inner = object[key];
  if (rest.length === 0) {
    const others = Object.entries(object).map(([name, old]) => [name, name === key ? value : old] as const);
    return Object.fromEntries(others.filter(([, kept]) => kept !== undefined)) as JsonObject;
  }
  const replaceIn = (item: Json): Json => (isJsonObject(item) ? replaceAt(item, rest, value) : item);
  const replaced = Array.isArray(inner) ? (inner as readonly Json[]).map(replaceIn) : replaceIn(inner ?? null);
  return Object.fromEntries(Object.entries(object).map(([name, old]) => [name, name === key ? replaced : old]));
}
