/** What JSON can carry. Everything that crosses a port, a route or a step of a graph is of this type. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object without its `undefined` properties, which JSON has no word for. */
export function withoutUndefined(value: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

/** Property names that reach a prototype. No path, key or column of ours may carry one. */
const PROTOTYPE_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

export function isPrototypeKey(key: string): boolean {
  return PROTOTYPE_KEYS.has(key);
}

/** Reads an own property; inherited ones are absent. */
export function ownProperty(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/**
 * JSON with keys sorted at every level, so that equal values give equal text.
 * `undefined` properties are left out, as `JSON.stringify` does.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isJsonObject(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

/** Why a JSON text is refused before anything is made of it. */
export type JsonFault = "malformed" | "too_deep" | "prototype_key" | "infinite_number";

/**
 * Parses a JSON text that a stranger wrote: nesting is bounded before the parser sees it, and an object key
 * `__proto__`, however it is escaped, is refused, since copying such an object would change a prototype. So is a number
 * too large for a double, such as 1e400: it would be Infinity, which passes for a number and is written as null.
 */
export function parseUntrustedJson(
  text: string,
  maxDepth: number,
): { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly fault: JsonFault } {
  if (exceedsDepth(text, maxDepth)) return { ok: false, fault: "too_deep" };
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return { ok: false, fault: "malformed" };
  }
  // An escaped key holds a backslash-u; only then, or when the name stands there, is the walk worth its time.
  if ((text.includes("__proto__") || text.includes("\\u")) && hasProtoKey(value)) {
    return { ok: false, fault: "prototype_key" };
  }
  // A tenth of the parser's time; looking for such numbers in the text takes longer.
  if (hasInfinity(value)) return { ok: false, fault: "infinite_number" };
  return { ok: true, value };
}

function exceedsDepth(text: string, maxDepth: number): boolean {
  // Most texts open fewer brackets in all than they may nest.
  if (opensAtMost(text, maxDepth)) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"') i = endOfString(text, i);
    else if (char === "{" || char === "[") depth++;
    else if (char === "}" || char === "]") depth--;
    if (depth > maxDepth) return true;
  }
  return false;
}

function opensAtMost(text: string, max: number): boolean {
  let left = max;
  for (const bracket of "[{") {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (left-- === 0) return false;
    }
  }
  return true;
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i;
}

function hasInfinity(value: Json): boolean {
  if (typeof value === "number") return !Number.isFinite(value);
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(hasInfinity);
  const object = value as JsonObject;
  // Copies of the keys or values would cost more than the walk; what was parsed just now inherits nothing.
  for (const key in object) if (hasInfinity(object[key] ?? null)) return true;
  return false;
}

function hasProtoKey(value: Json): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(hasProtoKey);
  return Object.entries(value).some(([key, inner]) => key === "__proto__" || hasProtoKey(inner));
}
