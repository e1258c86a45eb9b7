import { isJsonObject, type Json } from "../../core/json.ts";

/**
 * Documents stores give `$` and `.` in field names a meaning, and JSON Schemas and graphs use both (`$ref`, `$in`).
 * Where such JSON is kept as it is, its names are written with the full-width characters that MongoDB's manual has
 * long suggested for this. Where a name has one of these itself, or a `␛`, a `␛` stands before it, so that every name
 * reads back as it was. Only whole values are kept this way: nothing filters or updates by a path into them.
 *
 * Names without any of these, as in records that other programs wrote, read back unchanged. What was stored before
 * there was a `␛` reads as it did then, but for two things that it does not tell. An author's own `．`, or `＄` at the
 * beginning, was stored like `.` and `$`, and is read as these. And a `␛` before `．`, `＄` or another `␛` is read as an
 * escape: it is gone, and such a `．` stays one.
 */
export function escapeFieldNames(value: Json): Json {
  return mapNames(value, (name) => name.replace(SPECIAL, (found) => WRITTEN.get(found) ?? `${ESCAPE}${found}`));
}

export function unescapeFieldNames(value: Json): Json {
  return mapNames(value, (name) => name.replace(ESCAPED, (found) => READ.get(found) ?? found.slice(ESCAPE.length)));
}

const ESCAPE = "␛";

/** `$` and its stand-in mean something only where a name begins. */
const SPECIAL = /^[$＄]|[.．␛]/g;
const ESCAPED = /^＄|．|␛[＄．␛]/g;

const WRITTEN: ReadonlyMap<string, string> = new Map([
  ["$", "＄"],
  [".", "．"],
]);
const READ: ReadonlyMap<string, string> = new Map(Array.from(WRITTEN, ([plain, written]) => [written, plain]));

function mapNames(value: Json, rename: (name: string) => string): Json {
  if (Array.isArray(value)) return value.map((item) => mapNames(item, rename));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [rename(name), mapNames(inner, rename)]));
}
