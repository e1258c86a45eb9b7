const LAST_CODE = 0x10ffff;
const ASCII_CODES = 128;

/** A set of code points, as a class or an escape such as `\w` writes it. */
export interface CharacterSet {
  has(code: number): boolean;
  /** How many questions to the platform a character outside ASCII takes. */
  readonly slowness: number;
}

/** What stands between the brackets of a class: ranges from and to, both included, and `\p{…}`. */
export interface ClassMembers {
  readonly ranges: readonly Range[];
  readonly properties: readonly RegExp[];
}

export type Range = readonly [from: number, to: number];

const DIGITS: readonly Range[] = [[0x30, 0x39]];
const WORDS: readonly Range[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const SPACES: readonly Range[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const LINE_ENDS: readonly Range[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];

const NAMED: Readonly<Record<string, readonly Range[]>> = {
  d: DIGITS,
  D: complement(DIGITS),
  w: WORDS,
  W: complement(WORDS),
  s: SPACES,
  S: complement(SPACES),
};

/** The characters of `\d`, `\D`, `\w`, `\W`, `\s` and `\S`; undefined for any other letter. */
export function namedRanges(letter: string): readonly Range[] | undefined {
  return Object.hasOwn(NAMED, letter) ? NAMED[letter] : undefined;
}

export const ANY_BUT_LINE_ENDS: CharacterSet = createSet({ ranges: complement(LINE_ENDS), properties: [] }, false);

export function createSet({ ranges, properties }: ClassMembers, isNegated: boolean): CharacterSet {
  const merged = merge(ranges);
  const inAny = (code: number) => inRanges(merged, code) || hasProperty(properties, code);
  let ascii: Uint8Array | null = null;
  return {
    has(code) {
      if (code >= ASCII_CODES) return inAny(code) !== isNegated;
      ascii ??= Uint8Array.from({ length: ASCII_CODES }, (_, character) => Number(inAny(character) !== isNegated));
      return ascii[code] === 1;
    },
    slowness: properties.length,
  };
}

const known = new Map<string, RegExp>();

/**
 * `p{Letter}` and `P{Letter}` without their backslash, as the platform knows them; null where it does not. Whatever
 * comes of it is only ever asked about one character. Kept for good: there are some three thousand names.
 */
export function findProperty(text: string): RegExp | null {
  const before = known.get(text);
  if (before !== undefined) return before;
  const property = /^[pP]\{\w+(?:=\w+)?\}$/.test(text) ? compileProperty(text) : null;
  if (property !== null) known.set(text, property);
  return property;
}

function compileProperty(text: string): RegExp | null {
  try {
    return new RegExp(`^\\${text}$`, "u");
  } catch {
    return null;
  }
}

function hasProperty(properties: readonly RegExp[], code: number): boolean {
  if (properties.length === 0) return false;
  const character = String.fromCodePoint(code);
  return properties.some((property) => property.test(character));
}

/** Sorted, none touching the next, as one flat list of from and to. */
function merge(ranges: readonly Range[]): Int32Array {
  const flat: number[] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = flat.at(-1);
    if (last !== undefined && from <= last + 1) flat[flat.length - 1] = Math.max(last, to);
    else flat.push(from, to);
  }
  return Int32Array.from(flat);
}

function inRanges(flat: Int32Array, code: number): boolean {
  let low = 0;
  let high = flat.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (code > (flat[2 * middle + 1] ?? 0)) low = middle + 1;
    else high = middle;
  }
  return code >= (flat[2 * low] ?? LAST_CODE + 1);
}

function complement(ranges: readonly Range[]): readonly Range[] {
  const outside: Range[] = [];
  let from = 0;
  for (const [start, end] of ranges) {
    if (start > from) outside.push([from, start - 1]);
    from = end + 1;
  }
  outside.push([from, LAST_CODE]);
  return outside;
}
