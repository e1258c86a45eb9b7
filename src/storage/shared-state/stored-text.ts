const PLAIN = "t";
const ESCAPED = "j";

/** The text as a store of UTF-8 can hold it: half a surrogate pair, which UTF-8 has no bytes for, is escaped. */
export function packText(text: string): string {
  return text.isWellFormed() ? PLAIN + text : ESCAPED + JSON.stringify(text);
}

/** Null for what `packText` did not make. */
export function unpackText(packed: string): string | null {
  if (packed.startsWith(PLAIN)) return packed.slice(1);
  if (!packed.startsWith(ESCAPED)) return null;
  try {
    const text: unknown = JSON.parse(packed.slice(1));
    return typeof text === "string" ? text : null;
  } catch {
    return null;
  }
}
