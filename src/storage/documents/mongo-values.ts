import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";

/**
 * Extended JSON, canonical or relaxed, read into plain JSON: numbers are numbers, ObjectIds hex text, dates ISO text,
 * binary data base64 text. Plain JSON reads back as it is. What JSON has no word for (a regular expression, code,
 * a key's minimum) keeps the form that Extended JSON gives it, under names without `$`.
 */
export function readExtendedJson(value: Json): Json {
  if (Array.isArray(value)) return value.map(readExtendedJson);
  if (!isJsonObject(value)) return value;
  const names = Object.keys(value);
  const [first] = names;
  if (first?.startsWith("$")) {
    const read = READERS.get(first)?.(value[first] ?? null, value);
    return read === undefined ? withPlainNames(value) : read;
  }
  return Object.fromEntries(names.map((name) => [name, readExtendedJson(value[name] ?? null)]));
}

type Reader = (inner: Json, whole: JsonObject) => Json | undefined;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["$oid", textOf],
  ["$symbol", textOf],
  ["$uuid", textOf],
  ["$numberInt", numberOf],
  ["$numberLong", numberOf],
  ["$numberDouble", numberOf],
  ["$numberDecimal", numberOf],
  ["$date", dateOf],
  ["$binary", (inner) => (isJsonObject(inner) ? textOf(inner.base64 ?? null) : textOf(inner))],
  ["$undefined", () => null],
]);

function textOf(inner: Json): Json | undefined {
  return typeof inner === "string" ? inner : undefined;
}

/** `NaN` and `Infinity`, which JSON cannot carry, become null. */
function numberOf(inner: Json): Json | undefined {
  if (typeof inner !== "string" && typeof inner !== "number") return undefined;
  const number = Number(inner);
  return Number.isFinite(number) ? number : null;
}

function dateOf(inner: Json): Json | undefined {
  const time = isJsonObject(inner) ? readExtendedJson(inner) : inner;
  if (typeof time !== "string" && typeof time !== "number") return undefined;
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function withPlainNames(value: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name.replace(/^\$/, ""), readExtendedJson(inner)]),
  );
}

/** A document's `_id` as text, whatever it was; the rest as it is. */
export function withTextId(document: JsonObject): JsonObject {
  const { _id } = document;
  if (_id === undefined || typeof _id === "string") return document;
  return { ...document, _id: JSON.stringify(_id) };
}
