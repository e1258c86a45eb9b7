/** Why a text is no pattern here. */
export class PatternFault extends Error {
  override readonly name = "PatternFault";
  /** A right regular expression of ECMAScript that uses what is not supported. */
  readonly isRegular: boolean;
  constructor(message: string, isRegular = false) {
    super(message);
    this.isRegular = isRegular;
  }
}

export function notRegular(): PatternFault {
  return new PatternFault("is not a regular expression");
}

/** A text that is read from left to right. */
export interface Reader {
  readonly text: string;
  at: number;
  /** Groups that are open around this place. */
  depth: number;
  groups: number;
  readonly names: Set<string>;
  /** The highest number and the names that back-references name: they may stand before their group. */
  highestReference: number;
  readonly namedReferences: Set<string>;
}

export function createReader(text: string): Reader {
  const names = { names: new Set<string>(), namedReferences: new Set<string>() };
  return { text, at: 0, depth: 0, groups: 0, highestReference: 0, ...names };
}

/** Reads the text if it stands here. */
export function take(reader: Reader, expected: string): boolean {
  if (!reader.text.startsWith(expected, reader.at)) return false;
  reader.at += expected.length;
  return true;
}

/** Reads what the pattern finds here; it is to be sticky. */
export function takeMatch(reader: Reader, pattern: RegExp): string | null {
  pattern.lastIndex = reader.at;
  const [found] = pattern.exec(reader.text) ?? [];
  if (found === undefined) return null;
  reader.at += found.length;
  return found;
}

/** Reads one code point. @throws PatternFault at the end */
export function takeCode(reader: Reader): number {
  const code = reader.text.codePointAt(reader.at);
  if (code === undefined) throw notRegular();
  reader.at += code > 0xffff ? 2 : 1;
  return code;
}
