import { findProperty, namedRanges, type Range } from "./characters.ts";
import { notRegular, type Reader, take, takeCode, takeMatch } from "./reader.ts";

/** What a backslash and the characters after it stand for: one character, or a class of them. */
export type Escaped = { readonly code: number } | { readonly ranges: readonly Range[] } | { readonly property: RegExp };

const CONTROLS: Readonly<Record<string, number>> = { t: 0x09, n: 0x0a, v: 0x0b, f: 0x0c, r: 0x0d };
const SYNTAX = "^$\\.*+?()[]{}|/";
const PROPERTY = /[pP]\{[^{}]*\}/y;
const CONTROL_LETTER = /[A-Za-z]/y;
const TWO_HEX = /[0-9a-fA-F]{2}/y;
const FOUR_HEX = /[0-9a-fA-F]{4}/y;
const BRACED_HEX = /\{[0-9a-fA-F]+\}/y;
const LOW_SURROGATE = /\\u[dD][c-fC-F][0-9a-fA-F]{2}/y;
const ZERO = /0(?![0-9])/y;

/** Reads an escape that means the same inside and outside of classes, from behind its backslash. */
export function readEscape(reader: Reader): Escaped {
  const property = takeMatch(reader, PROPERTY);
  if (property !== null) {
    const found = findProperty(property);
    if (found === null) throw notRegular();
    return { property: found };
  }
  if (takeMatch(reader, ZERO) !== null) return { code: 0 };
  const letter = String.fromCodePoint(takeCode(reader));
  const ranges = namedRanges(letter);
  if (ranges !== undefined) return { ranges };
  return { code: readCharacter(reader, letter) };
}

function readCharacter(reader: Reader, letter: string): number {
  const control = Object.hasOwn(CONTROLS, letter) ? CONTROLS[letter] : undefined;
  if (control !== undefined) return control;
  if (letter === "c") return required(takeMatch(reader, CONTROL_LETTER)).charCodeAt(0) % 32;
  if (letter === "x") return Number.parseInt(required(takeMatch(reader, TWO_HEX)), 16);
  if (letter === "u") return readUnicode(reader);
  if (SYNTAX.includes(letter)) return letter.charCodeAt(0);
  throw notRegular();
}

function readUnicode(reader: Reader): number {
  const braced = takeMatch(reader, BRACED_HEX);
  if (braced !== null) {
    const code = Number.parseInt(braced.slice(1), 16);
    if (code > 0x10ffff) throw notRegular();
    return code;
  }
  const code = Number.parseInt(required(takeMatch(reader, FOUR_HEX)), 16);
  if (code < 0xd800 || code > 0xdbff) return code;
  const low = takeMatch(reader, LOW_SURROGATE);
  return low === null ? code : 0x10000 + (code - 0xd800) * 0x400 + (Number.parseInt(low.slice(2), 16) - 0xdc00);
}

function required(found: string | null): string {
  if (found === null) throw notRegular();
  return found;
}

/** `[…]`, from behind its first bracket (and `^`) to behind its last. */
export function readClass(reader: Reader): {
  readonly ranges: readonly Range[];
  readonly properties: readonly RegExp[];
} {
  const ranges: Range[] = [];
  const properties = new Set<RegExp>();
  const add = (member: Escaped) => {
    if ("property" in member) properties.add(member.property);
    else ranges.push(...("ranges" in member ? member.ranges : [[member.code, member.code] as const]));
  };
  while (!take(reader, "]")) {
    const from = readMember(reader);
    if (!reader.text.startsWith("-", reader.at) || reader.text.startsWith("-]", reader.at)) {
      add(from);
      continue;
    }
    reader.at += 1;
    const to = readMember(reader);
    if (!("code" in from && "code" in to) || from.code > to.code) throw notRegular();
    ranges.push([from.code, to.code]);
  }
  return { ranges, properties: [...properties] };
}

function readMember(reader: Reader): Escaped {
  if (!take(reader, "\\")) return { code: takeCode(reader) };
  if (take(reader, "b")) return { code: 0x08 };
  if (take(reader, "-")) return { code: 0x2d };
  return readEscape(reader);
}
