import { Fault, type Frame, spend, spendText } from "./faults.ts";
import type { CelFunction } from "./function.ts";
import { COMPARED_CHARS_PER_STEP, READ_CHARS_PER_STEP } from "./limits.ts";
import { wholeOf } from "./operators.ts";
import type { Kind, Value } from "./values.ts";

const TEXT: readonly Kind[] = ["string"];
const NUMBER: readonly Kind[] = ["int", "double"];

function textsOf(args: readonly Value[]): [string, string, string] {
  const [a = "", b = "", c = ""] = args;
  return [String(a), String(b), String(c)];
}

/** The platform's own search compares at every place, so that two large texts would hold it up for minutes. */
function spendSearch(frame: Frame, text: string, searched: string): void {
  spend(frame, text.length / READ_CHARS_PER_STEP + (text.length * searched.length) / COMPARED_CHARS_PER_STEP);
}

const PAIRED = /[\ud800-\udfff]/;

/** Characters as people count them, where they are not the string's own units. */
function charactersOf(text: string, frame: Frame): readonly string[] | null {
  spend(frame, text.length / READ_CHARS_PER_STEP);
  if (!PAIRED.test(text)) return null;
  spend(frame, text.length);
  return Array.from(text);
}

export function textSize(text: string, frame: Frame): number {
  return charactersOf(text, frame)?.length ?? text.length;
}

/** Start and end, in characters or items; counts from the end are not taken. */
export function rangeOf(args: readonly Value[], size: number): readonly [number, number] {
  const start = wholeOf(args[1] ?? 0n);
  const end = args[2] === undefined ? size : wholeOf(args[2]);
  if (start < 0 || end < start || end > size) throw new Fault("this range is not within it");
  return [start, end];
}

function indexIn(text: string, at: number, frame: Frame): bigint {
  return BigInt(at <= 0 ? at : textSize(text.slice(0, at), frame));
}

export const TEXT_FUNCTIONS: Readonly<Record<string, CelFunction>> = {
  contains: {
    takes: [TEXT, TEXT],
    gives: "bool",
    form: "text.contains(part)",
    does: "Whether the part is in it.",
    run(args, frame) {
      const [text, part] = textsOf(args);
      spendSearch(frame, text, part);
      return text.includes(part);
    },
  },
  startsWith: {
    takes: [TEXT, TEXT],
    gives: "bool",
    form: "text.startsWith(part)",
    does: "Whether it begins so.",
    run(args, frame) {
      const [text, part] = textsOf(args);
      spend(frame, part.length / READ_CHARS_PER_STEP);
      return text.startsWith(part);
    },
  },
  endsWith: {
    takes: [TEXT, TEXT],
    gives: "bool",
    form: "text.endsWith(part)",
    does: "Whether it ends so.",
    run(args, frame) {
      const [text, part] = textsOf(args);
      spend(frame, part.length / READ_CHARS_PER_STEP);
      return text.endsWith(part);
    },
  },
  indexOf: {
    takes: [TEXT, TEXT],
    gives: "int",
    form: "text.indexOf(part)",
    does: "Where the part begins first, from 0; -1 where it is not in it.",
    run(args, frame) {
      const [text, part] = textsOf(args);
      spendSearch(frame, text, part);
      return indexIn(text, text.indexOf(part), frame);
    },
  },
  lastIndexOf: {
    takes: [TEXT, TEXT],
    gives: "int",
    form: "text.lastIndexOf(part)",
    does: "Where it begins last.",
    run(args, frame) {
      const [text, part] = textsOf(args);
      spendSearch(frame, text, part);
      return indexIn(text, text.lastIndexOf(part), frame);
    },
  },
  substring: {
    takes: [TEXT, NUMBER, NUMBER],
    mayLack: 1,
    gives: "string",
    form: "text.substring(start), text.substring(start, end)",
    does: "The characters from start up to end.",
    run(args, frame) {
      const [text] = textsOf(args);
      const characters = charactersOf(text, frame);
      const [start, end] = rangeOf(args, characters?.length ?? text.length);
      spendText(frame, end - start);
      return characters === null ? text.slice(start, end) : characters.slice(start, end).join("");
    },
  },
  lower: textFunction("lower", "In small letters.", (text) => text.toLowerCase()),
  upper: textFunction("upper", "In capital letters.", (text) => text.toUpperCase()),
  lowerAscii: textFunction("lowerAscii", "A to Z in small letters.", (text) =>
    text.replace(/[A-Z]+/g, (part) => part.toLowerCase()),
  ),
  upperAscii: textFunction("upperAscii", "a to z in capital letters.", (text) =>
    text.replace(/[a-z]+/g, (part) => part.toUpperCase()),
  ),
  trim: textFunction("trim", "Without blanks at both ends.", (text) => text.trim()),
  split: {
    takes: [TEXT, TEXT],
    gives: "list",
    form: "text.split(separator)",
    does: "The parts between separators.",
    run(args, frame) {
      const [text, separator] = textsOf(args);
      spendSearch(frame, text, separator);
      // Parts are small: each weighs more than its characters.
      spend(frame, occurrences(text, separator) + text.length / READ_CHARS_PER_STEP);
      return separator === "" ? Array.from(text) : text.split(separator);
    },
  },
  replace: {
    takes: [TEXT, TEXT, TEXT],
    gives: "string",
    form: "text.replace(part, other)",
    does: "With every such part replaced.",
    run(args, frame) {
      const [text, part, other] = textsOf(args);
      spendSearch(frame, text, part);
      const count = occurrences(text, part);
      spend(frame, count);
      spendText(frame, text.length + count * (other.length - part.length));
      return text.replaceAll(part, () => other);
    },
  },
};

/** One that makes a text of about the same length. */
function textFunction(name: string, does: string, change: (text: string) => string): CelFunction {
  return {
    takes: [TEXT],
    gives: "string",
    form: `text.${name}()`,
    does,
    run(args, frame) {
      const [text] = textsOf(args);
      // Some letters become two or three.
      spendText(frame, text.length);
      return change(text);
    },
  };
}

function occurrences(text: string, part: string): number {
  if (part === "") return text.length + 1;
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count++;
  return count;
}
