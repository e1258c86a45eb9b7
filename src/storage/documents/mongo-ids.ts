/**
 * Records that other programs wrote may have an ObjectId as `_id`. It reads back as its hex text, and counts as that
 * text wherever an `_id` is compared: so pages by `_id` meet every record once, in the order of the texts.
 */
const OBJECT_ID_TEXT = /^[0-9a-f]{24}$/;
const OBJECT_ID_CHARS = 24;
const HEX = "0123456789abcdef";

export const FIRST_OBJECT_ID = "0".repeat(OBJECT_ID_CHARS);

export function isObjectIdText(text: unknown): text is string {
  return typeof text === "string" && OBJECT_ID_TEXT.test(text);
}

export type RangeOperator = "$gt" | "$gte" | "$lt" | "$lte";

export function isRangeOperator(operator: string): operator is RangeOperator {
  return operator === "$gt" || operator === "$gte" || operator === "$lt" || operator === "$lte";
}

/** The same range among ObjectIds, as operator and hex text; `all` or `none` of them where it lies beyond their texts. */
export function objectIdRange(
  operator: RangeOperator,
  text: string,
): { readonly operator: RangeOperator; readonly hex: string } | "all" | "none" {
  const upwards = operator === "$gt" || operator === "$gte";
  const bound = firstObjectIdFrom(text);
  if (bound === null) return upwards ? "none" : "all";
  if (bound === text) return { operator, hex: bound };
  return { operator: upwards ? "$gte" : "$lt", hex: bound };
}

/** The least text of an ObjectId that does not sort before `text`, or null. */
function firstObjectIdFrom(text: string): string | null {
  for (let i = 0; i < OBJECT_ID_CHARS; i++) {
    const prefix = text.slice(0, i);
    const char = text[i];
    if (char === undefined) return prefix.padEnd(OBJECT_ID_CHARS, "0");
    if (HEX.includes(char)) continue;
    const next = [...HEX].find((digit) => digit > char);
    return next === undefined ? increment(prefix) : (prefix + next).padEnd(OBJECT_ID_CHARS, "0");
  }
  return text.length === OBJECT_ID_CHARS ? text : increment(text.slice(0, OBJECT_ID_CHARS));
}

/** The least text of an ObjectId that sorts after all those which begin with `prefix`, or null. */
function increment(prefix: string): string | null {
  const kept = prefix.replace(/f+$/, "");
  const last = kept.at(-1);
  if (last === undefined) return null;
  return (kept.slice(0, -1) + (HEX[HEX.indexOf(last) + 1] ?? "")).padEnd(OBJECT_ID_CHARS, "0");
}
