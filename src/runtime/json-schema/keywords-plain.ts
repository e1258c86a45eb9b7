import type { Json } from "../../core/json.ts";
import { spend } from "./budget.ts";
import { isFormat } from "./formats.ts";
import { DECIMAL_WORK, READ_CHARS_PER_UNIT } from "./limits.ts";
import { assertion, forKeyword, type Make } from "./rule.ts";
import type { Run } from "./run.ts";

/** Keywords of numbers, in the order in which faults are told. */
export const NUMBER_KEYWORDS: readonly Make[] = [
  ofNumber("minimum", (value, min) => value >= min),
  ofNumber("maximum", (value, max) => value <= max),
  ofNumber("exclusiveMinimum", (value, min) => value > min),
  ofNumber("exclusiveMaximum", (value, max) => value < max),
  forKeyword<number>("multipleOf", (divisor) => [
    assertion("multipleOf", divisor, (value, run) => isMultipleOf(value as number, divisor, run)),
  ]),
];

/** Keywords of texts, in the order in which faults are told. */
export const STRING_KEYWORDS: readonly Make[] = [
  forKeyword<number>("minLength", (min) => [
    assertion("minLength", min, (value, run) => isAtLeast(value as string, min, run)),
  ]),
  forKeyword<number>("maxLength", (max) => [
    assertion("maxLength", max, (value, run) => !isAtLeast(value as string, max + 1, run)),
  ]),
  forKeyword<string>("pattern", (text, { patternOf }) => {
    const pattern = patternOf(text);
    return [assertion("pattern", text, (value, run) => pattern(value as string, run))];
  }),
  forKeyword<string>("format", (name) => [
    assertion("format", name, (value, run) => isFormat(name, value as string, run)),
  ]),
];

function ofNumber(keyword: string, check: (value: number, limit: number) => boolean): Make {
  return forKeyword<number>(keyword, (limit) => [
    assertion(keyword, limit, (value: Json) => check(value as number, limit)),
  ]);
}

/** Whether the text has so many code points. */
function isAtLeast(text: string, min: number, run: Run): boolean {
  if (text.length < min) return false;
  // A code point is two characters at most.
  if (text.length >= 2 * min) return true;
  spend(run, text.length / READ_CHARS_PER_UNIT);
  let points = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    if (isHigh(text.charCodeAt(i)) && isLow(text.charCodeAt(i + 1))) points -= 1;
  }
  return points >= min;
}

function isHigh(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}

function isLow(unit: number): boolean {
  return (unit & 0xfc00) === 0xdc00;
}

/** As the decimals that both are written as: 0.3 is a multiple of 0.1. */
function isMultipleOf(value: number, divisor: number, run: Run): boolean {
  if (Number.isSafeInteger(value) && Number.isSafeInteger(divisor)) return value % divisor === 0;
  if (!Number.isFinite(value) || !Number.isFinite(divisor)) return false;
  const dividend = toDecimal(value);
  const divided = toDecimal(divisor);
  const shift = dividend.exponent - divided.exponent;
  spend(run, DECIMAL_WORK + Math.abs(shift));
  if (shift >= 0) return (dividend.digits * 10n ** BigInt(shift)) % divided.digits === 0n;
  return dividend.digits % (divided.digits * 10n ** BigInt(-shift)) === 0n;
}

function toDecimal(value: number): { readonly digits: bigint; readonly exponent: number } {
  const [coefficient = "0", exponent = "0"] = String(Math.abs(value)).split("e");
  const [whole = "0", fraction = ""] = coefficient.split(".");
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}
