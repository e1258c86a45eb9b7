import { isJsonObject, type Json } from "../../core/json.ts";

/**
 * Documents stores give `$` and `.` in field names a meaning, and JSON Schemas and graphs use both (`$ref`, `$in`).
 * Where such JSON is kept as it is, its names are written with the full-width characters that MongoDB's manual has
 * long suggested for this. Names without them, as in records that other programs wrote, read back unchanged.
 */
export function escapeFieldNames(value: Json): Json {
  return mapNames(value, (name) => name.replace(/^\$/, "＄").replaceAll(".", "．"));
}

export function unescapeFieldNames(value: Json): Json {
  return mapNames(value, (name) => name.replace(/^＄/, "$").replaceAll("．", "."));
}

function mapNames(value: Json, rename: (name: string) => string): Json {
  if (Array.isArray(value)) return value.map((item) => mapNames(item, rename));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [rename(name), mapNames(inner, rename)]));
}
