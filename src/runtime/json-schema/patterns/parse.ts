import { PATTERN_MAX_DEPTH } from "../limits.ts";
import { ANY_BUT_LINE_ENDS, createSet } from "./characters.ts";
import { readClass, readEscape } from "./escapes.ts";
import { createReader, notRegular, PatternFault, type Reader, take, takeCode, takeMatch } from "./reader.ts";
import { NOTHING, type Tree } from "./tree.ts";

/**
 * Reads a regular expression as ECMAScript does with the flag `u`. Look-around is read; back-references are not, since
 * no way is known to match them in time that grows with the text alone.
 * @throws PatternFault
 */
export function parsePattern(text: string): Tree {
  const reader = createReader(text);
  const tree = readChoice(reader);
  if (reader.at < text.length) throw notRegular();
  checkReferences(reader);
  return tree;
}

/** Whether ECMAScript takes the text as a regular expression, whether or not we match it. */
export function isRegularExpression(text: string): boolean {
  try {
    parsePattern(text);
    return true;
  } catch (error) {
    if (error instanceof PatternFault) return error.isRegular;
    throw error;
  }
}

function checkReferences({ highestReference, namedReferences, groups, names }: Reader): void {
  if (highestReference > groups || [...namedReferences].some((name) => !names.has(name))) throw notRegular();
  if (highestReference > 0 || namedReferences.size > 0) {
    throw new PatternFault("a pattern holds no back-references such as \\1 or \\k<name>", true);
  }
}

function readChoice(reader: Reader): Tree {
  const options = [readSequence(reader)];
  while (take(reader, "|")) options.push(readSequence(reader));
  return options.length === 1 ? (options[0] ?? NOTHING) : { kind: "choice", options };
}

function readSequence(reader: Reader): Tree {
  const parts: Tree[] = [];
  while (reader.at < reader.text.length && !"|)".includes(reader.text.charAt(reader.at))) parts.push(readTerm(reader));
  return parts.length === 1 ? (parts[0] ?? NOTHING) : { kind: "sequence", parts };
}

function readTerm(reader: Reader): Tree {
  return readAssertion(reader) ?? readRepeat(reader, readAtom(reader));
}

function readAssertion(reader: Reader): Tree | null {
  if (!"^$\\(".includes(reader.text.charAt(reader.at))) return null;
  if (take(reader, "^")) return { kind: "place", place: "start" };
  if (take(reader, "$")) return { kind: "place", place: "end" };
  if (take(reader, "\\b")) return { kind: "place", place: "edge" };
  if (take(reader, "\\B")) return { kind: "place", place: "inside" };
  const opened = takeMatch(reader, LOOK);
  if (opened === null) return null;
  const body = readGroup(reader);
  return { kind: "look", behind: opened.includes("<"), negated: opened.endsWith("!"), body };
}

/** What stands for more than itself; all else is a character. */
const SYNTAX = "^$\\.*+?()[]{}|";
const LOOK = /\(\?<?[=!]/y;
const GROUP_NAME = /\?<[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*>/uy;
const REFERENCE_NAME = /k<[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*>/uy;
const REFERENCE = /[1-9][0-9]*/y;
const MODIFIERS = /\?(?:[ims]+(?:-[ims]*)?|-[ims]+):/y;
const QUANTIFIER = /\{([0-9]+)(?:,([0-9]*))?\}/y;

function readAtom(reader: Reader): Tree {
  const first = reader.text.charAt(reader.at);
  if (!SYNTAX.includes(first)) return { kind: "character", code: takeCode(reader) };
  if (take(reader, ".")) return { kind: "set", set: ANY_BUT_LINE_ENDS };
  if (take(reader, "(")) return readCapture(reader);
  if (take(reader, "[")) {
    const isNegated = take(reader, "^");
    return { kind: "set", set: createSet(readClass(reader), isNegated) };
  }
  if (take(reader, "\\")) return readEscaped(reader);
  throw notRegular();
}

function readCapture(reader: Reader): Tree {
  if (take(reader, "?:")) return readGroup(reader);
  if (takeMatch(reader, MODIFIERS) !== null) {
    throw new PatternFault("a pattern holds no modifiers such as (?i:…)", true);
  }
  const name = takeMatch(reader, GROUP_NAME)?.slice(2, -1);
  if (name !== undefined) {
    if (reader.names.has(name)) throw notRegular();
    reader.names.add(name);
  }
  reader.groups += 1;
  return readGroup(reader);
}

/** Up to and with the closing bracket. */
function readGroup(reader: Reader): Tree {
  if (reader.depth >= PATTERN_MAX_DEPTH) {
    throw new PatternFault(`a pattern holds at most ${PATTERN_MAX_DEPTH} groups inside each other`);
  }
  reader.depth += 1;
  const tree = readChoice(reader);
  reader.depth -= 1;
  if (!take(reader, ")")) throw notRegular();
  return tree;
}

function readEscaped(reader: Reader): Tree {
  const name = takeMatch(reader, REFERENCE_NAME)?.slice(2, -1);
  if (name !== undefined) {
    reader.namedReferences.add(name);
    return NOTHING;
  }
  const reference = takeMatch(reader, REFERENCE);
  if (reference !== null) {
    reader.highestReference = Math.max(reader.highestReference, Number(reference));
    return NOTHING;
  }
  const escaped = readEscape(reader);
  if ("code" in escaped) return { kind: "character", code: escaped.code };
  const members = "ranges" in escaped ? { ranges: escaped.ranges, properties: [] } : null;
  return { kind: "set", set: createSet(members ?? { ranges: [], properties: propertyOf(escaped) }, false) };
}

function propertyOf(escaped: object): readonly RegExp[] {
  return "property" in escaped && escaped.property instanceof RegExp ? [escaped.property] : [];
}

function readRepeat(reader: Reader, body: Tree): Tree {
  const bounds = readBounds(reader);
  if (bounds === null) return body;
  const [min, max] = bounds;
  if (min > max) throw notRegular();
  // Whether it prefers few or many does not change what matches.
  take(reader, "?");
  return { kind: "repeat", body, min, max };
}

function readBounds(reader: Reader): readonly [min: number, max: number] | null {
  if (!"*+?{".includes(reader.text.charAt(reader.at))) return null;
  if (take(reader, "*")) return [0, Number.POSITIVE_INFINITY];
  if (take(reader, "+")) return [1, Number.POSITIVE_INFINITY];
  if (take(reader, "?")) return [0, 1];
  QUANTIFIER.lastIndex = reader.at;
  const found = QUANTIFIER.exec(reader.text);
  if (found === null) return null;
  reader.at += found[0].length;
  const min = Number(found[1]);
  if (found[2] === undefined) return [min, min];
  return [min, found[2] === "" ? Number.POSITIVE_INFINITY : Number(found[2])];
}
